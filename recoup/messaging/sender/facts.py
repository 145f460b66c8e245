"""What the last look sees."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar


@dataclass(slots=True)
class Gate:
    """A person's gate, locked: their latest reminders, and one more for each that passes."""

    contact_id: int
    recent: list[datetime]


@dataclass(slots=True)
class OrderFacts:
    """An order, locked against payment, and what other rows say of it."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "id",
        "source_id",
        "contact_id",
        "ref",
        "number",
        "cart_ref",
        "status",
        "payment_state",
        "total",
        "captured",
        "placed_at",
        "promised_at",
        "paused_at",
        "claimed_until",
        "superseded_by_id",
        "duplicate_of_id",
        "is_backfill",
        "is_test",
        "shop_state",
        "ctid::text || o.xmin::text",
        "learnt_at",
        "version_learnt_at",
        "asked_at",
        "ask_failures",
    )

    id: int
    source_id: int
    contact_id: int | None
    ref: str
    number: str
    cart_ref: str
    status: str
    payment_state: str
    total: Decimal
    captured: Decimal
    placed_at: datetime
    promised_at: datetime | None
    paused_at: datetime | None
    claimed_until: datetime | None
    superseded_by_id: int | None
    duplicate_of_id: int | None
    is_backfill: bool
    is_test: bool
    shop_state: str
    stamp: str  # of the row: what a text about the order was made from
    learnt_at: datetime | None = None
    version_learnt_at: datetime | None = None
    asked_at: datetime | None = None  # when its source last said how it stands
    ask_failures: int = 0
    is_paid_by_another: bool = False
    has_newer_twin: bool = False
    sibling_refs: list[str] = field(default_factory=list)
    attempt_refs: list[str] = field(default_factory=list)
    reminders: int = 0
    sent_by_hand: list[int] = field(default_factory=list)
    is_free: bool = True
    """Whether no call that names it is just coming in; from then on such a call waits."""

    def take_relatives(self, *values: Any) -> None:
        """Take what was read of other rows."""
        (
            self.is_paid_by_another,
            self.has_newer_twin,
            self.sibling_refs,
            self.attempt_refs,
            self.reminders,
            self.sent_by_hand,
            self.is_free,
        ) = values


@dataclass(slots=True)
class CartFacts:
    """A cart, locked against change, and whether its person has ordered since."""

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "id",
        "source_id",
        "contact_id",
        "ref",
        "order_ref",
        "state",
        "last_activity_at",
        "is_backfill",
        "ctid::text || c.xmin::text",
    )

    id: int
    source_id: int
    contact_id: int | None
    ref: str
    order_ref: str
    state: str
    last_activity_at: datetime
    is_backfill: bool
    stamp: str
    has_order_since: bool = False
    is_free: bool = True


@dataclass(slots=True)
class Sight:
    """What was seen of one message. A missing gate, order or cart is held by somebody else at this moment."""

    cancel_reason: str | None
    gate: Gate | None
    order: OrderFacts | None
    cart: CartFacts | None
    hold: str
    """A reason to wait: unapplied news that names the subject, or an unreadable call of its source."""

    rivals: Sequence[datetime] = ()
    """When reminders of higher rank are due to the same person that are not out yet."""
    message_class: str = ""
    """What the rules make of it now; empty where the class was fixed when it was queued."""
    offer: "OfferSight | None" = None
    """The offer that the text speaks of, locked; `None` where there is none, or somebody else holds it."""


@dataclass(slots=True)
class OfferSight:
    """An offer as it stands."""

    state: str
    valid_until: datetime
