"""News of recovery cases."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RecoveryCaseOpened:
    """An unpaid order or a left cart became a case."""

    shop_id: int
    case_id: int
    kind: str  # order or cart
    subject_id: int
    contact_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RecoveryCaseClosed:
    """A case ended; the enrolments that work on it end too."""

    shop_id: int
    case_id: int
    kind: str
    subject_id: int
    outcome: str
    at: datetime
