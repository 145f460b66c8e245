"""People who work here: accounts, roles and what each role may do.

Woken by sign-in pages and settings; gives no news.
"""
