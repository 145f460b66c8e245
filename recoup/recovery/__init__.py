"""Recovery cases: what is unpaid or abandoned, since when, why, how it ended and which message gets the credit.

Woken by the clock and by news of payments and orders; gives `RecoveryCaseOpened` and `RecoveryCaseClosed`.
"""
