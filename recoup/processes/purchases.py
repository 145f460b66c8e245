"""What people have bought, for the processes that ask for it: read by one more statement, only where one asks."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection

from recoup.processes.engine.batch import Due
from recoup.processes.engine.codes import Wake
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import Purchases

# Given back in full or disputed is not bought (J4, J6). A source's clock may be ahead: nothing is bought before we knew.
_BOUGHT = """
    SELECT o.contact_id, goods.ref, array_agg(least(o.paid_at, o.paid_learnt_at) ORDER BY 1)
    FROM orders_order o CROSS JOIN LATERAL unnest(o.product_refs) AS goods (ref)
    WHERE (o.shop_id, o.contact_id) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
      AND o.paid_at IS NOT NULL AND o.payment_state IN ('paid', 'partly_refunded') AND NOT o.is_test
    GROUP BY o.contact_id, goods.ref
"""


def asks_for_purchases(graph: Graph) -> bool:
    """Tell whether a version looks at what people have bought."""
    return bool(graph.event_mask & Wake.BOUGHT.value)


def purchases_of(people: Collection[tuple[int, int]]) -> dict[int, Purchases]:
    """Return what people (shop and contact) have paid for: the instants of each product, by contact."""
    if not people:
        return {}
    found: dict[int, dict[str, tuple[datetime, ...]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_BOUGHT, [list(column) for column in zip(*sorted(set(people)), strict=True)])
        for contact_id, ref, instants in cursor.fetchall():
            found.setdefault(contact_id, {})[ref] = tuple(sorted(instants))
    return dict(found)


def with_purchases(due: Sequence[Due]) -> list[Due]:
    """Add what people have bought to the facts of the enrolments whose versions ask for it."""
    asking = {
        (one.enrolment.shop_id, one.enrolment.contact_id) for one in due if asks_for_purchases(one.graph)
    }
    if not asking:
        return list(due)
    bought = purchases_of(asking)
    return [
        one._replace(facts=one.facts._replace(purchases=bought.get(one.enrolment.contact_id, {})))
        if asks_for_purchases(one.graph)
        else one
        for one in due
    ]
