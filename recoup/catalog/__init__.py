"""Products and prices as the shops report them.

Woken by intake and backfill; gives no news.
"""
