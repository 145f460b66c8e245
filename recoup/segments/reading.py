"""Reads the facts that conditions ask for and that no batch carries anyway: one statement for each kind of them.

Crosses shops like the engine does: it is asked for people by shop and key, and for orders and carts by key.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from recoup.customers.queries import address_hash
from recoup.segments.facts import (
    Consent,
    Details,
    Need,
    PastOrder,
    PersonFacts,
    Subject,
    Suppressed,
    Tagged,
    Visited,
)
from recoup.segments.history import BOUGHT, COUNTS, PAID_AT, PAYABLE
from recoup.segments.order_fields import last_visit

_VISITED = {subject: last_visit(subject) for subject in (Subject.ORDER, Subject.CART)}
_DETAILS = {
    Subject.ORDER: f"""
        SELECT r.id, (SELECT count(*) FROM orders_orderline k WHERE k.order_id = r.id), r.source_id::text,
            coalesce(r.buyer ->> 'country', ''), r.origin, r.discount_total > 0,
            {_VISITED[Subject.ORDER]}
        FROM orders_order r WHERE r.id = ANY(%s)""",  # noqa: S608 - columns of ours
    Subject.CART: f"""
        SELECT r.id, jsonb_array_length(r.lines), r.source_id::text, '', '', r.coupon <> '', {_VISITED[Subject.CART]}
        FROM orders_cart r WHERE r.id = ANY(%s)""",  # noqa: S608 - columns of ours
}
_ASKED = "(%s.shop_id, %s.%s) IN (SELECT * FROM unnest(%%s::bigint[], %%s::bigint[]))"
_PEOPLE = f"""
    SELECT w.id, w.shop_id, w.country, w.first_seen_at, w.email, w.phone FROM customers_contact w
    WHERE {_ASKED % ("w", "w", "id")}"""  # noqa: S608 - columns of ours
_ORDERS = f"""
    SELECT h.contact_id, h.placed_at, CASE WHEN h.is_backfill THEN h.placed_at ELSE h.learnt_at END,
        h.captured - h.refunded, h.currency, h.product_refs,
        {PAID_AT}, CASE WHEN {BOUGHT} THEN {PAID_AT} END,
        CASE WHEN h.is_backfill THEN h.paid_at ELSE coalesce(h.paid_learnt_at, h.paid_at) END,
        least(h.cancelled_at, h.superseded_at, f.at), f.at, {PAYABLE}
    FROM orders_order h
    LEFT JOIN LATERAL (
        SELECT coalesce(max(k.at), h.version_at) AS at FROM orders_statuschange k
        WHERE k.order_id = h.id AND k.to_status = 'false'
    ) f ON h.status = 'false'
    WHERE {_ASKED % ("h", "h", "contact_id")} AND NOT h.is_test
    ORDER BY h.contact_id, h.placed_at, h.id"""  # noqa: S608 - columns of ours
_CONSENTS = f"""
    SELECT k.contact_id, k.purpose, k.channel, k.became_true_at, k.learnt_at, k.is_given FROM customers_consentevent k
    WHERE {_ASKED % ("k", "k", "contact_id")} ORDER BY k.contact_id, k.became_true_at, k.id"""  # noqa: S608 - text of ours
_TAGS = """
    SELECT g.contact_id, t.key, g.added_at FROM customers_contacttag g JOIN customers_tag t ON t.id = g.tag_id
    WHERE (t.shop_id, g.contact_id) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))"""
_VISITS = f"""
    SELECT v.contact_id, v.at, v.noted_at FROM messaging_pagevisit v
    WHERE {_ASKED % ("v", "v", "contact_id")} AND {COUNTS}
      AND (%s::bigint IS NULL OR v.source_id IS DISTINCT FROM %s::bigint)"""  # noqa: S608 - columns of ours
_SUPPRESSIONS = """
    SELECT u.shop_id, u.address_hash, u.scope, u.since, u.lifted_at FROM customers_suppression u
    WHERE u.channel = 'email' AND (u.shop_id, u.address_hash) IN (SELECT * FROM unnest(%s::bigint[], %s::bytea[]))"""


def details_of(subject: int, ids: Collection[int]) -> dict[int, Details]:
    """Return more of orders or carts, by key."""
    if not ids:
        return {}
    rows = _rows(_DETAILS[Subject(subject)], [sorted(set(ids))])
    return {key: Details._make(columns) for key, *columns in rows}


def people_of(
    people: Collection[tuple[int, int]], needs: Need, *, visits_but_by: int | None = None
) -> dict[int, PersonFacts]:
    """Return what conditions need of people (shop and key), by key.

    :param visits_but_by: leave out the visits by messages of this source, because who would follow those is unknown.
    """
    if not people:
        return {}
    asked = [list(column) for column in zip(*sorted(set(people)), strict=True)]
    rows = _rows(_PEOPLE, asked)
    orders: dict[int, list[PastOrder]] = defaultdict(list)
    consents: dict[int, list[Consent]] = defaultdict(list)
    suppressed: dict[int, list[Suppressed]] = {}
    tags: dict[int, list[Tagged]] = defaultdict(list)
    if needs & Need.HISTORY:
        for contact_id, placed_at, known_at, kept, currency, products, *rest in _rows(_ORDERS, asked):
            orders[contact_id].append(PastOrder(placed_at, known_at, kept, currency, tuple(products), *rest))
    if needs & Need.CONSENTS:
        for contact_id, *columns in _rows(_CONSENTS, asked):
            consents[contact_id].append(Consent._make(columns))
    if needs & Need.SUPPRESSIONS:
        suppressed = _suppressed([(shop_id, key, email) for key, shop_id, _, _, email, _ in rows if email])
    visits: dict[int, list[Visited]] = defaultdict(list)
    if needs & Need.VISITS:
        for contact_id, *columns in _rows(_VISITS, [*asked, visits_but_by, visits_but_by]):
            visits[contact_id].append(Visited._make(columns))
    if needs & Need.TAGS:
        for contact_id, *columns in _rows(_TAGS, asked):
            tags[contact_id].append(Tagged._make(columns))
    return {
        key: PersonFacts(
            country,
            known_since,
            bool(email),
            bool(phone),
            tuple(orders.get(key, ())),
            tuple(consents.get(key, ())),
            tuple(suppressed.get(key, ())),
            tuple(tags.get(key, ())),
            tuple(visits.get(key, ())),
        )
        for key, _, country, known_since, email, phone in rows
    }


def _suppressed(addresses: Sequence[tuple[int, int, str]]) -> dict[int, list[Suppressed]]:
    of_hash: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for shop_id, contact_id, email in addresses:
        of_hash[shop_id, address_hash(shop_id, "email", email)].append(contact_id)
    if not of_hash:
        return {}
    found: dict[int, list[Suppressed]] = defaultdict(list)
    columns = [[shop_id for shop_id, _ in of_hash], [hashed for _, hashed in of_hash]]
    for shop_id, hashed, scope, since, lifted_at in _rows(_SUPPRESSIONS, columns):
        for contact_id in of_hash[shop_id, bytes(hashed)]:
            found[contact_id].append(Suppressed(scope, since, lifted_at))
    return found


def _rows(statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
