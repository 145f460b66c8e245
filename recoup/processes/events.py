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
