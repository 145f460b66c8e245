"""The numbers of cases that the database keeps up: folding them, checking them against the rows, making them anew."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

from django.db import connection, transaction

from recoup.shops.models import Shop

_FROM_ROWS = files(__package__).joinpath("sql/case_tallies.sql").read_text()
FOLDED_AT_ONCE = 20_000
_FOLDING = 7_231_001  # key of the advisory lock: one folds at a time

# Changes older than this are kept by month: Home looks at sixty days, and before them only at the sum.
FINE_FOR = timedelta(days=100)

# Cross shops: folding is the same for all of them and changes no number. `gone` are rows to be added up into `at`.
_ADD_UP = """, summed AS (
    INSERT INTO analytics_casetally AS t (shop_id, figure, kind, currency, at, value, is_folded)
    SELECT shop_id, figure, kind, currency, at, sum(value), true FROM (
        SELECT shop_id, figure, kind, currency, value,
               CASE WHEN at < %(coarse)s THEN date_trunc('month', at, 'UTC') ELSE at END AS at
        FROM gone
    ) moved
    GROUP BY shop_id, figure, kind, currency, at ORDER BY shop_id, figure, kind, currency, at
    ON CONFLICT (shop_id, figure, kind, currency, at) WHERE is_folded DO UPDATE SET value = t.value + excluded.value
)
SELECT count(*) FROM gone
"""
_FOLD_LOOSE = f"""
WITH gone AS (
    DELETE FROM analytics_casetally
    WHERE id IN (SELECT id FROM analytics_casetally WHERE NOT is_folded ORDER BY id LIMIT %(most)s)
    RETURNING shop_id, figure, kind, currency, at, value
){_ADD_UP}"""  # noqa: S608 - put together from names in this file
_FOLD_OLD = f"""
WITH gone AS (
    DELETE FROM analytics_casetally
    WHERE id IN (SELECT id FROM analytics_casetally
                 WHERE is_folded AND at < %(coarse)s AND at <> date_trunc('month', at, 'UTC') ORDER BY at LIMIT %(most)s)
    RETURNING shop_id, figure, kind, currency, at, value
){_ADD_UP}"""  # noqa: S608 - put together from names in this file


@dataclass(frozen=True, slots=True)
class Drift:
    """A number that is not what the rows say."""

    figure: str
    kind: str
    currency: str
    at: datetime
    kept: Decimal
    counted: Decimal


def coarse_before(now: datetime) -> datetime:
    """Return the beginning of the first month that is kept by quarters of an hour."""
    month = (now - FINE_FOR).astimezone(UTC)
    return month.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def fold_tallies(*, now: datetime, most: int = FOLDED_AT_ONCE) -> int:
    """Add up changes of the same quarter of an hour, old ones of the same month, into one row each.

    Returns how many rows were folded. No number changes.
    """
    done = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_FOLDING])
        if not cursor.fetchone()[0]:
            return 0
        # Two statements: the second adds to rows that the first has written.
        for statement in (_FOLD_LOOSE, _FOLD_OLD):
            cursor.execute(statement, {"most": most, "coarse": coarse_before(now)})
            done += int(cursor.fetchone()[0])
    return done


def drifts(shop: Shop, *, now: datetime) -> list[Drift]:
    """Return the kept numbers of a shop that differ from its cases, old ones by month; none is as it must be."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH kept AS (SELECT figure, kind, currency, at, value FROM analytics_casetally"  # noqa: S608 - ours
            f" WHERE shop_id = %(shop_id)s), counted AS ({_FROM_ROWS}), both_sides AS ("
            " SELECT figure, kind, currency,"
            "  CASE WHEN at < %(coarse)s THEN date_trunc('month', at, 'UTC') ELSE at END AS at, value, 0 AS rows"
            "  FROM kept"
            " UNION ALL SELECT figure, kind, currency,"
            "  CASE WHEN at < %(coarse)s THEN date_trunc('month', at, 'UTC') ELSE at END, 0, value FROM counted)"
            " SELECT figure, kind, currency, at, sum(value), sum(rows) FROM both_sides"
            " GROUP BY 1, 2, 3, 4 HAVING sum(value) <> sum(rows) ORDER BY 1, 2, 3, 4",
            {"shop_id": shop.pk, "coarse": coarse_before(now)},
        )
        return [Drift(*row) for row in cursor.fetchall()]


def rebuild_tallies(shop: Shop) -> None:
    """Make the numbers of a shop anew from its cases. Whoever changes a case waits for it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE recovery_recoverycase IN SHARE MODE")
        cursor.execute("DELETE FROM analytics_casetally WHERE shop_id = %s", [shop.pk])
        cursor.execute(
            "INSERT INTO analytics_casetally (shop_id, figure, kind, currency, at, value, is_folded)"  # noqa: S608 - text of this file
            f" SELECT %(shop_id)s, r.*, true FROM ({_FROM_ROWS}) r",
            {"shop_id": shop.pk},
        )


def tally_of(shop: Shop, figure: str, *, kinds: Sequence[str] = ("order", "cart")) -> dict[str, Decimal]:
    """Return what a number adds up to, by currency."""
    return {currency: value for currency, _, value in tally_by_day(shop, figure, kinds=kinds, days=())}


def tally_by_day(
    shop: Shop, figure: str, *, kinds: Sequence[str], days: Sequence[datetime]
) -> list[tuple[str, int, Decimal]]:
    """Return the changes of a number by currency and stretch of time.

    `days` are instants in order; stretch 0 lies before the first of them, stretch n begins at the n-th. Read by the key of
    the shop and the number; rows of years ago are few, because they are folded.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency, width_bucket(at, %(days)s::timestamptz[]), sum(value) FROM analytics_casetally"
            " WHERE shop_id = %(shop_id)s AND figure = %(figure)s AND kind = ANY(%(kinds)s)"
            " GROUP BY 1, 2 ORDER BY 1, 2"
            if days
            else "SELECT currency, 0, sum(value) FROM analytics_casetally"
            " WHERE shop_id = %(shop_id)s AND figure = %(figure)s AND kind = ANY(%(kinds)s)"
            " GROUP BY 1 HAVING sum(value) <> 0 ORDER BY 1",
            {"shop_id": shop.pk, "figure": figure, "kinds": list(kinds), "days": list(days)},
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return [(currency, stretch, value) for currency, stretch, value in rows]
