"""What a person does with an order at the desk: take it to work, give it back, call it a duplicate, note something (E8).

Each writes a line that says who did it. What rests the reminders by itself (a promise, a pause) stands in `holds`.
"""

from datetime import datetime, timedelta

from django.db import transaction

from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.customers.actions import touch_gates
from recoup.orders.events import OrderChanged
from recoup.orders.models import Order, OrderNote
from recoup.orders.pointless import hand_on_notes
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES
from recoup.orders.status import OrderChangedMeanwhile, change_status, return_from_work

LONGEST_NOTE = 4000


class OrderClaimed(Exception):
    """Somebody else is working on the order; nothing was changed. `clerk_id` says who."""

    def __init__(self, clerk_id: int) -> None:
        super().__init__(clerk_id)
        self.clerk_id = clerk_id


class NotADuplicate(Exception):
    """The two orders are not of one person, or the one that is kept is itself no living order."""


def is_claimed(order: Order, now: datetime) -> bool:
    """Tell whether somebody is working on an order; a claim ends by itself after the shop's hours."""
    return order.claimed_by is not None and order.claimed_until is not None and order.claimed_until > now


def claim_order(order: Order, *, actor: Actor, now: datetime, expected_version: int | None = None) -> Order:
    """Take an order to work: it is In work, others see by whom, and its reminders rest until it is released (E8).

    The claim ends after the shop's `claim_hours`. Taking one's own order again starts the hours anew. Of two who take
    it at the same moment, one wins. Announces `OrderChanged`.

    :raises OrderClaimed: if somebody else is working on it.
    :raises OrderChangedMeanwhile: if it was changed since the person saw it.
    :raises MoveNotAllowed: if it cannot be In work: it is paid.
    """
    with transaction.atomic():
        order = _locked(order)
        if is_claimed(order, now) and order.claimed_by is not None and order.claimed_by != actor.id:
            raise OrderClaimed(order.claimed_by)
        if expected_version is not None and order.lock_version != expected_version:
            raise OrderChangedMeanwhile(order)
        order = change_status(order, Order.Status.IN_WORK, actor=actor, now=now)
        order.claimed_by, order.claimed_until = actor.id, now + timedelta(hours=order.shop.claim_hours)
        _save(order, "orders.order.claimed", ["claimed_by", "claimed_until"], actor=actor, now=now)
    return order


def release_order(order: Order, *, actor: Actor, now: datetime) -> Order:
    """Give an order back: nobody works on it, it is what it was before, and its reminders go on.

    Anybody at the desk may release an order of a colleague who has gone home; the line says who did. An order that nobody
    has taken is left as it is. Announces `OrderChanged`.
    """
    with transaction.atomic():
        order = _locked(order)
        if order.claimed_by is None:
            return order
        order.claimed_by = order.claimed_until = None
        if order.status == Order.Status.IN_WORK and order.payment_state in OWED_STATES:
            return_from_work(order, actor=actor, now=now)
        _save(order, "orders.order.released", ["claimed_by", "claimed_until"], actor=actor, now=now)
    return order


def mark_duplicate(order: Order, kept: Order, *, actor: Actor, now: datetime) -> Order:
    """Mark an order False because another order of the same person is kept instead of it (F3, F4).

    It leaves the lists and the numbers, its reminders stop, and a payment on it brings it back. What was noted about it is
    noted about the other one too. Announces `OrderCancelled`.

    :raises NotADuplicate: if they are not two orders of one person, or the other one is False or Cancelled.
    :raises MoveNotAllowed: if money was paid for it.
    """
    ended = {Order.Status.FALSE, Order.Status.CANCELLED}
    if (
        order.pk == kept.pk
        or order.contact_id is None
        or (order.shop_id, order.contact_id) != (kept.shop_id, kept.contact_id)
        or kept.status in ended
    ):
        raise NotADuplicate
    with transaction.atomic():
        order = change_status(order, Order.Status.FALSE, actor=actor, now=now, reason="duplicate")
        order.duplicate_of = kept
        order.save(update_fields=["duplicate_of"])
        hand_on_notes([order.pk])
    return order


def add_note(order: Order, text: str, *, author_id: int, now: datetime) -> OrderNote | None:
    """Note something for colleagues; an empty text is no note."""
    text = text.strip()[:LONGEST_NOTE]
    if not text:
        return None
    note = OrderNote(shop_id=order.shop_id, order=order, text=text, author_id=author_id, at=now)
    note.save(force_insert=True)
    return note


def _locked(order: Order) -> Order:
    """Lock the buyer's gate, then the order: what the sender locks, in its order."""
    if order.contact_id:
        touch_gates([order.contact_id])
    return Order.objects.select_for_update(no_key=True).get(pk=order.pk)


def _save(order: Order, verb: str, columns: list[str], *, actor: Actor, now: datetime) -> None:
    order.lock_version += 1
    order.save(update_fields=[*columns, "lock_version"])
    activity.record(verb, shop_id=order.shop_id, subject=("order", order.pk), at=now, actor=actor)
    outbox.announce(OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=now))


def is_workable(order: Order) -> bool:
    """Tell whether there is anything to do about an order at the desk."""
    return order.status in OPEN_STATUSES and order.payment_state in OWED_STATES
