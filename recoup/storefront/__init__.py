"""Buyers' pages: pay page, filled cart, unsubscribe and the buyer's own controls.

Woken by links in messages; gives no news, calls payments and customers down.
"""
