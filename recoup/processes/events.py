"""News of processes."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class EnrolmentEnded:
    """An enrolment reached its end, a goal, or was cancelled."""

    shop_id: int
    enrolment_id: int
    case_id: int | None
    outcome: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WebhookAnswered:
    """Another program has taken a call of a process, or has not taken it for good."""

    shop_id: int
    enrolment_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class StatusWished:
    """A process wants an order in another status; the handler locks the order and may find the move refused."""

    shop_id: int
    order_id: int
    status: str
    reason: str
    at: datetime
