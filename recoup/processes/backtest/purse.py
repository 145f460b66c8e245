"""What the pages of one run share about offers: the budgets, and what people have had who may be one with somebody else.

A budget is that of days that are long gone: taken when granted, given back when the offer would lapse.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from recoup.offers.terms import BudgetLimit

_HOUR = timedelta(hours=1)
_ZERO = Decimal(0)

Place = tuple[int, int]  # kind and id of an order or cart; of a person, if it is for whatever they order next


class Had(NamedTuple):
    """An offer that a person has had: in truth, or in thought from this process."""

    place: Place
    granted_at: datetime
    ends_at: datetime
    used_at: datetime | None = None
    is_made_in_shop: bool = False

    def was_used(self, since: datetime, now: datetime) -> bool:
        """Tell whether it was used in a time."""
        return self.used_at is not None and since < self.used_at <= now

    def is_in_force(self, now: datetime) -> bool:
        """Tell whether it could be used."""
        return self.granted_at <= now < self.ends_at and (self.used_at is None or now < self.used_at)


class Left(NamedTuple):
    """An order or cart that was left, and until when it counts."""

    place: Place
    at: datetime
    until: datetime
    cart: tuple[int, str]  # source and number of the cart itself, or of the one that the order was made of


class Budget(NamedTuple):
    """The budget of a block in one of its periods."""

    node: str
    currency: str
    start: datetime


class OfferPurse:
    """What the blocks of one process may spend, of a whole run: its pages come one after another over the same days.

    What is reserved is kept by the hour, so that a page sees what the pages before it hold at the same time.
    """

    def __init__(self, end: datetime) -> None:
        self._end = end  # of the facts: nothing is granted after it
        self._held: dict[Budget, defaultdict[int, Decimal]] = {}
        self._granted: dict[Budget, Decimal] = {}
        self._limits: dict[Budget, Decimal] = {}
        self.linked: dict[
            int, tuple[list[Had], list[Left]]
        ] = {}  # of who may be one with somebody of a later page
        self.refused = 0  # how often a budget was spent: who comes first is then no more than a guess

    def take(self, budget: Budget, limit: BudgetLimit, cost: Decimal, now: datetime, until: datetime) -> bool:
        """Reserve a cost until an instant, unless the budget does not carry it; tell whether it was reserved."""
        held = self._held.setdefault(budget, defaultdict(Decimal))
        hours = range((now - budget.start) // _HOUR, (min(until, self._end) - budget.start) // _HOUR + 1)
        if any(held[hour] + cost > limit.amount for hour in hours):
            self.refused += 1
            return False
        for hour in hours:
            held[hour] += cost
        self._granted[budget] = self._granted.get(budget, _ZERO) + cost
        self._limits[budget] = limit.amount
        return True

    def costs(self) -> dict[str, Decimal]:
        """Return what these offers would cost at most, by currency: in no period more than its budget."""
        found: dict[str, Decimal] = {}
        for budget, granted in self._granted.items():
            cost = min(granted, self._limits[budget])
            found[budget.currency] = found.get(budget.currency, _ZERO) + cost
        return found
