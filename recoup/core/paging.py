"""Lists paged by key: a page starts where the one before ended and never reads what it passes over (rule 14).

A `Keyset` is put together by a query from names and conditions of its own, its values bound as parameters: nothing from
outside becomes SQL. Sorted by a value and the id, both in the same direction, so that an index serves a page however deep
it lies. Counts are exact up to 10,000 (rule 10).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar

from django.db import connection

MOST_COUNTED = 10_000
PAGE_SIZE = 50

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Rows, and the cursors of the pages on both sides; empty where there is none."""

    rows: Sequence[Row]
    older: str = ""  # further down the list
    newer: str = ""  # back towards its beginning


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are; more than this when `is_capped`."""

    number: int
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class Keyset:
    """What a list shows: a table, what its rows must meet, and the value that it is sorted by."""

    table: str
    shop_id: int
    value: str = ""  # column; sorted by id alone when empty
    is_descending: bool = True
    conditions: Sequence[str] = ()  # over the alias `r`
    params: Sequence[Any] = ()
    # A column of a few chosen values, leading the index: one walk for each value, merged.
    branch: str = ""
    branch_values: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class _Cursor:
    value: datetime | Decimal | None
    id: int
    is_newer: bool


def _parse(cursor: str, keyset: Keyset) -> _Cursor | None:
    """Read a cursor; one that nobody of ours made starts the list anew."""
    parts = cursor.split("~")
    if (
        len(parts) != 3
        or parts[0] not in ("older", "newer")
        or not parts[2].isdecimal()
        or len(parts[2]) > 18
    ):
        return None
    value: datetime | Decimal | None = None
    if parts[1] and not keyset.value:
        return None
    try:
        if keyset.value.endswith("_at"):
            value = datetime.fromisoformat(parts[1])
            if value.tzinfo is None:
                return None
        elif keyset.value:
            value = Decimal(parts[1])
            if not value.is_finite():
                return None
    except (ValueError, InvalidOperation):
        return None
    return _Cursor(value, int(parts[2]), parts[0] == "newer")


def _text(side: str, row: tuple[Any, ...]) -> str:
    key, value = row
    return f"{side}~{value.isoformat() if isinstance(value, datetime) else value or ''}~{key}"


def page_keys(keyset: Keyset, *, cursor: str = "", size: int = PAGE_SIZE) -> Page[int]:
    """Return the ids of one page."""
    start = _parse(cursor, keyset)
    is_back = start is not None and start.is_newer
    statement, params = _statement(keyset, start, size + 1, descending=keyset.is_descending != is_back)
    with connection.cursor() as db:
        db.execute(statement, params)
        found = db.fetchall()
    has_more, found = len(found) > size, found[:size]
    if is_back:
        found.reverse()
    if not found:
        return Page([])
    return Page(
        [row[0] for row in found],
        older=_text("older", found[-1]) if has_more or is_back else "",
        newer=_text("newer", found[0]) if (has_more if is_back else start is not None) else "",
    )


def _statement(
    keyset: Keyset, start: _Cursor | None, size: int, *, descending: bool
) -> tuple[str, list[Any]]:
    direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
    where, params = _where(keyset)
    if keyset.value:
        value, order = f"r.{keyset.value}", f"r.{keyset.value} {direction}, r.id {direction}"
    else:
        value, order = "NULL::bigint", f"r.id {direction}"
    if start is not None and keyset.value:
        where += f" AND ({value}, r.id) {beyond} (%s, %s)"
        params += [start.value, start.id]
    elif start is not None:
        where += f" AND r.id {beyond} %s"
        params.append(start.id)
    walk = f"SELECT r.id, {value} AS value FROM {keyset.table} r WHERE {where}"  # noqa: S608 - see above
    if not keyset.branch:
        return f"{walk} ORDER BY {order} LIMIT {size}", params
    merged = order.replace(value, "p.value").replace("r.id", "p.id")
    branch = f"{walk} AND r.{keyset.branch} = b.value ORDER BY {order} LIMIT {size}"
    merge = (
        f"SELECT p.id, p.value FROM unnest(%s::text[]) AS b (value) CROSS JOIN LATERAL ({branch}) p"  # noqa: S608
        f" ORDER BY {merged} LIMIT {size}"
    )
    return merge, [list(keyset.branch_values), *params]


def _where(keyset: Keyset) -> tuple[str, list[Any]]:
    where = " AND ".join(("r.shop_id = %s", *keyset.conditions))
    return where, [keyset.shop_id, *keyset.params]


def count_rows(keyset: Keyset, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the rows, up to `most`; all of them when a person asks for the exact number (`None`)."""
    where, params = _where(keyset)
    if keyset.branch:
        where += f" AND r.{keyset.branch} = ANY(%s)"
        params.append(list(keyset.branch_values))
    limit = "" if most is None else f" LIMIT {most + 1}"
    with connection.cursor() as db:
        rows = f"SELECT FROM {keyset.table} r WHERE {where}{limit}"
        db.execute(f"SELECT count(*) FROM ({rows}) counted", params)  # noqa: S608 - see above
        number = int(db.fetchone()[0])
    return Count(number) if most is None or number <= most else Count(most, is_capped=True)
