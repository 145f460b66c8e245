"""What people of a group were worth: money kept, less what it cost to sell; and the least incentive that does as well.

**Profit** of one person who came in: what was paid and not given back, without its tax, less what the goods cost, the
operator's fee, gifts and the price of messages. A discount needs no line: it is missing from what was paid. Who did not pay
counts with what their messages cost. What some goods cost is the share that the shop set where no product tells it; without
one it is unknown, and then no interval and no answer is given.

**The least that helps.** All pairs of sizes are compared at once, each interval with its part of the allowed errors
(Bonferroni), so that all of them together are right in 95 of 100 trials however often one looks. From the cheapest on: a
size that is surely no worse than any other is the answer; one that is surely worse than another is passed over; one of which
neither is sure ends the search, and there is no answer yet. No worse is what costs at most `TOLERATED` of the profit of the
best. So a dearer one is named in error in 5 of 100 trials at most, ever (`tests/analytics/test_profit.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any, NamedTuple

from django.db import connection

from recoup.analytics.intervals import ALPHA, Interval, Sums, always_valid_mean, corrected
from recoup.offers.settings import get_settings, rules_of, tax_share
from recoup.shops.models import FILE_KIND, OWN_KIND, Shop

TOLERATED = 0.05
WORTH_TELLING = 0.01  # of the people buy in a currency; one buyer's has no profit of its own


class Worth(NamedTuple):
    """What the people of a group were worth in one currency."""

    sums: Sums
    payers: int = 0
    unknown: int = 0  # payers of whose sale nobody knows what it left
    guessed: int = 0  # payers where the shop's share stood in for a cost
    others: int = 0  # messages priced in another currency, which are not counted
    spent: float = 0.0  # discounts, gifts and messages

    @property
    def is_known(self) -> bool:
        """Tell whether nothing that matters is unknown."""
        return not self.unknown and not self.others

    @property
    def spent_each(self) -> float:
        """Return what was spent on a person who came in."""
        return self.spent / self.sums.people if self.sums.people else 0.0


def currencies_told(people: Mapping[str, int]) -> list[str]:
    """Return the currencies in which more than a few of so many people buy."""
    return sorted(one for one, many in people.items() if many > WORTH_TELLING * sum(people.values()))


_NOTHING = Worth(Sums(0, 0.0, 0.0))


def worth_of(
    statement: str, params: Mapping[str, Any], shop: Shop, currency: str, groups: int
) -> list[Worth]:
    """Return what each of so many groups was worth in a currency."""
    rules = rules_of(shop, get_settings(shop), currency)
    values = {
        **params,
        "currency": currency,
        "default_cost": rules.default_cost,
        "fee": rules.fee,
        "fixed_fee": rules.fixed_fee,
        "tax": tax_share(shop, currency),
        "own": OWN_KIND,
        "file": FILE_KIND,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    return [_worth(*rows[arm]) if arm in rows else _NOTHING for arm in range(groups)]


def _worth(
    people: int, total: Decimal, squares: Decimal, payers: int, unknown: int, *more: int | Decimal
) -> Worth:
    guessed, others, spent = more
    return Worth(
        Sums(people, float(total), float(squares)), payers, unknown, int(guessed), int(others), float(spent)
    )


def difference(mine: Worth, first: Worth, *, share: float, alpha: float = ALPHA) -> Interval | None:
    """Return by how much more one person of a group was worth, true at every look; nothing where it is not known.

    :param share: of the second group, as it was set.
    """
    if not (mine.is_known and first.is_known):
        return None
    return always_valid_mean(
        mine.sums, first.sums, payers=(mine.payers, first.payers), share=share, alpha=alpha
    )


@dataclass(frozen=True, slots=True)
class Least:
    """The cheapest of several groups that is surely no worse than any other."""

    number: int
    as_good_as: int | None = None  # the next dearer one that is not surely less; none if all are
    is_dearest: bool = False


def least_that_helps(
    groups: Sequence[Worth], weights: Sequence[int], cheapest_first: Sequence[int]
) -> Least | None:
    """Return the cheapest group that brings no less than any other, once that is sure; nothing before."""
    beside = compared(groups, weights)
    if beside is None:
        return None
    margin = TOLERATED * max(*(one.sums.mean for one in groups), 0.0)
    for place, mine in enumerate(cheapest_first):
        against = {other: beside[mine, other] for other in cheapest_first if other != mine}
        if all(one.low > -margin for one in against.values()):
            dearer = (other for other in cheapest_first[place + 1 :] if against[other].low <= 0)
            return Least(mine, next(dearer, None), is_dearest=place == len(cheapest_first) - 1)
        if not any(one.high < 0 for one in against.values()):
            return None
    return None


def compared(groups: Sequence[Worth], weights: Sequence[int]) -> dict[tuple[int, int], Interval] | None:
    """Return by how much more each group was worth than each other, all true at once; nothing while one is not known."""
    pairs = list(combinations(range(len(groups)), 2))
    alpha, found = corrected(ALPHA, len(pairs)), {}
    for one, other in pairs:
        share = weights[other] / (weights[one] + weights[other])
        interval = difference(groups[one], groups[other], share=share, alpha=alpha)
        if interval is None:
            return None
        found[one, other] = interval
        found[other, one] = Interval(-interval.estimate, -interval.high, -interval.low)
    return found
