"""Reads of segments: their rows, paged by key, and how many there are."""

from datetime import datetime
from typing import Any

from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.segments.facts import Subject
from recoup.segments.history import Sql
from recoup.segments.models import Segment
from recoup.segments.to_sql import TABLES, compile_sql
from recoup.segments.tree import read_condition
from recoup.shops.models import Shop

_VALUES = {Subject.ORDER: "placed_at", Subject.CART: "last_activity_at", Subject.PERSON: ""}
REAL = {
    Subject.ORDER: "NOT r.is_test",
    Subject.CART: "true",
    Subject.PERSON: "r.merged_into_id IS NULL AND r.erased_at IS NULL",
}


def condition_sql(shop: Shop, about: int, condition: Any, *, now: datetime) -> Sql:
    """Return a condition as SQL over rows `r` of orders, carts or people; test orders and those who are gone never count.

    :raises ConditionRefused: if it is none.
    """
    subject = Subject(about)
    found = compile_sql(
        read_condition(condition, subject), subject, shop_id=shop.pk, shop_zone=shop.time_zone, now=now
    )
    return Sql(f"{REAL[subject]} AND {found.text}", found.params)


def find_segment(shop: Shop, segment_id: int | None, about: int) -> Segment | None:
    """Return a segment of the shop about something, or `None`."""
    if segment_id is None:
        return None
    return Segment.objects.filter(shop=shop, pk=segment_id, about=about).first()


def page_of(
    shop: Shop, about: int, condition: Any, *, now: datetime, cursor: str = "", size: int = PAGE_SIZE
) -> Page[int]:
    """Return the keys of a page of rows that meet a condition, newest first."""
    return page_keys(_keyset(shop, about, condition, now), cursor=cursor, size=size)


def count_of(
    shop: Shop, about: int, condition: Any, *, now: datetime, most: int | None = MOST_COUNTED
) -> Count:
    """Count the rows that meet a condition, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(shop, about, condition, now), most=most)


def _keyset(shop: Shop, about: int, condition: Any, now: datetime) -> Keyset:
    found = condition_sql(shop, about, condition, now=now)
    return Keyset(
        table=TABLES[Subject(about)],
        shop_id=shop.pk,
        value=_VALUES[Subject(about)],
        conditions=[found.text],
        params=list(found.params),
    )
