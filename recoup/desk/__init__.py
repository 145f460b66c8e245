"""The desk: what somebody of the staff has to do, by when, and what came of it.

Woken by payments, which end what was to be done about an unpaid order; gives `TaskDone`.
"""
