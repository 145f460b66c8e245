"""Closing orders that another order of the same person makes pointless, and taking that back (B4, F3).

The sweep of `recovery` does the same for orders whose time comes (`recovery.detection`); here are those that are being
reminded already. Worked in batches of news, which cross shops; every condition keeps to one shop and one person.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from recoup.orders.siblings import is_newer_twin, is_paid_since, replaces

_OPEN = "('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')"
_OWED = "('owed', 'on_hold', 'failed', 'partly_paid')"

# Locked in key order before anything is written, and looked at again under the lock.
_LOCKED = f""", locked AS MATERIALIZED (
    SELECT o.id, o.shop_id, o.status FROM orders_order o
    WHERE o.id IN (SELECT id FROM found) AND o.status IN {_OPEN} AND o.payment_state IN {_OWED}
    ORDER BY o.id FOR NO KEY UPDATE
)"""  # noqa: S608 - put together from names in this file

# What was noted about a dropped order is noted about the one that is kept too, once (F3).
_HAND_ON_NOTES = """
INSERT INTO orders_ordernote (shop_id, order_id, text, author_id, at)
SELECT n.shop_id, o.duplicate_of_id, n.text, n.author_id, n.at
FROM orders_order o JOIN orders_ordernote n ON n.order_id = o.id
WHERE o.id = ANY(%(dropped)s) AND o.duplicate_of_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM orders_ordernote known
    WHERE known.order_id = o.duplicate_of_id AND (known.at, known.author_id, known.text) = (n.at, n.author_id, n.text))
ORDER BY n.id
"""

# What was placed by a link of ours instead of an order concerns that one by itself, and at once: also where the buyer named
# another address and is somebody else to us, and before anybody called it unpaid.
_SUPERSEDE = f"""
WITH pairs AS (
    SELECT p.id, n.id AS paid_id
    FROM orders_order n
    JOIN shops_shop shop ON shop.id = n.shop_id
    JOIN orders_order p ON {is_paid_since("p", "n", "shop")}
    WHERE n.id = ANY(%(orders)s) AND p.unpaid_at IS NOT NULL
    UNION ALL
    SELECT n.replaces_id, n.id FROM orders_order n WHERE n.id = ANY(%(orders)s)
    UNION ALL
    SELECT p.id, n.id FROM orders_order n JOIN orders_order p ON {replaces("p", "n")} WHERE n.id = ANY(%(orders)s)
), found AS MATERIALIZED (
    SELECT DISTINCT ON (p.id) p.id, n.id AS paid_id
    FROM pairs JOIN orders_order p ON p.id = pairs.id JOIN orders_order n ON n.id = pairs.paid_id
    WHERE p.status IN {_OPEN} AND p.payment_state IN {_OWED} AND n.shop_id = p.shop_id AND NOT n.is_test
      AND n.payment_state IN ('paid', 'partly_refunded') AND n.paid_at >= p.placed_at
    ORDER BY p.id, n.placed_at DESC, n.id DESC
){_LOCKED}, moved AS (
    UPDATE orders_order o SET
        status = 'cancelled', lock_version = o.lock_version + 1, check_at = NULL, cancelled_at = %(now)s,
        cancel_reason = 'superseded', superseded_at = %(now)s, superseded_by_id = f.paid_id
    FROM locked l JOIN found f ON f.id = l.id WHERE o.id = l.id
    RETURNING o.id, o.shop_id, l.status AS was, 'cancelled' AS now_is, 'superseded' AS why,
              jsonb_build_object('by', f.paid_id) AS details
)"""  # noqa: S608 - put together from conditions of ours

_DROP = f"""
WITH pairs AS (
    SELECT p.id, n.id AS kept_id
    FROM orders_order n
    JOIN shops_shop shop ON shop.id = n.shop_id
    JOIN orders_order p ON {is_newer_twin("p", "n", "shop")}
    WHERE n.id = ANY(%(orders)s) AND p.unpaid_at IS NOT NULL
    UNION ALL
    SELECT p.id, n.id FROM orders_order n JOIN orders_order p ON p.id = n.replaces_id
    WHERE n.id = ANY(%(orders)s) AND n.duplicate_of_id IS NULL AND NOT n.is_test
      AND p.captured <= p.refunded -- a part that came counts for that very order
      AND n.status IN {_OPEN} AND (n.payment_state IN {_OWED} OR n.payment_state = 'authorized')
), found AS MATERIALIZED (
    SELECT DISTINCT ON (p.id) p.id, n.id AS kept_id
    FROM pairs JOIN orders_order p ON p.id = pairs.id JOIN orders_order n ON n.id = pairs.kept_id
    WHERE n.shop_id = p.shop_id AND p.status IN {_OPEN} AND p.payment_state IN {_OWED}
      -- What a person holds, or the buyer has promised, is theirs to decide.
      AND p.paused_at IS NULL AND coalesce(p.promised_at <= %(now)s, true) AND coalesce(p.claimed_until <= %(now)s, true)
    ORDER BY p.id, n.placed_at DESC, n.id DESC
){_LOCKED}, moved AS (
    UPDATE orders_order o SET
        status = 'false', lock_version = o.lock_version + 1, check_at = NULL, duplicate_of_id = f.kept_id
    FROM locked l JOIN found f ON f.id = l.id WHERE o.id = l.id
    RETURNING o.id, o.shop_id, l.status AS was, 'false' AS now_is, 'duplicate' AS why,
              jsonb_build_object('of', f.kept_id) AS details
)"""  # noqa: S608 - put together from conditions of ours

# Of several that were dropped for the one order, the newest comes back, and is kept instead of the others.
_RELEASE = f"""
WITH found AS MATERIALIZED (
    SELECT o.id, first_value(o.id) OVER (
        PARTITION BY o.duplicate_of_id, o.source_id, o.product_refs,
            CASE WHEN o.product_refs = '{{}}' THEN (o.total, o.currency) END
        ORDER BY o.placed_at DESC, o.id DESC
    ) AS kept_id
    FROM orders_order o
    JOIN orders_order kept ON kept.id = o.duplicate_of_id
    WHERE o.duplicate_of_id = ANY(%(orders)s) AND kept.status = 'false' AND kept.duplicate_of_id IS NULL
      AND o.status = 'false' AND o.payment_state IN {_OWED}
), locked AS MATERIALIZED (
    SELECT o.id, o.shop_id, o.status FROM orders_order o
    WHERE o.id IN (SELECT id FROM found) AND o.duplicate_of_id IS NOT NULL AND o.status = 'false'
      AND o.payment_state IN {_OWED}
    ORDER BY o.id FOR NO KEY UPDATE
), handed_on AS (
    UPDATE orders_order o SET duplicate_of_id = f.kept_id
    FROM locked l JOIN found f ON f.id = l.id WHERE o.id = l.id AND f.kept_id <> l.id
), moved AS (
    UPDATE orders_order o SET
        status = 'new', lock_version = o.lock_version + 1, check_at = %(now)s, unpaid_at = NULL, duplicate_of_id = NULL
    FROM locked l JOIN found f ON f.id = l.id WHERE o.id = l.id AND f.kept_id = l.id
    RETURNING o.id, o.shop_id, l.status AS was, 'new' AS now_is, 'released' AS why, '{{}}'::jsonb AS details
)"""  # noqa: S608 - put together from names in this file

# All that the two statements that follow each other move, locked at once in key order: each sorts only what it moves itself.
_LOCK_TWINS = """
SELECT o.id FROM orders_order o
WHERE o.duplicate_of_id = ANY(%(orders)s) AND o.status = 'false'
ORDER BY o.id FOR NO KEY UPDATE
"""

# An order that was kept and then dropped itself hands on those that were dropped for it; each goes to the end of its line.
_HAND_ON_TWINS = """
WITH RECURSIVE line AS (
    SELECT o.id, o.duplicate_of_id AS kept_id FROM orders_order o
    WHERE o.duplicate_of_id = ANY(%(orders)s) AND o.status = 'false'
    UNION
    SELECT l.id, kept.duplicate_of_id FROM line l JOIN orders_order kept ON kept.id = l.kept_id
    WHERE kept.status = 'false' AND kept.duplicate_of_id IS NOT NULL
), ends AS MATERIALIZED (
    SELECT l.id, l.kept_id FROM line l JOIN orders_order kept ON kept.id = l.kept_id
    WHERE kept.status <> 'false' OR kept.duplicate_of_id IS NULL
), locked AS MATERIALIZED (
    SELECT o.id FROM orders_order o WHERE o.id IN (SELECT id FROM ends) AND o.duplicate_of_id IS NOT NULL
    ORDER BY o.id FOR NO KEY UPDATE
)
UPDATE orders_order o SET duplicate_of_id = e.kept_id
FROM locked l JOIN ends e ON e.id = l.id WHERE o.id = l.id AND o.duplicate_of_id <> e.kept_id
"""

_WRITE = """, history AS (
    INSERT INTO orders_statuschange (shop_id, order_id, from_status, to_status, reason, actor_kind, at)
    SELECT shop_id, id, was, now_is, why, 'system', %(now)s FROM moved
), facts AS (
    INSERT INTO orders_orderfact (shop_id, order_id, kind, details, became_true_at, learnt_at)
    SELECT shop_id, id, why, details, %(now)s, %(now)s FROM moved
), news AS (
    INSERT INTO core_outbox (shop_id, kind, payload)
    SELECT shop_id, CASE WHEN why = 'released' THEN 'orders.OrderChanged' ELSE 'orders.OrderCancelled' END,
           jsonb_build_object('shop_id', shop_id, 'order_id', id, 'at', %(at)s::text)
    FROM moved
)
SELECT id FROM moved ORDER BY id
"""


def close_superseded(paid_order_ids: Collection[int], *, now: datetime) -> list[int]:
    """Cancel the unpaid orders that these paid ones make pointless (B4); return which.

    The reason is `superseded`. Announces `OrderCancelled`. Orders whose waiting time still runs are left to the sweep.
    """
    return _run(_SUPERSEDE + _WRITE, paid_order_ids, now)


def drop_older_twins(order_ids: Collection[int], *, now: datetime) -> list[int]:
    """Mark False the older unpaid orders for the same products as these newer ones, also owed (F3, F5); return which.

    The reason is `duplicate`. Announces `OrderCancelled`. A payment on a dropped one brings it back.
    """
    with transaction.atomic():
        dropped = _run(_DROP + _WRITE, order_ids, now)
        hand_on_notes(dropped)
    return dropped


def hand_on_notes(dropped_ids: Collection[int]) -> None:
    """Note about the orders that are kept what was noted about those that were dropped for them (F3)."""
    if dropped_ids:
        with connection.cursor() as cursor:
            cursor.execute(_HAND_ON_NOTES, {"dropped": sorted(set(dropped_ids))})


def release_twins(false_order_ids: Collection[int], *, now: datetime) -> list[int]:
    """Bring back the orders that were dropped as duplicates of ones that a person then marked False; return which.

    They are New again and looked at by the next sweep. Announces `OrderChanged`. What was dropped for an order that became a
    duplicate itself stays dropped, as a duplicate of the one that is kept now.
    """
    if not false_order_ids:
        return []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LOCK_TWINS, {"orders": sorted(set(false_order_ids))})
            cursor.execute(_HAND_ON_TWINS, {"orders": sorted(set(false_order_ids))})
        return _run(_RELEASE + _WRITE, false_order_ids, now)


def _run(statement: str, order_ids: Collection[int], now: datetime) -> list[int]:
    if not order_ids:
        return []
    values: dict[str, Any] = {"orders": sorted(set(order_ids)), "now": now, "at": now.isoformat()}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]
