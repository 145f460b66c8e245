"""Carts and orders, their lines, states, history and duplicates.

Woken by intake, by payments calling down and by the order screens; gives `OrderPlaced`, `OrderChanged`,
`OrderCancelled` and `CartChanged`.
"""
