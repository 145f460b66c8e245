"""Payment attempts, refunds, failure classes, and the port that a payment operator implements.

Woken by intake and the pay page; gives `PaymentReceived`, `PaymentFailed` and `RefundMade`.
"""
