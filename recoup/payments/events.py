"""News of payments."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PaymentReceived:
    """An order is paid in full. `at` is when it became true, `learnt_at` when we knew."""

    shop_id: int
    order_id: int
    at: datetime
    learnt_at: datetime


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """An attempt failed while the order is still owed."""

    shop_id: int
    order_id: int
    attempt_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundMade:
    """Money was given back, or a payment is disputed."""

    shop_id: int
    order_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A pay session of ours ended without money: declined, given up, run out or closed."""

    shop_id: int
    order_id: int
    attempt_id: int
    at: datetime
