"""What is known of those who come to the door of a process."""

from collections.abc import Sequence

from django.db import connection

from recoup.processes.engine.records import Facts
from recoup.processes.facts import contact_facts
from recoup.segments.facts import NOBODY, CartFacts, Details, Need, OrderFacts, Subject
from recoup.segments.reading import details_of, people_of

Comer = tuple[str, int, int, int]  # order, cart or contact; its key; the shop; the person

_ORDERS = """
    SELECT ct.time_zone, ct.locale, ct.country, s.time_zone, s.country,
        o.id, o.placed_at, o.total, greatest(o.total - o.discount_given - o.captured + o.refunded, 0), o.currency, o.method,
        o.is_offline_method, coalesce(c.cause, ''), o.status, NULL, o.paid_at, o.paid_learnt_at, o.cancelled_at,
        o.cancelled_at, o.product_refs
    FROM orders_order o
    JOIN shops_shop s ON s.id = o.shop_id
    LEFT JOIN customers_contact ct ON ct.id = o.contact_id
    LEFT JOIN recovery_recoverycase c ON c.order_id = o.id
    WHERE o.id = ANY(%s)
"""
_CARTS = """
    SELECT ct.time_zone, ct.locale, ct.country, s.time_zone, s.country,
        k.id, k.last_activity_at, k.total, k.currency, jsonb_array_length(k.lines), k.converted_at,
        CASE WHEN k.state = 'emptied' THEN k.last_activity_at END, k.product_refs
    FROM orders_cart k
    JOIN shops_shop s ON s.id = k.shop_id
    LEFT JOIN customers_contact ct ON ct.id = k.contact_id
    WHERE k.id = ANY(%s)
"""
_PEOPLE = """
    SELECT ct.time_zone, ct.locale, ct.country, s.time_zone, s.country, ct.id
    FROM customers_contact ct JOIN shops_shop s ON s.id = ct.shop_id
    WHERE ct.id = ANY(%s) AND ct.erased_at IS NULL
"""


def _facts_of(comers: Sequence[Comer]) -> dict[tuple[str, int], Facts]:
    """Return the usual facts of what brings people to a door."""
    found: dict[tuple[str, int], Facts] = {}
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS, [[key for kind, key, *_ in comers if kind == "order"]])
        for row in cursor.fetchall():
            (order_id, *columns, products), contact = row[5:], contact_facts(*row[:5])
            order = OrderFacts._make((*columns, tuple(products)))
            found["order", order_id] = Facts(order=order, contact=contact)
        cursor.execute(_CARTS, [[key for kind, key, *_ in comers if kind == "cart"]])
        for row in cursor.fetchall():
            (cart_id, *columns, products), contact = row[5:], contact_facts(*row[:5])
            cart = CartFacts._make((*columns, tuple(products)))
            found["cart", cart_id] = Facts(cart=cart, contact=contact)
        cursor.execute(_PEOPLE, [[key for kind, key, *_ in comers if kind == "contact"]])
        for *person, contact_id in cursor.fetchall():
            found["contact", contact_id] = Facts(contact=contact_facts(*person))
    return found


def known_at_doors(comers: Sequence[Comer], needs: Need) -> dict[tuple[str, int], Facts]:
    """Return all facts that entry conditions may ask for, by what brings people to the door."""
    found = _facts_of(comers)
    if not needs:
        return found
    persons = people_of([(shop_id, contact_id) for *_, shop_id, contact_id in comers], needs)
    details: dict[tuple[str, int], Details] = {}
    for name, subject in (("order", Subject.ORDER), ("cart", Subject.CART)) if needs & Need.DETAILS else ():
        ids = [key for kind, key, *_ in comers if kind == name]
        details |= {(name, key): more for key, more in details_of(subject, ids).items()}
    for kind, key, _, contact_id in comers:
        if (kind, key) in found:
            found[kind, key] = found[kind, key]._replace(
                details=details.get((kind, key)), person=persons.get(contact_id, NOBODY)
            )
    return found
