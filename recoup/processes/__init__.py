"""Processes: definitions, immutable versions, enrolments, the decision ledger, engine and simulator.

Woken by recovery cases and facts that enrolments wait for; gives `EnrolmentEnded`.
"""
