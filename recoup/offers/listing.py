"""The list of offers: filters, pages by key, counts, and what they cost and brought."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django_scopes import scope

from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.offers.models import Offer
from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """Which offers a list shows; nothing chosen is all of them."""

    states: Collection[str] = ()
    kind: str = ""
    process_id: int | None = None
    contact_id: int | None = None
    order_id: int | None = None
    reason: str = ""


def list_offers(shop: Shop, chosen: OfferFilter, *, cursor: str = "", size: int = PAGE_SIZE) -> Page[Offer]:
    """Return a page of offers with their person, order and cart, newest first."""
    page = page_keys(_keyset(shop, chosen), cursor=cursor, size=size)
    with scope(shop=shop):
        found = Offer.objects.select_related("contact", "order", "cart").in_bulk(page.rows)
    return Page([found[key] for key in page.rows if key in found], older=page.older, newer=page.newer)


def count_offers(shop: Shop, chosen: OfferFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the offers of a list, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(shop, chosen), most=most)


def _keyset(shop: Shop, chosen: OfferFilter) -> Keyset:
    wanted: list[tuple[str, Any]] = [
        ("r.kind = %s", chosen.kind or None),
        ("r.process_id = %s", chosen.process_id),
        ("r.contact_id = %s", chosen.contact_id),
        ("r.order_id = %s", chosen.order_id),
        ("r.reason = %s", chosen.reason or None),
    ]
    held = [(condition, value) for condition, value in wanted if value is not None]
    return Keyset(
        table="offers_offer",
        shop_id=shop.pk,
        value="granted_at",
        conditions=[condition for condition, _ in held],
        params=[value for _, value in held],
        branch="state" if chosen.states else "",
        branch_values=sorted(chosen.states),
    )


@dataclass(frozen=True, slots=True)
class Earned:
    """What the offers of one process cost and brought in one currency; `process_id` is empty for those made by hand."""

    process_id: int | None
    currency: str
    granted: int
    used: int
    discounts: Decimal
    costs: Decimal
    money: Decimal  # of the orders that were paid with them, without what was given back
    guessed: int  # granted with the share that stands in for unknown costs (O5)


_EARNED = """
    SELECT f.process_id, f.currency, count(*), count(r.id), coalesce(sum(r.discount), 0), coalesce(sum(r.cost), 0),
        coalesce(sum(o.captured - o.refunded), 0), count(*) FILTER (WHERE f.is_guessed)
    FROM offers_offer f
    LEFT JOIN offers_redemption r ON r.offer_id = f.id AND r.freed_at IS NULL AND r.paid_at IS NOT NULL
    LEFT JOIN orders_order o ON o.id = r.order_id
    WHERE f.shop_id = %(shop)s AND f.granted_at >= %(since)s AND NOT f.is_test AND NOT (f.state = 'refused')
    GROUP BY f.process_id, f.currency ORDER BY f.process_id NULLS LAST, f.currency
"""


def earned(shop: Shop, *, since: datetime) -> list[Earned]:
    """Return what the offers granted since then cost and brought, by process and currency.

    Reads those offers and their uses alone. Who would have paid anyway is not known here.
    """
    with connection.cursor() as cursor:
        cursor.execute(_EARNED, {"shop": shop.pk, "since": since})
        return [Earned(*row) for row in cursor.fetchall()]
