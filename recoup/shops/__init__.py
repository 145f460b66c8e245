"""Shops, their settings, staff and sources, and the port that a shop platform implements.

Woken by the settings screens and the first-run wizard; gives no news.
"""
