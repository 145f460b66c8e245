"""What the steps of the sender hand to each other."""

from datetime import datetime
from typing import NamedTuple

from recoup.messaging.handover import Parcel


class Claimed(NamedTuple):
    """A message that this sender holds. The fields are columns; `claim` selects them by name."""

    id: int
    shop_id: int
    source_id: int | None
    contact_id: int
    order_id: int | None
    cart_id: int | None
    template_id: int | None
    case_id: int | None
    enrolment_id: int | None
    step_no: int | None
    manual_key: str | None
    locale: str
    purpose: str
    message_class: str
    is_asked_for: bool
    is_test: bool
    recipient: str
    prio: int
    due_at: datetime
    not_after: datetime
    attempt: int
    message_ref: str
    channel: str = "email"
    is_resent: bool = False
    handed_at: datetime | None = None
    content: str = ""
    relation: str = ""
    country: str = ""
    offer_id: int | None = None
    day_ends_at: datetime | None = None

    @property
    def is_repeat(self) -> bool:
        """Whether it was offered before and may have arrived: it takes no second place under any cap."""
        return self.is_resent and self.handed_at is not None

    @property
    def is_by_hand(self) -> bool:
        """Whether a person sent it: it counts for the caps and nothing but facts holds it."""
        return self.manual_key is not None


class Prepared(NamedTuple):
    """A message with its parcel ready for the wire of its channel."""

    message: Claimed
    mail: Parcel
    version_id: int
    stamp: str
    """What the text was made from; if it has changed by the check, the text is made anew."""


class End(NamedTuple):
    """What became of a message: one of its ends, or due again."""

    message_id: int
    state: str
    reason: str = ""
    answer: str = ""
    at: datetime | None = None
    """Trade time; of the hand-over when it was sent."""

    due_at: datetime | None = None
    handed_at: datetime | None = None
    attempts: int = 0
    deferrals: int = 0
    may_repeat: bool = False
    """Uncertain, and the provider takes it only once however often it is offered."""
