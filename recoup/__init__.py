"""Recoup: gets unpaid orders and abandoned carts paid, and keeps the customer afterwards."""

__version__ = "0.1.0"
