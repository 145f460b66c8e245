"""The status of an order: a state machine worked by people, processes and sources (E3-E16, design rule 4).

`MOVES` says what a person may choose. The system alone sets Unpaid (from New) and Completed (when captured >= total).
Every move leaves one line that is never changed. The matrix with the payment state stands in `docs/order-states.md`.
"""

from datetime import datetime

from django.db import transaction

from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.customers.actions import touch_gates
from recoup.orders.events import OrderCancelled, OrderChanged
from recoup.orders.models import Order, OrderFact, StatusChange
from recoup.orders.queries import PAID_STATES, check_instant

Status = Order.Status

_OPEN = (Status.IN_WORK, Status.NOT_CONFIRMED, Status.AWAITING_PAYMENT)
MOVES: dict[str, tuple[str, ...]] = {
    Status.NEW: (*_OPEN, Status.CANCELLED, Status.FALSE),
    Status.IN_WORK: (
        Status.NEW,
        Status.NOT_CONFIRMED,
        Status.AWAITING_PAYMENT,
        Status.CANCELLED,
        Status.FALSE,
    ),
    Status.NOT_CONFIRMED: (Status.IN_WORK, Status.AWAITING_PAYMENT, Status.CANCELLED, Status.FALSE),
    Status.AWAITING_PAYMENT: (Status.IN_WORK, Status.NOT_CONFIRMED, Status.CANCELLED, Status.FALSE),
    Status.UNPAID: (*_OPEN, Status.CANCELLED, Status.FALSE),
    Status.COMPLETED: (Status.IN_WORK, Status.CANCELLED),
    Status.CANCELLED: (Status.IN_WORK, Status.FALSE),
    Status.FALSE: (Status.NEW, Status.IN_WORK),
}


class MoveNotAllowed(Exception):
    """The status cannot be changed so; the text says why. A door answers 409."""


class OrderChangedMeanwhile(Exception):
    """Somebody else changed the order since it was opened; nothing was overwritten (E5). Holds the present order."""

    def __init__(self, order: Order) -> None:
        super().__init__(order.pk)
        self.order = order


def allowed_moves(order: Order) -> tuple[str, ...]:
    """Return the statuses that a person may choose now."""
    return tuple(to for to in MOVES[order.status] if not _refusal(order, to))


def _refusal(order: Order, to: str) -> str:
    is_paid = order.payment_state in PAID_STATES
    if to not in MOVES[order.status]:
        return "no_such_move"
    if order.status == Status.COMPLETED and (
        is_paid or order.payment_state == Order.PaymentState.NOTHING_DUE
    ):
        return "refund_first"
    if to == Status.FALSE and order.captured > order.refunded:
        return "paid_is_never_false"
    return ""


def change_status(
    order: Order,
    to: str,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    expected_version: int | None = None,
) -> Order:
    """Move an order to another status, by a person or a process.

    Cancelling needs a reason (E11), stops the reminders and announces `OrderCancelled`, as does False; any other
    move announces `OrderChanged`. Moving back out of Cancelled or False starts the waiting anew.

    :param expected_version: `lock_version` as the person saw it.
    :raises OrderChangedMeanwhile: if it was changed since.
    :raises MoveNotAllowed: if the move is not in `MOVES`, or money forbids it, or the reason is missing.
    """
    with transaction.atomic():
        if order.contact_id:
            touch_gates([order.contact_id])
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if expected_version is not None and order.lock_version != expected_version:
            raise OrderChangedMeanwhile(order)
        if order.status == to:
            return order
        if refusal := _refusal(order, to):
            raise MoveNotAllowed(refusal)
        if to == Status.CANCELLED and not reason.strip():
            raise MoveNotAllowed("reason_missing")
        _move(order, to, actor=actor, now=now, reason=reason)
        _after_move(order, to, actor=actor, now=now, reason=reason)
        return order


def _after_move(order: Order, to: str, *, actor: Actor, now: datetime, reason: str) -> None:
    if to == Status.CANCELLED:
        order.cancelled_at, order.cancel_reason = now, reason
    elif order.cancelled_at is not None:
        order.cancelled_at, order.cancel_reason = None, ""
    if to not in {Status.CANCELLED, Status.FALSE}:  # taken back: another order is no reason any more
        order.duplicate_of, order.superseded_by, order.superseded_at = None, None, None
    if to == Status.NEW:
        _begin_anew(order)
    order.claimed_by = actor.id if to == Status.IN_WORK and actor.kind == "person" else order.claimed_by
    order.check_at = (
        check_instant(order, order.shop, live_since=order.source.live_since)
        if to not in {Status.CANCELLED, Status.FALSE}
        else None
    )
    order.save(
        update_fields=[
            "cancelled_at",
            "cancel_reason",
            "duplicate_of",
            "superseded_by",
            "superseded_at",
            "unpaid_at",
            "claimed_by",
            "claimed_until",
            "check_at",
        ]
    )
    ends = to in {Status.CANCELLED, Status.FALSE}
    if ends:
        OrderFact.objects.create(
            shop_id=order.shop_id,
            order=order,
            kind="cancelled" if to == Status.CANCELLED else "false",
            details={"reason": reason},
            became_true_at=now,
            learnt_at=now,
        )
    news = OrderCancelled if ends else OrderChanged
    outbox.announce(news(shop_id=order.shop_id, order_id=order.pk, at=now))


def _begin_anew(order: Order) -> None:
    """Let an order that is New again be looked at again: nobody works on it, and it is not known as unpaid."""
    order.unpaid_at = order.claimed_by = order.claimed_until = None


def _move(order: Order, to: str, *, actor: Actor, now: datetime, reason: str) -> None:
    was, order.status = order.status, to
    order.lock_version += 1
    order.save(update_fields=["status", "lock_version"])
    StatusChange.objects.create(
        shop_id=order.shop_id,
        order=order,
        from_status=was,
        to_status=to,
        reason=reason,
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=now,
    )
    activity.record(
        "orders.order.status_changed",
        shop_id=order.shop_id,
        subject=("order", order.pk),
        at=now,
        actor=actor,
        was=was,
        to=to,
        reason=reason,
    )


def note_first(order: Order, *, now: datetime) -> None:
    """Write the first line of an order's history: New, or Completed when there is nothing to pay."""
    StatusChange.objects.create(
        shop_id=order.shop_id,
        order=order,
        to_status=order.status,
        reason="nothing_due" if order.status == Status.COMPLETED else "",
        actor_kind="source",
        actor_id=order.source_id,
        at=now,
    )


def complete_paid(order: Order, *, now: datetime) -> None:
    """Move a locked, fully paid order to Completed (E13).

    From False too: a payment on a dropped duplicate brings it back (F3). A cancelled order keeps its word.
    """
    if order.status not in {Status.COMPLETED, Status.CANCELLED}:
        _move(order, Status.COMPLETED, actor=activity.SYSTEM, now=now, reason="paid")


def complete_free(order: Order, *, now: datetime) -> None:
    """Move a locked order to Completed because it costs nothing any more; what was ended keeps its word."""
    if order.status not in {Status.COMPLETED, Status.CANCELLED, Status.FALSE}:
        _move(order, Status.COMPLETED, actor=activity.SYSTEM, now=now, reason="nothing_due")


def reopen_priced(order: Order, *, now: datetime) -> None:
    """Move a locked order that was Completed for costing nothing back to New: there is something to pay now."""
    if order.status == Status.COMPLETED:
        _begin_anew(order)
        _move(order, Status.NEW, actor=activity.SYSTEM, now=now, reason="due_now")


def return_from_work(order: Order, *, actor: Actor, now: datetime) -> None:
    """Move a locked order that was In work back to what it is by itself: Unpaid once it was marked so, New before."""
    to = Status.UNPAID if order.unpaid_at is not None else Status.NEW
    _move(order, to, actor=actor, now=now, reason="released")


def bring_back(order: Order, to: str, *, actor: Actor, now: datetime) -> None:
    """Make a locked order that was dropped as a duplicate again what it was; whoever had taken it has it still."""
    _move(order, to, actor=actor, now=now, reason="undone")
    order.duplicate_of = None
    order.check_at = check_instant(order, order.shop, live_since=order.source.live_since)
    order.save(update_fields=["duplicate_of", "check_at"])
    outbox.announce(OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=now))


def follow_cancellation(order: Order, *, now: datetime) -> None:
    """Move a locked order to Cancelled because its source says so. A False one stays out of the lists and numbers (E10)."""
    if order.status not in {Status.CANCELLED, Status.FALSE}:
        _move(
            order,
            Status.CANCELLED,
            actor=Actor("source", order.source_id),
            now=now,
            reason=order.cancel_reason,
        )


def reopen_from_source(order: Order, *, at: datetime, now: datetime) -> None:
    """Take a cancellation by the source back: the source shows the order alive again."""
    order.cancelled_at, order.cancel_reason = None, ""
    to = Status.COMPLETED if order.payment_state in PAID_STATES else Status.NEW
    if order.status == Status.CANCELLED and to == Status.NEW:
        _begin_anew(order)
    order.save(update_fields=["cancelled_at", "cancel_reason", "unpaid_at", "claimed_by", "claimed_until"])
    if order.status == Status.CANCELLED:
        _move(order, to, actor=Actor("source", order.source_id), now=now, reason="reopened at source")
    OrderFact.objects.create(
        shop_id=order.shop_id, order=order, kind="reopened", details={}, became_true_at=at, learnt_at=now
    )
    outbox.announce(OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=at))
