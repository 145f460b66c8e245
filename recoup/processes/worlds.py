"""What may happen in a simulated world, as data, so that every store can be fed the same news."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from recoup.processes.engine.codes import Code, Wake
from recoup.processes.engine.entry import Candidate
from recoup.processes.engine.records import Facts, Swap


class ChangeKind(StrEnum):
    """Kinds of changes of a subject."""

    PAID = "paid"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    CASE_CLOSED = "case_closed"
    CART_ACTIVITY = "cart_activity"
    CONVERTED = "converted"
    EMPTIED = "emptied"
    PROMISED = "promised"  # to pay by the change's `until`; until then reminders rest
    CLAIMED = "claimed"  # a person has taken it on until the change's `until`: reminders rest, too
    HELD = "held"
    RELEASED = "released"
    DUE = "due"  # a part was paid or given back, or the sum changed; the change's `amount` is due now
    STATUS = "status"  # somebody moved the order to the change's `status`
    FAILED = "failed"  # a payment failed for the change's `cause`
    OTHERWISE = "otherwise"  # that failure is over, its buyer pays otherwise: the change's `cause` holds
    SWAPPED = "swapped"  # the order holds the change's `products` from now on


@dataclass(frozen=True, slots=True)
class Arrival:
    """A subject becomes known, and somebody stands at the door of a process."""

    at: datetime
    candidate: Candidate
    facts: Facts
    holdout_bp: int = 0
    shop_holdout_bp: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """Something became true about a subject; we learn it at `at`."""

    at: datetime
    subject_kind: int
    subject_id: int
    kind: ChangeKind
    became_true_at: datetime
    until: datetime | None = None
    amount: Decimal | None = None
    status: str = ""
    cause: str = ""
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Purchase:
    """A person pays for products in another order; we learn it at `at`."""

    at: datetime
    contact_id: int
    products: tuple[str, ...]
    became_true_at: datetime


@dataclass(frozen=True, slots=True)
class Visit:
    """A person opens (or clicks in) the last message that a block has sent them about a subject; no machine is so slow."""

    at: datetime
    subject_kind: int
    subject_id: int
    node_id: str
    is_click: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """A person comes to a page about an order, a cart or themselves, by a link of whichever message or straight."""

    at: datetime
    subject_kind: int
    subject_id: int
    contact_id: int
    page: str = "pay"
    came_at: datetime | None = None  # where we learnt of it later


@dataclass(frozen=True, slots=True)
class Reply:
    """Somebody of the staff, or a server, answers what a block has asked for about a subject, if it has by then."""

    at: datetime
    subject_kind: int
    subject_id: int
    node_id: str
    code: Code


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A person comes into another process of an exclusive group; told to those alone who walk a real past."""

    at: datetime
    shop_id: int
    group_key: int
    enrolment_id: int
    rank: int
    until: datetime | None  # until when they really were in it


News = Arrival | Change | Purchase | Visit | Coming | Reply | Elsewhere


def _is_always_sent(_enrolment_id: int, _step_no: int, _now: datetime) -> Code:
    return Code.SENT


@dataclass(slots=True)
class Lane:
    """A simple road for messages: how late a hand-over is, how far apart two of them, how each ends."""

    lag: timedelta = timedelta(0)
    pause: timedelta = timedelta(0)  # between two messages
    fate: Callable[[int, int, datetime], Code] = _is_always_sent
    free_at: datetime | None = None


def apply_change(facts: Facts, change: Change) -> Facts:
    """Return the facts of a subject after a change; one that does not fit the subject changes nothing."""
    at, order, cart = change.became_true_at, facts.order, facts.cart
    match change.kind:
        case ChangeKind.PAID if order is not None:
            order = order._replace(paid_at=at, paid_learnt_at=change.at, total_due=Decimal(0))
        case ChangeKind.CANCELLED if order is not None:
            order = order._replace(cancelled_at=at, cancelled_learnt_at=change.at, status="cancelled")
        case ChangeKind.DUE if order is not None and change.amount is not None:
            order = order._replace(total_due=change.amount)
        case ChangeKind.STATUS if order is not None:
            order = order._replace(status=change.status)
        case ChangeKind.FAILED | ChangeKind.OTHERWISE if order is not None:
            order = order._replace(cause=change.cause)
        case ChangeKind.SWAPPED if order is not None:
            swap = Swap(at, change.at, order.products)
            order, facts = (
                order._replace(products=change.products),
                facts._replace(swaps=(*facts.swaps, swap)),
            )
        case ChangeKind.CART_ACTIVITY if cart is not None:
            cart = cart._replace(last_activity_at=max(at, cart.last_activity_at), emptied_at=None)
        case ChangeKind.CONVERTED if cart is not None:
            cart = cart._replace(converted_at=at)
        case ChangeKind.EMPTIED if cart is not None:
            cart = cart._replace(emptied_at=at)
        case _:
            return _apply_rest(facts, change)
    return facts._replace(order=order, cart=cart)


def _apply_rest(facts: Facts, change: Change) -> Facts:
    match change.kind:
        case ChangeKind.SUPERSEDED:
            return facts._replace(superseded_at=change.became_true_at)
        case ChangeKind.CASE_CLOSED:
            return facts._replace(case_closed_at=change.became_true_at)
    return _apply_hold(facts, change)


def _apply_hold(facts: Facts, change: Change) -> Facts:
    match change.kind:
        case ChangeKind.PROMISED:
            return facts._replace(promised_at=change.until)
        case ChangeKind.CLAIMED:
            return facts._replace(claimed_until=change.until)
        case ChangeKind.HELD:
            return facts._replace(held_since=change.became_true_at)
        case ChangeKind.RELEASED:
            return facts._replace(held_since=None)
    return facts


WAKES = {
    ChangeKind.PAID: Wake.PAID,
    ChangeKind.CANCELLED: Wake.CANCELLED,
    ChangeKind.SUPERSEDED: Wake.SUPERSEDED,
    ChangeKind.CASE_CLOSED: Wake.CASE_CLOSED,
    ChangeKind.CART_ACTIVITY: Wake.CART_CHANGED,
    ChangeKind.CONVERTED: Wake.CART_CONVERTED,
    ChangeKind.EMPTIED: Wake.CART_EMPTIED,
    ChangeKind.PROMISED: Wake.HOLD_CHANGED,
    ChangeKind.CLAIMED: Wake.HOLD_CHANGED,
    ChangeKind.HELD: Wake.HOLD_CHANGED,
    ChangeKind.RELEASED: Wake.HOLD_CHANGED,
    ChangeKind.DUE: Wake.ORDER_CHANGED,
    ChangeKind.STATUS: Wake.ORDER_CHANGED,
    ChangeKind.FAILED: Wake.PAYMENT_FAILED,
    ChangeKind.OTHERWISE: Wake.ORDER_CHANGED,
    ChangeKind.SWAPPED: Wake.ORDER_CHANGED,
}


def refusal(facts: Facts) -> Code | None:
    """Return why a reminder about a subject may not go out any more, as the sender's last look finds it."""
    order, cart = facts.order, facts.cart
    reasons = (
        (Code.SKIPPED_PAID, order is not None and (order.paid_at is not None or order.total_due <= 0)),
        (Code.SKIPPED_CANCELLED, order is not None and order.cancelled_at is not None),
        (Code.SKIPPED_CONVERTED, cart is not None and cart.converted_at is not None),
        (Code.SKIPPED_EMPTIED, cart is not None and cart.emptied_at is not None),
        (Code.SKIPPED_SUPERSEDED, facts.superseded_at is not None),
    )
    return next((code for code, is_so in reasons if is_so), None)
