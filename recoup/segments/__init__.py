"""Conditions over people, orders and carts: one typed tree, to SQL for lists and to Python for the engine.

Wakes: nothing. News: none.
"""
