"""The goods of orders that were exchanged: read where the reason to be in a process is gone, and as news at the doors."""

from collections.abc import Sequence

from django.db import connection

from recoup.orders.events import OrderChanged
from recoup.processes.engine.batch import Due
from recoup.processes.engine.records import Swap
from recoup.processes.engine.swapping import is_without
from recoup.processes.entering import ORDER_PLACED, ORDER_UNPAID, Arrival, enrol

_OF_ORDERS = """
    SELECT f.order_id, f.became_true_at, f.learnt_at, ARRAY(SELECT jsonb_array_elements_text(f.details -> 'was_products'))
    FROM orders_orderfact f
    WHERE f.order_id = ANY(%s) AND f.kind = 'changed' AND f.details ? 'was_products' ORDER BY f.order_id, f.id
"""
# What was told of is named by its instant. Test orders and those from before their shop was connected or went live stay out
# (B6), as do those that were paid or ended by then.
_TOLD = """
    SELECT DISTINCT ON (f.id) o.shop_id, o.contact_id, o.id, f.became_true_at, f.learnt_at,
        ARRAY(SELECT jsonb_array_elements_text(f.details -> 'was_products')),
        ARRAY(SELECT jsonb_array_elements_text(f.details -> 'products')), c.id, c.closed_at
    FROM unnest(%s::bigint[], %s::timestamptz[]) AS n (order_id, at)
    JOIN orders_orderfact f ON f.order_id = n.order_id AND f.became_true_at = n.at AND f.kind = 'changed'
        AND f.details ? 'was_products'
    JOIN orders_order o ON o.id = n.order_id
    JOIN shops_source source ON source.id = o.source_id
    JOIN shops_shop shop ON shop.id = o.shop_id
    LEFT JOIN recovery_recoverycase c ON c.order_id = o.id
    WHERE o.contact_id IS NOT NULL AND NOT o.is_test AND NOT o.is_backfill
      AND o.placed_at >= greatest(source.live_since, shop.live_since) AND o.cancelled_at IS NULL
      AND o.payment_state <> 'nothing_due'
      AND (o.paid_at IS NULL OR least(o.paid_at, o.paid_learnt_at) > least(f.became_true_at, f.learnt_at))
    ORDER BY f.id
"""


def with_swaps(due: Sequence[Due]) -> list[Due]:
    """Add how the goods were exchanged to the facts of those whose order lacks what they were let in for."""
    asking = {one.enrolment.subject_id for one in due if is_without(one.graph, one.facts)}
    if not asking:
        return list(due)
    found: dict[int, list[Swap]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_OF_ORDERS, [sorted(asking)])
        for order_id, at, learnt_at, was in cursor.fetchall():
            found.setdefault(order_id, []).append(Swap(at, learnt_at, tuple(was)))
    return [
        one._replace(facts=one.facts._replace(swaps=tuple(found.get(one.enrolment.subject_id, ()))))
        if one.enrolment.subject_id in asking
        else one
        for one in due
    ]


def enrol_swapped(news: Sequence[OrderChanged]) -> int:
    """Let the buyers of orders in whose processes a chosen product has come; return how many came in.

    They come to the doors of new and of unpaid orders, once for each order: whoever has been in turns away at the unique
    index. Other changes of an order bring nobody.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TOLD, [[one.order_id for one in news], [one.at for one in news]])
        rows = cursor.fetchall()
    return enrol(
        [
            Arrival(
                door=door,
                shop_id=shop,
                contact_id=contact,
                kind="order",
                subject_id=order,
                at=min(at, learnt_at),
                case_id=case if door == ORDER_UNPAID else None,
                swap=Swap(at, learnt_at, tuple(was)),
                products=tuple(products),
            )
            for shop, contact, order, at, learnt_at, was, products, case, closed_at in rows
            for door in (ORDER_PLACED, ORDER_UNPAID)
            if closed_at is None and (case is not None or door == ORDER_PLACED)
        ]
    )
