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


@dataclass(frozen=True, slots=True)
class TagsChanged:
    """Tags were set on a person or taken off, each named by its id.

    `chain` is how many processes one after another have led to it, so that two of them cannot tag each other for ever.
    """

    shop_id: int
    contact_id: int
    added: tuple[int, ...]
    removed: tuple[int, ...]
    at: datetime
    chain: int = 0
