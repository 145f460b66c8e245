"""News of messages."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MessageSettled:
    """A message reached its one end: sent, failed, cancelled or uncertain."""

    shop_id: int
    message_id: int
    enrolment_id: int | None
    step_no: int | None
    case_id: int | None
    state: str
    at: datetime  # trade; of the hand-over when it was sent


@dataclass(frozen=True, slots=True)
class MessageOpened:
    """A message was opened by a person, as far as can be told."""

    shop_id: int
    message_id: int
    enrolment_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PageVisited:
    """A person came to a page about an order (1), a cart (2) or themselves (3), by whichever message or straight."""

    shop_id: int
    subject_kind: int
    subject_id: int
    contact_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageClicked:
    """A link of a message was followed by a person, as far as can be told."""

    shop_id: int
    message_id: int
    enrolment_id: int | None
    at: datetime
