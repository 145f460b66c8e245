"""Several unpaid orders of one person for the same products: the one that is kept, many groups at once, and back (F3).

The sweep keeps the newest by itself (`recovery.detection`); here is what it leaves to a person: orders that somebody holds
or has promised to pay, those that came by a file or are still waited for, and those whose status nobody knows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection, transaction

from recoup.core.activity import Actor
from recoup.customers.actions import touch_gates
from recoup.orders.desk import NotADuplicate, is_claimed, mark_duplicate
from recoup.orders.models import Order, TwinsKept
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES, PAID_STATES
from recoup.orders.status import bring_back
from recoup.shops.models import Shop
from recoup.shops.snapshots import ShopState

PAGE = 50
_LOOKS_BACK = timedelta(days=90)  # as `siblings.is_paid_since`: who orders again later wants it again
_UNDONE_WITHIN = timedelta(days=1)
_Payment = Order.PaymentState
_MONEY = frozenset({_Payment.PARTLY_PAID.value, _Payment.AUTHORIZED.value})
_LIVE = frozenset({*OWED_STATES, *_MONEY})


class Why(StrEnum):
    """Why an order is kept and not another of its group; the strongest first."""

    MONEY = "money"  # a part of it was paid, or its money is reserved
    CLAIMED = "claimed"  # a colleague works on it
    PROMISED = "promised"  # its buyer has promised to pay
    READABLE = "readable"  # it can be reminded of: it came by no file, and Recoup knows its status
    NEWEST = "newest"


class Left(StrEnum):
    """Why an order of a group was left as it is."""

    ENDED = "ended"
    OTHER = "other"
    MONEY = "money"
    CLAIMED = "claimed"
    PAID_MEANWHILE = "paid_meanwhile"
    KEPT_PAID = "kept_paid"


@dataclass(frozen=True, slots=True)
class Group:
    """Orders of one person for the same products, newest first; which of them is kept, and why."""

    orders: Sequence[Order]
    kept: Order
    why: Why

    @property
    def last_id(self) -> int:
        """By which groups are sorted."""
        return max(order.pk for order in self.orders)


@dataclass(slots=True)
class Done:
    """What became of the orders of a group."""

    kept: Order
    dropped: list[Order] = field(default_factory=list)
    left: list[tuple[Order, Left]] = field(default_factory=list)


# As `siblings._is_same_set`: the same set of products of one source, or the same sum where no products were told.
_GOODS = """CASE WHEN o.product_refs = '{}' THEN ARRAY[o.total::text, o.currency]
    ELSE o.source_id::text || ARRAY(SELECT DISTINCT held FROM unnest(o.product_refs) AS held ORDER BY held) END"""
_IS_LIVE = """o.shop_id = %(shop)s AND o.status = ANY(%(open)s) AND o.placed_at > %(since)s
  AND o.payment_state = ANY(%(live)s) AND NOT o.is_test AND o.total > 0 AND o.contact_id IS NOT NULL
  AND o.duplicate_of_id IS NULL AND o.superseded_by_id IS NULL
  AND (%(of)s::bigint[] IS NULL OR o.contact_id = ANY(ARRAY(
      SELECT named.contact_id FROM orders_order named
      WHERE named.shop_id = %(shop)s AND named.id = ANY(%(of)s::bigint[]))))"""
# Most people have one such order: what it holds is not looked at.
_GROUPS = f"""
WITH several AS MATERIALIZED (
    SELECT o.contact_id FROM orders_order o WHERE {_IS_LIVE} GROUP BY o.contact_id HAVING count(*) > 1
)
SELECT array_agg(o.id ORDER BY o.placed_at DESC, o.id DESC)
FROM several JOIN orders_order o ON o.contact_id = several.contact_id
WHERE {_IS_LIVE}
GROUP BY o.contact_id, {_GOODS}
HAVING count(*) > 1 AND count(*) > count(*) FILTER (WHERE o.payment_state = ANY(%(money)s))
  AND (%(before)s::bigint IS NULL OR max(o.id) < %(before)s)
  AND (%(of)s::bigint[] IS NULL OR array_agg(o.id) && %(of)s::bigint[])
ORDER BY max(o.id) DESC LIMIT %(most)s
"""  # noqa: S608 - names and columns of ours


def find_groups(
    shop: Shop, *, now: datetime, before: int | None = None, of: Sequence[int] | None = None
) -> tuple[list[Group], int | None]:
    """Return a page of groups, the newest first, and where the next page begins.

    :param of: only groups that hold one of these orders.
    """
    with connection.cursor() as cursor:
        values: dict[str, Any] = {
            "shop": shop.pk,
            "open": sorted(OPEN_STATUSES),
            "live": sorted(_LIVE),
            "money": sorted(_MONEY),
            "since": now - _LOOKS_BACK,
            "before": before,
            "of": list(of) if of is not None else None,
            "most": PAGE + 1,
        }
        cursor.execute(_GROUPS, values)
        rows = [row[0] for row in cursor.fetchall()]
    known = Order.objects.filter(shop=shop).select_related("contact")
    found = known.in_bulk([key for row in rows[:PAGE] for key in row])
    groups = [_group([found[key] for key in row if key in found], now) for row in rows[:PAGE]]
    return groups, groups[-1].last_id if len(rows) > PAGE else None


def _group(orders: Sequence[Order], now: datetime) -> Group:
    for why in Why:
        having = [order for order in orders if _has(order, why, now)]
        if having and (why in {Why.MONEY, Why.NEWEST} or len(having) < len(orders)):
            return Group(orders, having[0], why)
    return Group(orders, orders[0], Why.NEWEST)


def _has(order: Order, why: Why, now: datetime) -> bool:
    match why:
        case Why.MONEY:
            return order.payment_state in _MONEY
        case Why.CLAIMED:
            return is_claimed(order, now)
        case Why.PROMISED:
            return order.promised_at is not None and order.promised_at > now
        case Why.READABLE:
            return order.shop_state != ShopState.UNKNOWN and not order.is_backfill
    return True


def keep_one(run: TwinsKept, kept_id: int, order_ids: Sequence[int], *, actor: Actor, now: datetime) -> Done:
    """Keep one order of a group and mark the others False as its duplicates; their notes go along (F3).

    Everything is looked at again under the locks of the sender and of payments: an order that was paid meanwhile, for which
    money came, on which a colleague works, or that is no twin at all, is left as it is. A payment that comes afterwards
    brings its order back and supersedes the one that was kept.

    :raises NotADuplicate: if the order that was to be kept is none any more that could be.
    """
    with transaction.atomic():
        seen = Order.objects.filter(shop_id=run.shop_id, pk=kept_id).first()
        if seen is None or seen.contact_id is None:
            raise NotADuplicate
        touch_gates([seen.contact_id])
        wanted = sorted({kept_id, *order_ids})
        locked = Order.objects.select_for_update(no_key=True, of=("self",)).filter(
            shop_id=run.shop_id, pk__in=wanted
        )
        orders = {order.pk: order for order in locked.order_by("pk")}
        kept = orders.pop(kept_id, None)
        if kept is None or not _is_live(kept):
            raise NotADuplicate
        done, dropped = Done(kept), list(run.dropped)
        for order in orders.values():
            reason = _reason_to_leave(order, kept, actor, now)
            if reason is not None:
                done.left.append((order, reason))
                continue
            dropped.append([order.pk, kept.pk, order.status])
            mark_duplicate(order, kept, actor=actor, now=now)
            done.dropped.append(order)
        TwinsKept.objects.filter(pk=run.pk).update(dropped=dropped)
    run.dropped = dropped
    return done


def _is_live(order: Order) -> bool:
    return (
        order.status in OPEN_STATUSES
        and order.payment_state in _LIVE
        and order.duplicate_of_id is None
        and order.superseded_by_id is None
    )


def _reason_to_leave(order: Order, kept: Order, actor: Actor, now: datetime) -> Left | None:
    if order.contact_id != kept.contact_id or not _is_same_set(order, kept):
        return Left.OTHER
    if order.payment_state in PAID_STATES:
        return Left.PAID_MEANWHILE
    if not _is_live(order):
        return Left.ENDED
    if _has_money(order):
        return Left.MONEY
    return Left.CLAIMED if is_claimed(order, now) and order.claimed_by != actor.id else None


def _has_money(order: Order) -> bool:
    return order.payment_state in _MONEY or order.captured > order.refunded


def _is_same_set(order: Order, other: Order) -> bool:
    if order.product_refs or other.product_refs:
        return order.source_id == other.source_id and set(order.product_refs) == set(other.product_refs)
    return (order.total, order.currency) == (other.total, other.currency)


def begin(shop: Shop, *, actor: Actor, now: datetime) -> TwinsKept:
    """Begin to keep one of each of several groups, so that it can be undone."""
    return TwinsKept.objects.create(shop=shop, made_by=actor.id, made_at=now, dropped=[])


def last_run(shop: Shop, *, now: datetime) -> TwinsKept | None:
    """Return what was done last and can be undone still."""
    run = TwinsKept.objects.filter(shop=shop, made_at__gt=now - _UNDONE_WITHIN).exclude(dropped=[]).last()
    return run if run is not None and run.undone_at is None else None


def undo(run: TwinsKept, *, actor: Actor, now: datetime) -> tuple[int, list[tuple[Order, Left]]]:
    """Make the orders of a run again what they were; return how many, and which were left as they are.

    Left is what has changed since: paid, taken up or ended in another way, or dropped for an order that has money by now.
    Notes that went to the order that is kept stay there. Undoing twice, or after a day, does nothing.
    """
    if run.undone_at is not None or run.made_at <= now - _UNDONE_WITHIN:
        return 0, []
    count, left = 0, list[tuple[Order, Left]]()
    for order_id, kept_id, was in run.dropped:
        with transaction.atomic():
            order = Order.objects.filter(shop_id=run.shop_id, pk=order_id).first()
            if order is None:
                continue
            reason = _bring_back(order, kept_id, was, actor, now)
        if reason is None:
            count += 1
        else:
            left.append((order, reason))
    TwinsKept.objects.filter(pk=run.pk, undone_at=None).update(undone_at=now, undone_by=actor.id)
    return count, left


def _bring_back(order: Order, kept_id: int, was: str, actor: Actor, now: datetime) -> Left | None:
    if order.contact_id is not None:
        touch_gates([order.contact_id])
    locked = Order.objects.select_for_update(no_key=True).filter(pk__in=[order.pk, kept_id]).order_by("pk")
    orders = {one.pk: one for one in locked}
    order, kept = orders[order.pk], orders.get(kept_id)
    if order.payment_state in PAID_STATES:
        return Left.PAID_MEANWHILE
    if order.status != Order.Status.FALSE or order.duplicate_of_id != kept_id:
        return Left.ENDED
    if kept is not None and (_has_money(kept) or kept.payment_state in PAID_STATES):
        return Left.KEPT_PAID
    bring_back(order, was, actor=actor, now=now)
    return None
