"""Reports over everything; writes nothing but its own rollups.

Woken by the report screens; gives no news.
"""
