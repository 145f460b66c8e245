"""The list of customers: search, pages by key, counts."""

from dataclasses import dataclass
from typing import Any

from django_scopes import scope

from recoup.core import search
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.customers.models import Contact
from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class ContactFilter:
    """Which customers a list shows."""

    text: str = ""
    is_oldest_first: bool = False
    may_be_doubles: bool = (
        False  # only who may be the same person as somebody else, and nobody has decided it
    )
    where: str = ""  # SQL of ours over `r`, such as that of a segment, and its values
    where_values: tuple[Any, ...] = ()


def list_customers(
    shop: Shop, chosen: ContactFilter, *, cursor: str = "", size: int = PAGE_SIZE
) -> Page[Contact]:
    """Return a page of customers, those known last first; merged ones are shown as the one that stays."""
    page = page_keys(_keyset(shop, chosen), cursor=cursor, size=size)
    with scope(shop=shop):
        found = Contact.objects.in_bulk(page.rows)
    return Page([found[key] for key in page.rows if key in found], older=page.older, newer=page.newer)


def count_customers(shop: Shop, chosen: ContactFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the customers of a list, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(shop, chosen), most=most)


# Fetched first, by the index of what is open: a walk through millions of people would seek a handful.
_DOUBLES = """r.id = ANY(ARRAY(
    SELECT first_id FROM customers_mergesuggestion WHERE shop_id = %s AND state = 'open'
    UNION SELECT second_id FROM customers_mergesuggestion WHERE shop_id = %s AND state = 'open'))"""


def _keyset(shop: Shop, chosen: ContactFilter) -> Keyset:
    tokens = search.query_tokens(chosen.text)
    doubles = [_DOUBLES] if chosen.may_be_doubles else []
    return Keyset(
        table="customers_contact",
        shop_id=shop.pk,
        is_descending=not chosen.is_oldest_first,
        conditions=["r.merged_into_id IS NULL", *doubles, *([chosen.where] if chosen.where else [])],
        params=[*([shop.pk, shop.pk] if doubles else []), *chosen.where_values],
        search="r.search @> %s::text[]" if tokens else "",
        search_params=[tokens] if tokens else [],
    )
