"""What rests the reminders of an order: the buyer's promise to pay, and a person who holds them (E12)."""

from datetime import datetime, timedelta

from django.db import transaction

from recoup.core import activity, outbox
from recoup.core.activity import Actor
from recoup.customers.actions import touch_gates
from recoup.orders.events import OrderChanged
from recoup.orders.models import Order
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES

LONGEST_PROMISE = timedelta(days=60)


class HoldRefused(Exception):
    """Nothing was changed; `reason` is a code: `not_owed`, `in_the_past`, `too_late`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def promise_payment(order: Order, until: datetime, *, actor: Actor, now: datetime) -> Order:
    """Rest the reminders of an order until the instant at which its buyer wants to pay; then the next step goes on.

    A newer promise replaces the older one. Announces `OrderChanged`.

    :raises HoldRefused: if nothing is owed, or the instant is past or further away than 60 days.
    """
    if until <= now:
        raise HoldRefused("in_the_past")
    if until > now + LONGEST_PROMISE:
        raise HoldRefused("too_late")
    return _change(order, "orders.order.payment_promised", actor=actor, now=now, promised_at=until)


def pause_reminders(order: Order, *, actor: Actor, now: datetime, why: str = "") -> Order:
    """Hold the reminders of an order until somebody lets them go on. Twice is the same as once.

    :raises HoldRefused: if nothing is owed.
    """
    if order.paused_at is not None:
        return order
    return _change(order, "orders.order.reminders_paused", actor=actor, now=now, why=why, paused_at=now)


def resume_reminders(order: Order, *, actor: Actor, now: datetime) -> Order:
    """Let the reminders of an order go on; a promise ends too.

    :raises HoldRefused: if nothing is owed.
    """
    return _change(
        order, "orders.order.reminders_resumed", actor=actor, now=now, paused_at=None, promised_at=None
    )


def _change(
    order: Order, verb: str, *, actor: Actor, now: datetime, why: str = "", **columns: datetime | None
) -> Order:
    """Write columns of an order: the buyer's gate first, then the row that the sender locks."""
    with transaction.atomic():
        if order.contact_id:
            touch_gates([order.contact_id])
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if order.status not in OPEN_STATUSES or order.payment_state not in OWED_STATES:
            raise HoldRefused("not_owed")
        for name, value in columns.items():
            setattr(order, name, value)
        order.lock_version += 1
        order.save(update_fields=[*columns, "lock_version"])
        details = {name: value.isoformat() for name, value in columns.items() if value}
        activity.record(
            verb,
            shop_id=order.shop_id,
            subject=("order", order.pk),
            at=now,
            actor=actor,
            **details,
            **({"why": why} if why else {}),
        )
        outbox.announce(OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=now))
    return order
