"""The people behind the numbers of an effect: each number opens exactly the rows that it counts (rule 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import connection

from recoup.analytics.arms import Split
from recoup.analytics.effects import WROTE_BY_HAND, Scope, first_entries
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.orders.became import order_became
from recoup.processes.engine.codes import Flag


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
        WHERE o.shop_id = r.shop_id AND o.contact_id = r.contact_id AND o.placed_at >= {begin}
          AND o.placed_at < {begin} + %s::interval
        UNION ALL
        SELECT o.paid_at FROM orders_cart k JOIN orders_order o ON o.id = {became}
        WHERE r.subject_kind = 2 AND k.id = r.subject_id AND k.order_ref <> '') bought)
    END)"""
_Part = tuple[str, list[Any]]  # a condition and its parameters
_ALONE, _TREATED = "r.flags & %s <> 0", "r.flags & %s = 0"
_REACHED = """EXISTS (SELECT FROM processes_step_log l WHERE l.enrolment_id = {alias}.id AND l.node = {node}
    AND l.outcome = 24 AND l.version_id = ANY('{{{versions}}}'::bigint[]){arm})"""
_SPLIT_AT = "(SELECT min(l.at) FROM processes_step_log l WHERE l.enrolment_id = r.id AND l.node = {node} AND l.outcome = 24)"


@dataclass(frozen=True, slots=True)
class _Ground:
    """By which enrolments people count, and from when on; both as SQL of ours over `r`."""

    shop_id: int
    window: timedelta
    first: _Part
    begin: str = "r.entered_at"

    @property
    def paid_at(self) -> str:
        return _PAID_AT.format(begin=self.begin, became=order_became("k"))

    def is_before(self) -> _Part:
        return f"coalesce({self.paid_at} < {self.begin}, false)", [self.window]

    def is_not_before(self) -> _Part:
        return f"NOT coalesce({self.paid_at} < {self.begin}, false)", [self.window]

    def is_paid(self) -> _Part:
        return f"{self.paid_at} < {self.begin} + %s::interval", [self.window, self.window]

    def keyset(self, *parts: _Part) -> Keyset:
        wanted = [self.first, *parts]
        return Keyset(
            "processes_enrolment",
            self.shop_id,
            conditions=[condition for condition, _ in wanted],
            params=[value for _, values in wanted for value in values],
        )


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
    people = _people(_ground(scope), page.rows, flag=scope.control_flag)
    return Page(people, older=page.older, newer=page.newer)


def _ground(scope: Scope) -> _Ground:
    return _Ground(scope.shop.pk, scope.window, first_entries(scope))


def _keyset(scope: Scope, who: Who, now: datetime) -> Keyset:
    ground, flag, young = _ground(scope), scope.control_flag, now - scope.window
    group: _Part = (_TREATED if who in _OF_THE_TREATED else _ALONE, [flag])
    match who:
        case Who.PAID_BEFORE:
            return ground.keyset(ground.is_before())
        case Who.BY_HAND:
            return ground.keyset(group, (WROTE_BY_HAND, [scope.window]))
        case Who.TREATED_YOUNG | Who.ALONE_YOUNG:
            return ground.keyset(group, ("r.entered_at > %s", [young]), ground.is_not_before())
    judged: list[_Part] = [group, ("r.entered_at <= %s", [young]), ground.is_not_before()]
    if who in (Who.TREATED_PAID, Who.ALONE_PAID):
        judged.append(ground.is_paid())
    return ground.keyset(*judged)


_OF_THE_TREATED = (Who.TREATED, Who.TREATED_PAID, Who.TREATED_YOUNG)


def count_on_way(
    split: Split, arm: int, *, has_paid: bool, now: datetime, most: int | None = MOST_COUNTED
) -> Count:
    """Count the people of one way of a split whose window is over; with `has_paid` those of them who paid in it."""
    return count_rows(_way_keyset(split, arm, now, has_paid=has_paid), most=most)


def list_on_way(
    split: Split, arm: int, *, has_paid: bool, now: datetime, cursor: str = "", size: int = PAGE_SIZE
) -> Page[Person]:
    """Return a page of them, the newest first."""
    page = page_keys(_way_keyset(split, arm, now, has_paid=has_paid), cursor=cursor, size=size)
    people = _people(_way_ground(split, arm), page.rows, flag=int(Flag.HOLDOUT))
    return Page(people, older=page.older, newer=page.newer)


def _way_ground(split: Split, arm: int) -> _Ground:
    versions = ",".join(str(int(version_id)) for version_id in split.version_ids)
    node = int(split.node)
    mine = _REACHED.format(alias="r", node=node, versions=versions, arm=f" AND l.arm = {int(arm)}")
    earlier = _REACHED.format(alias="earlier", node=node, versions=versions, arm="")
    condition = f"""r.process_id = %s AND r.flags & 4099 = 0 AND {mine}
        AND NOT EXISTS (SELECT FROM processes_enrolment earlier WHERE earlier.shop_id = r.shop_id
            AND earlier.contact_id = r.contact_id AND earlier.process_id = r.process_id AND earlier.id < r.id
            AND earlier.flags & 4099 = 0 AND {earlier} OFFSET 0)"""  # looked up by the index, as in `first_entries`
    first: _Part = (condition, [split.process.pk])
    return _Ground(split.process.shop_id, split.window, first, _SPLIT_AT.format(node=int(split.node)))


def _way_keyset(split: Split, arm: int, now: datetime, *, has_paid: bool) -> Keyset:
    ground = _way_ground(split, arm)
    parts: list[_Part] = [(f"{ground.begin} <= %s", [now - split.window]), ground.is_not_before()]
    return ground.keyset(*parts, *([ground.is_paid()] if has_paid else []))


def _people(ground: _Ground, keys: Sequence[int], *, flag: int) -> list[Person]:
    is_paid, windows = ground.is_paid()
    statement = _PEOPLE.format(begin=ground.begin, is_paid=is_paid, paid_at=ground.paid_at)
    values: list[Any] = [flag, *windows, ground.window, ground.shop_id, list(keys)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Person(*row) for row in cursor.fetchall()]


_PEOPLE = """
    SELECT r.id, r.contact_id, coalesce(nullif(c.name, ''), c.email, ''), r.subject_kind, r.subject_id,
        coalesce(o.number, ''), {begin}, r.flags & %s <> 0, CASE WHEN {is_paid} THEN {paid_at} END
    FROM processes_enrolment r JOIN customers_contact c ON c.id = r.contact_id
    LEFT JOIN orders_order o ON o.id = r.subject_id AND r.subject_kind = 1
    WHERE r.shop_id = %s AND r.id = ANY(%s) ORDER BY r.id DESC
"""
