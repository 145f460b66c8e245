"""People of groups by the day on which they came in, read at once: whether they paid in their window, and how much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

from django.db import connection

from recoup.analytics.intervals import Group, Sums, added
from recoup.orders.became import order_became

EFFECT, _ARMS, _PROFIT = (
    files(__package__).joinpath(f"sql/{name}.sql").read_text().replace("{order_became_k}", order_became("k"))
    for name in ("effect_by_day", "arms_by_day", "profit")
)
_PEOPLE = EFFECT.index("wanted AS MATERIALIZED")
# The ways of a split are judged by the same statement; only where people begin differs.
ARMS = _ARMS + EFFECT[_PEOPLE:]
# What the same people were worth.
EFFECT_PROFIT, ARMS_PROFIT = EFFECT[:_PEOPLE] + _PROFIT, _ARMS + _PROFIT


@dataclass(frozen=True, slots=True)
class Day:
    """People of one group and currency who came in on one day."""

    day: date
    currency: str
    arm: int  # of a split; of a process 1 is left alone
    part: str  # judged, young (their window is not over), before (they had paid)
    group: Group
    total: Decimal
    squares: Decimal

    @property
    def is_control(self) -> bool:
        """Tell whether they were left alone."""
        return self.arm == 1


def by_day(statement: str, params: Mapping[str, Any]) -> list[Day]:
    """Return the days on which anybody came in, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(statement, dict(params))
        rows = cursor.fetchall()
    return [
        Day(day, currency, arm, part, Group(people, paid), total, squares)
        for day, currency, arm, part, people, paid, total, squares in rows
    ]


def sums_of(days: Sequence[Day]) -> tuple[Sums, int]:
    """Return what these people paid in all, and how many of them did."""
    group = added([one.group for one in days])
    total, squares = sum(float(one.total) for one in days), sum(float(one.squares) for one in days)
    return Sums(group.people, total, squares), group.paid
