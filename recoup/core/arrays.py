"""Array literals of PostgreSQL written by hand, and a quick reader of timestamps: both for batches of hundreds of rows.

The driver adapts a list element by element, which takes longer than the statement itself; these take a tenth (bench_engine).
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from psycopg.abc import Buffer
from psycopg.adapt import Loader
from pydantic_core import to_json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNIT = timedelta(microseconds=1)
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode  # in C; `null` is an array's NULL, too


def numbers(values: Iterable[int | None]) -> str:
    """Return whole numbers as an array literal; cast it in the statement: `%s::bigint[]`."""
    return f"{{{_ENCODE(list(values))[1:-1]}}}"


def instants(values: Iterable[datetime | None]) -> str:
    """Return aware instants as an array literal of microseconds: `%s::bigint[]`, read by `as_instant` in the statement.

    Both sides take a third of the time that instants written out take.
    """
    return numbers(None if value is None else _microseconds(value) for value in values)


@lru_cache(maxsize=4096)
def _microseconds(value: datetime) -> int:
    return (value - _EPOCH) // _UNIT  # of one batch most come several times, in one column after the other


def as_instant(column: str) -> str:
    """Return SQL of ours that reads a column of `instants` as timestamptz; exact to the microsecond until the year 2255."""
    return f"'epoch'::timestamptz + {column} * interval '1 microsecond'"


def spans(values: Iterable[timedelta | None]) -> str:
    """Return spans as an array literal; cast it in the statement: `%s::interval[]`."""
    quoted = ["NULL" if value is None else f'"{value // _UNIT} microseconds"' for value in values]
    return f"{{{','.join(quoted)}}}"


def flags(values: Iterable[bool]) -> str:
    """Return yes and no as an array literal; cast it in the statement: `%s::boolean[]`."""
    return f"{{{','.join(['t' if value else 'f' for value in values])}}}"


def texts(values: Iterable[str | None]) -> str:
    """Return texts as an array literal; cast it in the statement: `%s::text[]`."""
    given = list(values)
    there = [value for value in given if value is not None]
    plain = '","'.join(there)
    if len(there) == len(given) and "\\" not in plain and plain.count('"') == 2 * (len(given) - 1):
        return f'{{"{plain}"}}'  # nothing to quote: a tenth of the time
    quoted = [
        "NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        for value in given
    ]
    return f"{{{','.join(quoted)}}}"


def rows(values: Sequence[object]) -> str:
    """Return plain rows as one JSON text, for `jsonb_array_elements(%s::jsonb)`; a third of the time of `json.dumps`.

    Instants become ISO 8601, decimals texts.
    """
    return to_json(values).decode()


class QuickInstant(Loader):
    """Reads a timestamp of a connection whose time zone is UTC."""

    def load(self, data: Buffer) -> datetime:
        """Return the instant, aware, in UTC."""
        return _instant(bytes(data))


@lru_cache(maxsize=4096)
def _instant(text: bytes) -> datetime:
    return datetime.fromisoformat(text.decode())  # the rows of a batch share many


def read_instants_quickly(cursor: Any) -> None:
    """Let a cursor read timestamps by `QuickInstant`. The connection must speak UTC, as all of ours do."""
    cursor.cursor.adapters.register_loader("timestamptz", QuickInstant)
