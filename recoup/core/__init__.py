"""Ground that every part stands on: clocks, money, links, outbox, inbox, activity, attention, secrets.

Knows no word of the trade. Woken by nothing; gives no news of its own.
"""
