"""Asking the source once more before an order is called unpaid (complaint 20), and before its first reminder if its last
word is older than an hour (R6). Nothing is marked, and nobody reminded, blind (F23).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

import structlog
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import attention
from recoup.messaging.unheard import claim_unheard, let_go
from recoup.orders.models import Order
from recoup.shops.ports import SourceRefused, SourceUnavailable

log = structlog.get_logger(__name__)

Asker = Callable[[Order], bool]
"""Asks the source of an order and applies its answer; false if that cannot be applied, an exception of the port if there
was none."""

SILENT = "recovery.source_silent"
AGAIN_AFTER = timedelta(minutes=5)
LATER_AFTER = timedelta(hours=1)  # once a person was told
TRIES = 3
# Whoever else moves `check_at` gives a new instant at which the order is due.
_DUE_SINCE = "CASE WHEN o.check_at = o.ask_at THEN o.due_at ELSE o.check_at END"


class _Trouble(Enum):
    """Why nothing is known of an order."""

    SILENT = auto()  # its source does not answer
    UNUSABLE = auto()  # it did; the answer is kept, and a person is asked about it
    BROKEN = auto()  # a fault of ours


@dataclass(frozen=True, slots=True)
class Asked:
    """How many sources' answers were asked for, and how many came."""

    asked: int = 0
    answered: int = 0


def ask_due_orders(
    asker: Asker,
    *,
    askable: Collection[str],
    now: datetime,
    limit: int = 100,
    beat: Callable[[], object] = lambda: None,
) -> Asked:
    """Ask the sources of due orders that were not asked since they became due; the sweep then goes by the answer.

    Each order is put off by five minutes first, so that two workers do not ask for the same one and a crash loses
    nothing; the call is made outside any transaction. No answer three times: a person is told, and it is asked once an
    hour. A source that did not answer is not called again in this round; one whose answer cannot be applied is. Since
    when an order is due is kept: having lain unseen for weeks makes it too old, whoever was silent. `beat` is called
    before each order: a slow shop holds every one of them up.
    """
    orders = _orders(_claim(askable, now, limit))
    # What the answer said is applied: an order that is paid or cancelled has no time of looking any more, and one that is
    # to be paid by another method now has a time of its own. Only the pause of the claim ends here.
    return _ask_each(
        asker,
        orders,
        now=now,
        beat=beat,
        answered=lambda order: _update(
            order,
            "asked_at = %s, ask_failures = 0, ask_at = %s, check_at = CASE WHEN check_at = ask_at THEN %s ELSE check_at END"
            " WHERE o.check_at IS NOT NULL",
            [now, now, now],
        ),
        unknown=lambda order, again_at: _update(
            order,
            "ask_failures = least(ask_failures + 1, 1000), ask_at = %s, check_at = greatest(o.check_at, %s),"
            f" due_at = {_DUE_SINCE} WHERE o.check_at IS NOT NULL",
            [again_at, again_at],
        ),
    )


def ask_before_reminders(
    asker: Asker, *, now: datetime, limit: int = 100, beat: Callable[[], object] = lambda: None
) -> Asked:
    """Ask the sources of orders whose first reminder waits for it, and let go what waits no longer.

    As often as before an order is marked. A source that stays silent lets the reminder end by its own time, with its
    reason.
    """
    orders = _orders(claim_unheard(now=now, later=now + AGAIN_AFTER, limit=limit))
    asked = _ask_each(
        asker,
        orders,
        now=now,
        beat=beat,
        answered=lambda order: _update(
            order, "asked_at = %s, ask_failures = 0, reminder_ask_at = NULL WHERE true", [now]
        ),
        unknown=lambda order, again_at: _update(
            order, "ask_failures = least(ask_failures + 1, 1000), reminder_ask_at = %s WHERE true", [again_at]
        ),
    )
    let_go(now=now)
    return asked


def _ask_each(
    asker: Asker,
    orders: Sequence[Order],
    *,
    now: datetime,
    beat: Callable[[], object],
    answered: Callable[[Order], None],
    unknown: Callable[[Order, datetime], None],
) -> Asked:
    count, silent_sources = 0, set[int]()
    for order in orders:
        beat()
        trouble = _Trouble.SILENT if order.source_id in silent_sources else _ask(asker, order)
        if trouble in (None, _Trouble.UNUSABLE):
            attention.settle(SILENT, shop_id=order.shop_id, key=str(order.source_id), now=now)
        if trouble is None:
            count += 1
            answered(order)
            continue
        if trouble is _Trouble.SILENT:
            silent_sources.add(order.source_id)
        is_last = order.ask_failures + 1 >= TRIES
        unknown(order, now + (LATER_AFTER if is_last else AGAIN_AFTER))
        if is_last and trouble is not _Trouble.UNUSABLE:
            _tell(order, now)
    return Asked(asked=len(orders), answered=count)


def _claim(askable: Collection[str], now: datetime, limit: int) -> list[int]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "WITH picked AS MATERIALIZED ("  # noqa: S608 - a constant of this file
            " SELECT o.id FROM orders_order o JOIN shops_source s ON s.id = o.source_id"
            " WHERE o.check_at <= %(now)s AND s.kind = ANY(%(askable)s)"
            " AND (o.asked_at IS NULL OR o.asked_at < o.check_at)"
            " ORDER BY o.check_at, o.id LIMIT %(limit)s FOR NO KEY UPDATE OF o SKIP LOCKED)"
            f" UPDATE orders_order o SET due_at = {_DUE_SINCE}, check_at = %(later)s, ask_at = %(later)s"
            " FROM picked p WHERE o.id = p.id RETURNING o.id",
            {"now": now, "later": now + AGAIN_AFTER, "askable": sorted(askable), "limit": limit},
        )
        return [row[0] for row in cursor.fetchall()]


def _orders(ids: Sequence[int]) -> list[Order]:
    with scopes_disabled():
        return list(Order.objects.filter(pk__in=ids).select_related("source", "shop").order_by("id"))


def _ask(asker: Asker, order: Order) -> _Trouble | None:
    try:
        return None if asker(order) else _Trouble.UNUSABLE
    except (SourceUnavailable, SourceRefused):
        return _Trouble.SILENT
    except Exception:  # one odd answer never keeps the other orders from being asked
        log.exception("recovery.ask.failed", order_id=order.pk)
        return _Trouble.BROKEN


def _tell(order: Order, now: datetime) -> None:
    attention.ask(
        SILENT,
        shop_id=order.shop_id,
        key=str(order.source_id),
        now=now,
        subject=("source", order.source_id),
        name=order.source.name,
    )


def _update(order: Order, changes: str, values: list[Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_order o SET {changes} AND o.id = %s", [*values, order.pk])  # noqa: S608 - ours
