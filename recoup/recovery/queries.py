"""Reads of cases: the list, and what handlers look for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django_scopes import scope

from recoup.core import search
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop

_NOT_SHOWN = (
    "order__search",
    "order__product_refs",
    "cart__lines",
    "cart__product_refs",
    "contact__search",
    "contact__notes",
)
# A search looks among so many orders and people, the newest first.
_SEARCHED = 10_000


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases a list shows; nothing chosen is the open ones."""

    is_open: bool = True  # false shows all; chosen outcomes win over both
    outcomes: Collection[str] = ()
    kind: str = ""
    cause: str = ""
    currency: str = ""
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    has_messages: bool | None = None
    contact_id: int | None = None
    text: str = ""
    is_oldest_first: bool = False
    is_largest_first: bool = False  # of the open ones


def list_cases(
    shop: Shop, chosen: CaseFilter, *, cursor: str = "", size: int = PAGE_SIZE
) -> Page[RecoveryCase]:
    """Return a page of cases with order, cart and contact, those opened last first."""
    page = page_keys(case_keyset(shop, chosen), cursor=cursor, size=size)
    return Page(cases_by_key(shop, page.rows), older=page.older, newer=page.newer)


def count_cases(shop: Shop, chosen: CaseFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the cases of a list, exactly up to `most`, or all of them (`None`)."""
    return count_rows(case_keyset(shop, chosen), most=most)


def cases_by_key(shop: Shop, keys: Collection[int]) -> list[RecoveryCase]:
    """Return cases in the order of their keys."""
    with scope(shop=shop):
        rows = RecoveryCase.objects.select_related("order", "cart", "contact").defer(*_NOT_SHOWN)
        found = rows.in_bulk(list(keys))
    return [found[key] for key in keys if key in found]


def case_keyset(shop: Shop, chosen: CaseFilter) -> Keyset:
    """Return what a filter shows, to be paged and counted."""
    wanted: list[tuple[str, Any]] = [
        ("r.kind = %s", chosen.kind or None),
        ("r.cause = %s", chosen.cause or None),
        ("r.currency = %s", chosen.currency or None),
        ("r.opened_at >= %s", chosen.opened_from),
        ("r.opened_at < %s", chosen.opened_before),
        ("(r.messages_sent > 0) = %s", chosen.has_messages),
        ("r.contact_id = %s", chosen.contact_id),
    ]
    conditions = [condition for condition, value in wanted if value is not None]
    params = [value for _, value in wanted if value is not None]
    only_open = chosen.is_open and not chosen.outcomes
    if only_open:
        conditions.append("r.closed_at IS NULL")
    tokens = search.query_tokens(chosen.text)
    return Keyset(
        table="recovery_recoverycase",
        shop_id=shop.pk,
        value="amount" if chosen.is_largest_first and only_open else "opened_at",
        is_descending=not chosen.is_oldest_first,
        conditions=conditions,
        params=params,
        search=_MATCHES if tokens else "",
        search_params=[shop.pk, tokens, shop.pk, tokens] if tokens else [],
        branch="outcome" if chosen.outcomes else "",
        branch_values=sorted(chosen.outcomes),
    )


_MATCHES = f"""r.id IN (
    SELECT c.id FROM (
        SELECT id FROM orders_order WHERE shop_id = %s AND search @> %s::text[]
        ORDER BY placed_at DESC, id DESC LIMIT {_SEARCHED}
    ) o JOIN recovery_recoverycase c ON c.order_id = o.id
    UNION
    SELECT c.id FROM (
        SELECT id, shop_id FROM customers_contact
        WHERE shop_id = %s AND search @> %s::text[] AND merged_into_id IS NULL ORDER BY id DESC LIMIT {_SEARCHED}
    ) p JOIN recovery_recoverycase c ON c.shop_id = p.shop_id AND c.contact_id = p.id
)"""  # noqa: S608 - put together from a number of ours


def cart_cases_ordered_since(order_ids: Collection[int]) -> list[int]:
    """Return the open cases of carts whose person has placed one of these orders since; each keeps to its own shop."""
    return _ids(
        "SELECT c.id FROM orders_order o JOIN recovery_recoverycase c"
        " ON c.shop_id = o.shop_id AND c.contact_id = o.contact_id AND c.kind = 'cart' AND c.closed_at IS NULL"
        " JOIN orders_cart k ON k.id = c.cart_id WHERE o.id = ANY(%s) AND k.last_activity_at <= o.placed_at",
        order_ids,
    )


def paid_siblings_of(order_ids: Collection[int]) -> list[int]:
    """Return the paid orders of the people of these orders; each keeps to its own shop."""
    return _ids(
        "SELECT DISTINCT n.id FROM orders_order o JOIN orders_order n"
        " ON n.shop_id = o.shop_id AND n.contact_id = o.contact_id AND n.id <> o.id"
        " WHERE o.id = ANY(%s) AND n.payment_state IN ('paid', 'partly_refunded') AND n.paid_at >= o.placed_at",
        order_ids,
    )


def orders_of_contacts(contact_ids: Collection[int]) -> list[int]:
    """Return the orders of these people; a contact is of one shop, and so are its orders."""
    return _ids(
        "SELECT o.id FROM customers_contact c JOIN orders_order o ON o.shop_id = c.shop_id AND o.contact_id = c.id"
        " WHERE c.id = ANY(%s)",
        contact_ids,
    )


def _ids(statement: str, keys: Collection[int]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [sorted(set(keys))])
        return [row[0] for row in cursor.fetchall()]
