"""Lists paged by key: a page starts where the one before ended and never reads what it passes over (rule 14).

A `Keyset` is put together by a query from names and conditions of its own, its values bound as parameters: nothing from
outside becomes SQL. Sorted by a value and the id, both in the same direction, so that an index serves a page however deep
it lies. Counts are exact up to 10,000 (rule 10).

A search is told apart (`search`): the database cannot know whether ten rows match or half of all, and a walk in the order
of the list until fifty are found would read the whole list for ten. So the matches are fetched by the index of the search,
up to 10,000, and then sorted; only where there are more, which are then never far apart, the list is walked.
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
    # A condition that an index of its own serves, and that may hold for few rows or for most.
    search: str = ""
    search_params: Sequence[Any] = ()
    # A column of a few chosen values, leading the index: one walk for each value, merged.
    branch: str = ""
    branch_values: Sequence[str] = field(default_factory=tuple)
    is_text: bool = False  # the value is a text: cursors name the row alone, for addresses hold no long texts


@dataclass(frozen=True, slots=True)
class _Cursor:
    value: datetime | Decimal | str | None
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
    if parts[1] and not keyset.value:
        return None
    try:
        value = _value(parts, keyset) if keyset.value else None
    except (ValueError, InvalidOperation):
        return None
    return _Cursor(value, int(parts[2]), parts[0] == "newer")


def _value(parts: Sequence[str], keyset: Keyset) -> datetime | Decimal | str:
    """Read the value that a cursor stands at, or find it.

    :raises ValueError: :raises InvalidOperation: if it is none of the list's.
    """
    _side, text, key = parts
    if keyset.is_text:
        statement = f"SELECT r.{keyset.value} FROM {keyset.table} r WHERE r.shop_id = %s AND r.id = %s"  # noqa: S608 - see above
        found = _run(statement, [keyset.shop_id, int(key)])
        if not found:
            raise ValueError(key)
        return str(found[0][0])
    if keyset.value.endswith("_at"):
        at = datetime.fromisoformat(text)
        if at.tzinfo is None:
            raise ValueError(text)
        return at
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _text(side: str, row: tuple[Any, ...]) -> str:
    key, value = row
    if isinstance(value, str):
        value = ""
    return f"{side}~{value.isoformat() if isinstance(value, datetime) else value or ''}~{key}"


def page_keys(keyset: Keyset, *, cursor: str = "", size: int = PAGE_SIZE) -> Page[int]:
    """Return the ids of one page."""
    start = _parse(cursor, keyset)
    is_back = start is not None and start.is_newer
    found = _page(keyset, start, size + 1, descending=keyset.is_descending != is_back)
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


def count_rows(keyset: Keyset, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the rows, up to `most`; all of them when a person asks for the exact number (`None`)."""
    limit = "" if most is None else f"LIMIT {most + 1}"
    if keyset.search and most is not None:
        where, params = _conditions(keyset)
        matches, searched = _matches(keyset)
        rows = f"SELECT FROM matches JOIN {keyset.table} r USING (id) WHERE {where} {limit}"
        few = f"(SELECT count(*) FROM matches) <= {MOST_COUNTED}"  # noqa: S608 - see above
        [(number,)] = _run(
            f"{matches} SELECT CASE WHEN {few} THEN (SELECT count(*) FROM ({rows}) counted) END",  # noqa: S608 - see above
            [*searched, *params],
        )
        if number is not None:
            return _capped(number, most)
        if most <= MOST_COUNTED and not keyset.conditions and not keyset.branch:
            return Count(most, is_capped=True)
    where, params = _conditions(keyset, with_search=True)
    rows = f"SELECT FROM {keyset.table} r WHERE {where} {limit}"
    [(number,)] = _run(f"SELECT count(*) FROM ({rows}) counted", params)  # noqa: S608 - see above
    return _capped(number, most)


def _capped(number: int, most: int | None) -> Count:
    return Count(number) if most is None or number <= most else Count(most, is_capped=True)


def _page(keyset: Keyset, start: _Cursor | None, size: int, *, descending: bool) -> list[tuple[Any, ...]]:
    value, order = _order(keyset, descending=descending)
    beyond, place = _beyond(start, value, descending=descending)
    if keyset.search:
        where, params = _conditions(keyset)
        matches, searched = _matches(keyset)
        rows = f"""SELECT r.id, {value} AS value FROM matches JOIN {keyset.table} r USING (id)
            WHERE m.number <= {MOST_COUNTED} AND {where}{beyond} ORDER BY {order} LIMIT {size}"""  # noqa: S608 - see above
        found = _run(
            f"""{matches} SELECT p.id, p.value, m.number FROM (SELECT count(*) AS number FROM matches) m
                LEFT JOIN LATERAL ({rows}) p ON true""",  # noqa: S608 - see above
            [*searched, *params, *place],
        )
        if found[0][2] <= MOST_COUNTED:
            return [row[:2] for row in found if row[0] is not None]
    where, params = _conditions(keyset, with_search=True, with_branch=False)
    walk = f"SELECT r.id, {value} AS value FROM {keyset.table} r WHERE {where}{beyond}"  # noqa: S608 - as above
    if not keyset.branch:
        return _run(f"{walk} ORDER BY {order} LIMIT {size}", [*params, *place])
    merged = order.replace(value, "p.value").replace("r.id", "p.id")
    branch = f"{walk} AND r.{keyset.branch} = b.value ORDER BY {order} LIMIT {size}"
    return _run(
        f"SELECT p.id, p.value FROM unnest(%s::text[]) AS b (value) CROSS JOIN LATERAL ({branch}) p"  # noqa: S608 - as above
        f" ORDER BY {merged} LIMIT {size}",
        [list(keyset.branch_values), *params, *place],
    )


def _order(keyset: Keyset, *, descending: bool) -> tuple[str, str]:
    direction = "DESC" if descending else "ASC"
    if not keyset.value:
        return "NULL::bigint", f"r.id {direction}"
    return f"r.{keyset.value}", f"r.{keyset.value} {direction}, r.id {direction}"


def _beyond(start: _Cursor | None, value: str, *, descending: bool) -> tuple[str, list[Any]]:
    if start is None:
        return "", []
    sign = "<" if descending else ">"
    if start.value is None:
        return f" AND r.id {sign} %s", [start.id]
    return f" AND ({value}, r.id) {sign} (%s, %s)", [start.value, start.id]


def _matches(keyset: Keyset) -> tuple[str, list[Any]]:
    """Return what the search finds, one more than are sorted; planned by itself, so by the index of the search."""
    return (
        f"WITH matches AS MATERIALIZED (SELECT r.id FROM {keyset.table} r"  # noqa: S608 - see above
        f" WHERE r.shop_id = %s AND {keyset.search} LIMIT {MOST_COUNTED + 1})"
    ), [keyset.shop_id, *keyset.search_params]


def _conditions(
    keyset: Keyset, *, with_search: bool = False, with_branch: bool = True
) -> tuple[str, list[Any]]:
    wanted, params = ["r.shop_id = %s", *keyset.conditions], [keyset.shop_id, *keyset.params]
    if with_search and keyset.search:
        wanted.append(keyset.search)
        params += keyset.search_params
    if with_branch and keyset.branch:
        wanted.append(f"r.{keyset.branch} = ANY(%s)")
        params.append(list(keyset.branch_values))
    return " AND ".join(wanted), params


def _run(statement: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
