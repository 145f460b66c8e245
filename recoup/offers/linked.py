"""Who is very likely one person with somebody, though nobody has decided it yet: two signs agree (K3)."""

from collections import defaultdict
from collections.abc import Collection

from django.db import connection

_STREET = [
    "street",
    "address_1",
    "address1",
    "line1",
    "address",
]  # as sources name it; a town alone is no sign
# The first sign is that of an open suggestion to merge: the address in another spelling, or a number that both have used.
_LINKED = """
    SELECT DISTINCT a.id, b.id FROM (
        SELECT shop_id, first_id AS one, second_id AS other FROM customers_mergesuggestion
        WHERE first_id = ANY(%(people)s) AND state = 'open'
        UNION ALL SELECT shop_id, second_id, first_id FROM customers_mergesuggestion
        WHERE second_id = ANY(%(people)s) AND state = 'open') s
    JOIN customers_contact a ON a.id = s.one AND a.shop_id = s.shop_id
    JOIN customers_contact b ON b.id = s.other AND b.shop_id = s.shop_id
    WHERE (a.name <> '' AND b.name <> '' AND a.sort_name = b.sort_name) OR EXISTS (
        SELECT FROM orders_order x
        JOIN orders_order y ON y.shop_id = s.shop_id AND y.contact_id = b.id
            AND lower((y.delivery -> 'address')::text) = lower((x.delivery -> 'address')::text)
        WHERE x.shop_id = s.shop_id AND x.contact_id = a.id AND x.delivery -> 'address' ?| %(street)s)
"""


def linked_to(contact_ids: Collection[int]) -> set[int]:
    """Return who may be one person with one of these, and bears the same name or has had goods sent to the same address.

    Whoever was found to be somebody else is not among them.
    """
    return set().union(*links_of(contact_ids).values())


def links_of(contact_ids: Collection[int]) -> dict[int, set[int]]:
    """Return of each of these who has any such who they are."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(_LINKED, {"people": sorted(contact_ids), "street": _STREET})
        for one, other in cursor.fetchall():
            found[one].add(other)
    return dict(found)
