"""Asking the source once more before an order is called unpaid (complaint 20). Nothing is marked blind (F23)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import attention
from recoup.orders.models import Order
from recoup.shops.ports import SourceRefused, SourceUnavailable

log = structlog.get_logger(__name__)

Asker = Callable[[Order], bool]
"""Asks the source of an order and applies its answer; false, or an exception of the port, if there was none."""

SILENT = "recovery.source_silent"
AGAIN_AFTER = timedelta(minutes=5)
LATER_AFTER = timedelta(hours=1)  # once a person was told
TRIES = 3
# Whoever else moves `check_at` gives a new instant at which the order is due.
_DUE_SINCE = "CASE WHEN o.check_at = o.ask_at THEN o.due_at ELSE o.check_at END"


@dataclass(frozen=True, slots=True)
class Asked:
    """How many sources' answers were asked for, and how many came."""

    asked: int = 0
    answered: int = 0


def ask_due_orders(asker: Asker, *, askable: Collection[str], now: datetime, limit: int = 100) -> Asked:
    """Ask the sources of due orders that were not asked since they became due; the sweep then goes by the answer.

    Each order is put off by five minutes first, so that two workers do not ask for the same one and a crash loses nothing;
    the call is made outside any transaction. No answer three times: a person is told, and it is asked once an hour. A
    source that did not answer is not called again in this round. Since when an order is due is kept: having lain unseen for
    weeks makes it too old, whoever was silent.
    """
    answered, silent = 0, set[int]()
    orders = _claim(askable, now, limit)
    for order in orders:
        if order.source_id in silent or not _ask(asker, order):
            silent.add(order.source_id)
            _record_silence(order, now)
        else:
            answered += 1
            _record_answer(order, now)
    return Asked(asked=len(orders), answered=answered)


def _claim(askable: Collection[str], now: datetime, limit: int) -> list[Order]:
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
        ids = [row[0] for row in cursor.fetchall()]
    with scopes_disabled():
        return list(Order.objects.filter(pk__in=ids).select_related("source", "shop").order_by("id"))


def _ask(asker: Asker, order: Order) -> bool:
    try:
        return asker(order)
    except (SourceUnavailable, SourceRefused):
        return False
    except Exception:  # one odd answer never keeps the other orders from being asked
        log.exception("recovery.ask.failed", order_id=order.pk)
        return False


def _record_answer(order: Order, now: datetime) -> None:
    # What the answer said is applied: an order that is paid or cancelled has no time of looking any more, and one that is
    # to be paid by another method now has a time of its own. Only the pause of the claim ends here.
    _update(
        "asked_at = %s, ask_failures = 0, ask_at = %s, check_at = CASE WHEN check_at = ask_at THEN %s ELSE check_at END",
        [now, now, now],
        order,
    )
    attention.settle(SILENT, shop_id=order.shop_id, key=str(order.source_id), now=now)


def _record_silence(order: Order, now: datetime) -> None:
    is_last = order.ask_failures + 1 >= TRIES
    later = now + (LATER_AFTER if is_last else AGAIN_AFTER)
    _update(
        "ask_failures = least(ask_failures + 1, 1000), ask_at = %s, check_at = greatest(o.check_at, %s),"
        f" due_at = {_DUE_SINCE}",
        [later, later],
        order,
    )
    if is_last:
        attention.ask(
            SILENT,
            shop_id=order.shop_id,
            key=str(order.source_id),
            now=now,
            subject=("source", order.source_id),
            name=order.source.name,
        )


def _update(changes: str, values: list[Any], order: Order) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE orders_order o SET {changes} WHERE o.id = %s AND o.check_at IS NOT NULL",  # noqa: S608 - ours
            [*values, order.pk],
        )
