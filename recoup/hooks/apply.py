"""Applying what was kept: each item in a transaction of its own, so that a bad one never blocks the rest (R7).

The item's end and its effect commit together: it acts exactly once, however often it is tried or came.
"""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.db import OperationalError, connection, transaction
from django_scopes import scope, scopes_disabled

from recoup.catalog.actions import record_product
from recoup.catalog.deliveries import record_delivery_option
from recoup.core import inbox
from recoup.core.clock import trade_now
from recoup.core.locks import set_lock_timeout
from recoup.core.models import InboxItem
from recoup.hooks.drain import drain_spool
from recoup.hooks.operators import apply_operator_item
from recoup.orders.actions import CurrencyChanged, record_deletion
from recoup.orders.carts import record_cart
from recoup.orders.queries import OrderUnknown
from recoup.payments.actions import apply_order_payment, apply_order_snapshot
from recoup.shops.adapters import platform
from recoup.shops.instants import not_ahead, told_instants
from recoup.shops.models import Source
from recoup.shops.ports import BodyQuarantined, Reading
from recoup.shops.snapshots import (
    CartSnapshot,
    DeliveryOptionSnapshot,
    OrderDeleted,
    OrderPaymentSnapshot,
    OrderSnapshot,
    ProductSnapshot,
    Snapshot,
)

log = structlog.get_logger(__name__)

PATIENCE = (
    3000  # milliseconds that a payment waits for the hand-over it meets (design 6); then it is tried again
)
BUSY_PAUSE = timedelta(seconds=2)
MOST_TRIES = 3  # of what fails for no reason that we know (R7)
FAILURE_PAUSES = (timedelta(seconds=10), timedelta(minutes=1))
LONGEST_WAIT = timedelta(hours=24)  # for the order that an item names (T23)
FIRST_WAIT, LAST_WAIT = timedelta(seconds=15), timedelta(minutes=30)
FUTURE = timedelta(days=1)  # a version later than this was not written by a clock (T24)
HISTORY = "x-recoup-history"  # our own mark on rows of a backfill that are kept: tried again, they are still history


class Outcome(StrEnum):
    """What became of an item."""

    APPLIED = "applied"
    UNUSED = "unused"
    QUARANTINED = "quarantined"
    POSTPONED = "postponed"
    TAKEN = "taken"  # by another worker, or done before


class _Waits(Exception):
    """The item names an order that has not come yet."""

    def __init__(self, ref: str, *, is_deletion: bool) -> None:
        super().__init__(ref)
        self.ref = ref
        self.is_deletion = is_deletion


def apply_waiting(limit: int = 200, *, now: datetime | None = None) -> int:
    """Apply up to `limit` items that wait, of all shops, and return how many were worked on. The worker's loop.

    Takes in first what the spool of this machine holds. Any number of workers may run this at once.
    """
    drain_spool()
    now = now or trade_now()
    done = 0
    for item_id, source_kind in inbox.waiting(now=now, limit=limit):
        if source_kind == inbox.OPERATOR:
            with scopes_disabled():
                done += bool(apply_operator_item(item_id, now=now))
        else:
            done += apply_item(item_id, now=now) is not Outcome.TAKEN
    return done


def apply_item(item_id: int, *, now: datetime) -> Outcome:
    """Apply one kept call of a shop and say what became of it.

    What it says counts as learnt when it came. It waits for an order it names, is quarantined when it cannot be used, and is
    tried three times when something unforeseen fails. A lost database connection raises and leaves it as it was.
    """
    try:
        with transaction.atomic():
            set_lock_timeout(PATIENCE)
            item = inbox.take(item_id)
            return Outcome.TAKEN if item is None else _apply(item, now)
    except OperationalError as error:
        if not connection.is_usable():
            raise
        inbox.postpone(item_id, until=now + BUSY_PAUSE, reason=f"busy: {type(error.__cause__).__name__}")
        return Outcome.POSTPONED
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not block the rest
        return _failed(item_id, error, now)


def _apply(item: InboxItem, now: datetime) -> Outcome:
    with scopes_disabled():
        # Its secrets stay encrypted: nothing here needs them.
        source = (
            Source.objects.select_related("shop")
            .defer("secret", "previous_secret", "credentials")
            .get(pk=item.source_id)
        )
    is_history = HISTORY in item.headers
    try:
        reading = _read(source, item)
        with transaction.atomic(), scope(shop=source.shop):
            for snapshot in reading.snapshots:
                refuse_future(snapshot, item.received_at)
                _apply_waitable(source, snapshot, item.received_at, is_backfill=is_history)
    except BodyQuarantined as reason:
        inbox.quarantine(item, reason=str(reason), source_name=source.name, now=now)
        return Outcome.QUARANTINED
    except CurrencyChanged as change:
        inbox.quarantine(item, reason=f"currency_changed: {change}", source_name=source.name, now=now)
        return Outcome.QUARANTINED
    except _Waits as waits:
        return _wait(item, source, waits, now)
    state = InboxItem.State.APPLIED if reading.snapshots else InboxItem.State.UNUSED
    inbox.finish(item.pk, state, now=now, reason=reading.unused)
    _note_news(source, item.received_at)
    return Outcome(state.value)


def _read(source: Source, item: InboxItem) -> Reading:
    return platform(source.kind).read(source, bytes(item.raw), item.headers, received_at=item.received_at)


def refuse_future(snapshot: Snapshot, received_at: datetime) -> None:
    """Refuse a snapshot of which any part lies further ahead than a clock may go wrong (T24).

    :raises BodyQuarantined: naming the field.
    """
    for name, told in told_instants(snapshot):
        if told > received_at + FUTURE:
            raise BodyQuarantined("in_the_future", f"{name}: {told:%Y-%m-%d %H:%M} UTC")


def _apply_waitable(source: Source, snapshot: Snapshot, now: datetime, *, is_backfill: bool) -> None:
    try:
        apply_snapshot(source, snapshot, now=now, is_backfill=is_backfill)
    except OrderUnknown as unknown:
        ref = snapshot.ref if isinstance(snapshot, OrderDeleted) else getattr(snapshot, "order_ref", "")
        raise _Waits(ref, is_deletion=isinstance(snapshot, OrderDeleted)) from unknown


def apply_snapshot(
    source: Source, snapshot: Snapshot, *, now: datetime, is_backfill: bool = False, is_fetched: bool = False
) -> None:
    """Hand a snapshot to the part that records it; `now` is when we learnt it. Runs in the shop's scope.

    An order that was placed since its source was connected is no history, even if a page of history brings it first: its
    webhook may be late or lost. What is dated ahead of our clock became true now. What waited for an order is woken by it.

    :param is_fetched: we asked the source for it just now.
    :raises OrderUnknown: if it names an order that has not come yet.
    """
    snapshot = not_ahead(snapshot, now)
    match snapshot:
        case OrderSnapshot():
            is_history = is_backfill and snapshot.placed_at < source.live_since
            apply_order_snapshot(source, snapshot, now=now, is_backfill=is_history, is_fetched=is_fetched)
            inbox.wake(source.pk, ref=snapshot.ref)
        case OrderPaymentSnapshot():
            apply_order_payment(source, snapshot, now=now)
            inbox.wake(source.pk, ref=snapshot.order_ref)
        case OrderDeleted():
            if record_deletion(source, snapshot, now=now) is None:
                raise OrderUnknown(snapshot.ref)
        case CartSnapshot():
            record_cart(source, snapshot, now=now, is_backfill=is_backfill)
        case ProductSnapshot():
            record_product(source, snapshot, now=now)
        case DeliveryOptionSnapshot():
            record_delivery_option(source, snapshot, now=now)


def _wait(item: InboxItem, source: Source, waits: _Waits, now: datetime) -> Outcome:
    age = now - item.received_at
    if age < LONGEST_WAIT:
        pause = min(max(FIRST_WAIT, age / 2), LAST_WAIT)
        inbox.postpone(item.pk, until=now + pause, reason=f"order_unknown: {waits.ref}", waits_for=waits.ref)
        return Outcome.POSTPONED
    if waits.is_deletion:  # it was deleted before we were connected: nothing is missing
        inbox.finish(item.pk, InboxItem.State.UNUSED, now=now, reason=f"order_unknown: {waits.ref}")
        return Outcome.UNUSED
    inbox.quarantine(item, reason=f"order_unknown: {waits.ref}", source_name=source.name, now=now)
    return Outcome.QUARANTINED


def _failed(item_id: int, error: Exception, now: datetime) -> Outcome:
    number = secrets.token_hex(4)
    log.error("hooks.apply.failed", item_id=item_id, number=number, error=repr(error), exc_info=True)
    with transaction.atomic():
        item = inbox.take(item_id)
        if item is None:
            return Outcome.TAKEN
        reason = f"unexpected: {number}"
        if item.tries + 1 < MOST_TRIES:
            pause = FAILURE_PAUSES[item.tries]
            inbox.postpone(item_id, until=now + pause, reason=reason, has_failed=True)
            return Outcome.POSTPONED
        with scopes_disabled():
            name = Source.objects.filter(pk=item.source_id).values_list("name", flat=True).first() or ""
        inbox.quarantine(item, reason=reason, source_name=name, now=now)
        return Outcome.QUARANTINED


def _note_news(source: Source, at: datetime) -> None:
    """Remember when a source was last heard, to the minute: one row of a busy shop is not fought over."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shops_source SET last_news_at = %s WHERE id = %s"
            " AND (last_news_at IS NULL OR last_news_at < %s - interval '1 minute')",
            [at, source.pk, at],
        )
