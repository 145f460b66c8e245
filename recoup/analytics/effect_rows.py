"""The people behind the numbers of an effect: each number opens exactly the rows that it counts (rule 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import connection

from recoup.analytics.effects import WROTE_BY_HAND, Scope, first_entries
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys


class Who(StrEnum):
    """Whom a number counts."""

    TREATED = "treated"
    TREATED_PAID = "treated_paid"
    ALONE = "alone"
    ALONE_PAID = "alone_paid"
    TREATED_YOUNG = "treated_young"  # their window is not over
    ALONE_YOUNG = "alone_young"
    PAID_BEFORE = "paid_before"  # before they came in
    BY_HAND = "by_hand"  # left alone, and somebody wrote to them anyway


# When an enrolment's order was paid, or what took its place; when a cart's person paid an order placed since.
_PAID_AT = """(CASE r.subject_kind WHEN 1 THEN (
        SELECT least(o.paid_at, n.paid_at) FROM orders_order o
        LEFT JOIN orders_order n ON n.id = coalesce(o.superseded_by_id, o.duplicate_of_id) WHERE o.id = r.subject_id)
    ELSE (SELECT min(bought.paid_at) FROM (
        SELECT o.paid_at FROM orders_order o
        WHERE o.shop_id = r.shop_id AND o.contact_id = r.contact_id AND o.placed_at >= r.entered_at
          AND o.placed_at < r.entered_at + %s::interval
        UNION ALL
        SELECT o.paid_at FROM orders_cart k JOIN orders_order o
            ON o.shop_id = k.shop_id AND o.source_id = k.source_id AND o.ref = k.order_ref
        WHERE k.id = r.subject_id AND k.order_ref <> '') bought)
    END)"""
_IS_BEFORE = f"coalesce({_PAID_AT} < r.entered_at, false)"
_IS_PAID = f"{_PAID_AT} < r.entered_at + %s::interval"
_Part = tuple[str, list[Any]]  # a condition and its parameters
_ALONE, _TREATED = "r.flags & %s <> 0", "r.flags & %s = 0"


@dataclass(frozen=True, slots=True)
class Person:
    """One row: who, by which order or cart, and what became of it."""

    enrolment_id: int
    contact_id: int
    name: str
    subject_kind: int
    subject_id: int
    number: str  # of the order; a cart has none
    entered_at: datetime
    is_alone: bool
    paid_at: datetime | None  # within the window


def count_people(scope: Scope, who: Who, *, now: datetime, most: int | None = MOST_COUNTED) -> Count:
    """Count the rows of a number, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(scope, who, now), most=most)


def list_people(
    scope: Scope, who: Who, *, now: datetime, cursor: str = "", size: int = PAGE_SIZE
) -> Page[Person]:
    """Return a page of the rows of a number, the newest first."""
    page = page_keys(_keyset(scope, who, now), cursor=cursor, size=size)
    return Page(_people(scope, page.rows), older=page.older, newer=page.newer)


def _keyset(scope: Scope, who: Who, now: datetime) -> Keyset:
    first, params = first_entries(scope)
    window, flag, young = scope.window, scope.control_flag, now - scope.window
    group: _Part = (_TREATED if who in _OF_THE_TREATED else _ALONE, [flag])
    special: dict[Who, list[_Part]] = {
        Who.PAID_BEFORE: [(_IS_BEFORE, [window])],
        Who.BY_HAND: [(_ALONE, [flag]), (WROTE_BY_HAND, [window])],
        Who.TREATED_YOUNG: [group, ("r.entered_at > %s", [young]), (f"NOT {_IS_BEFORE}", [window])],
        Who.ALONE_YOUNG: [group, ("r.entered_at > %s", [young]), (f"NOT {_IS_BEFORE}", [window])],
    }
    parts = special.get(who, [group, ("r.entered_at <= %s", [young]), (f"NOT {_IS_BEFORE}", [window])])
    if who in (Who.TREATED_PAID, Who.ALONE_PAID):
        parts = [*parts, (_IS_PAID, [window, window])]
    return Keyset(
        "processes_enrolment",
        scope.shop.pk,
        conditions=[first, *(condition for condition, _ in parts)],
        params=[*params, *(value for _, values in parts for value in values)],
    )


_OF_THE_TREATED = (Who.TREATED, Who.TREATED_PAID, Who.TREATED_YOUNG)


def _people(scope: Scope, keys: Sequence[int]) -> list[Person]:
    values: list[Any] = [scope.control_flag, *[scope.window] * 3, scope.shop.pk, list(keys)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT r.id, r.contact_id, coalesce(nullif(c.name, ''), c.email, ''), r.subject_kind, r.subject_id,"  # noqa: S608
            f" coalesce(o.number, ''), r.entered_at, r.flags & %s <> 0, CASE WHEN {_IS_PAID} THEN {_PAID_AT} END"
            " FROM processes_enrolment r JOIN customers_contact c ON c.id = r.contact_id"
            " LEFT JOIN orders_order o ON o.id = r.subject_id AND r.subject_kind = 1"
            " WHERE r.shop_id = %s AND r.id = ANY(%s) ORDER BY r.id DESC",
            values,
        )
        return [Person(*row) for row in cursor.fetchall()]
