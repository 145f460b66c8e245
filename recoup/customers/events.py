"""News of buyers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """Somebody agreed, took it back, or was suppressed."""

    shop_id: int
    contact_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CustomerMerged:
    """Two contacts became one: `gone_id` now points to `contact_id`."""

    shop_id: int
    contact_id: int
    gone_id: int
    at: datetime
