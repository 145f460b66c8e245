"""The list of orders: filters, pages by key, counts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_scopes import scope

from recoup.core import search
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.orders.models import Order
from recoup.orders.queries import OPEN_STATUSES
from recoup.shops.models import Shop

# States that most orders end in: a walk over the others is short.
_NOT_SHOWN = ("search", "product_refs", "contact__search", "contact__notes")
_COMMON_PAYMENTS = {Order.PaymentState.PAID, Order.PaymentState.NOTHING_DUE}


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list shows; nothing chosen is the current ones: Completed, False and Cancelled hidden (E2)."""

    is_current: bool = True  # false shows all statuses; chosen statuses win over both
    statuses: Collection[str] = ()
    payment_states: Collection[str] = ()
    source_id: int | None = None
    method: str = ""
    placed_from: datetime | None = None
    placed_before: datetime | None = None
    currency: str = ""
    total_from: Decimal | None = None
    total_to: Decimal | None = None
    contact_id: int | None = None
    claimed_by: int | None = None
    text: str = ""
    where: str = ""  # SQL of ours over `r`, such as that of a segment, and its values
    where_values: tuple[Any, ...] = ()
    is_oldest_first: bool = False


def list_orders(shop: Shop, chosen: OrderFilter, *, cursor: str = "", size: int = PAGE_SIZE) -> Page[Order]:
    """Return a page of orders with their contact, newest placed first; without the words they are searched by."""
    page = page_keys(_keyset(shop, chosen), cursor=cursor, size=size)
    with scope(shop=shop):
        found = Order.objects.select_related("contact").defer(*_NOT_SHOWN).in_bulk(page.rows)
    return Page([found[key] for key in page.rows if key in found], older=page.older, newer=page.newer)


def count_orders(shop: Shop, chosen: OrderFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the orders of a list, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(shop, chosen), most=most)


def _keyset(shop: Shop, chosen: OrderFilter) -> Keyset:
    conditions, params = _conditions(chosen)
    tokens = search.query_tokens(chosen.text)
    statuses = sorted(chosen.statuses or (OPEN_STATUSES if chosen.is_current else ()))
    payments = sorted(chosen.payment_states)
    branch, values = "", []
    # One index serves the walk; what is left is looked at row by row.
    if payments and (not statuses or not set(payments) & _COMMON_PAYMENTS):
        branch, values = "payment_state", payments
        if statuses:
            conditions.append("r.status = ANY(%s)")
            params.append(statuses)
    elif statuses:
        branch, values = "status", statuses
        if payments:
            conditions.append("r.payment_state = ANY(%s)")
            params.append(payments)
    return Keyset(
        table="orders_order",
        shop_id=shop.pk,
        value="placed_at",
        is_descending=not chosen.is_oldest_first,
        conditions=conditions,
        params=params,
        search="r.search @> %s::text[]" if tokens else "",
        search_params=[tokens] if tokens else [],
        branch=branch,
        branch_values=values,
    )


def _conditions(chosen: OrderFilter) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, Any]] = [
        ("r.source_id = %s", chosen.source_id),
        ("r.method = %s", chosen.method or None),
        ("r.placed_at >= %s", chosen.placed_from),
        ("r.placed_at < %s", chosen.placed_before),
        ("r.currency = %s", chosen.currency or None),
        ("r.total >= %s", chosen.total_from),
        ("r.total <= %s", chosen.total_to),
        ("r.contact_id = %s", chosen.contact_id),
        ("r.claimed_by = %s", chosen.claimed_by),
    ]
    chosen_ones = [(condition, value) for condition, value in wanted if value is not None]
    conditions, params = (
        [condition for condition, _ in chosen_ones],
        [value for _, value in chosen_ones],
    )
    if chosen.where:
        conditions.append(chosen.where)
        params += chosen.where_values
    return conditions, params
