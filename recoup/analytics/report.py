"""What the recovery report is made of: what opened in a period, what was written, what came back (O1-O3).

All figures of cases are about those that opened in the period, so that a late payment restates the period it belongs to.
Money is never added across currencies; what was given back is subtracted. How it is counted is said in `DEFINITION`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from recoup.analytics.figures import Figure, RowFilter
from recoup.analytics.periods import Period
from recoup.core.money import Money
from recoup.shops.models import Shop

DEFINITION = _(
    "An order counts as recovered when it was unpaid, at least one reminder was sent for it, and it was then paid before its"
    " case lapsed (30 days). The rate is recovered cases out of those that got at least one reminder. A case belongs to the"
    " period in which it opened; a payment learnt later restates that period. Money given back is subtracted. Orders marked"
    " False are left out."
)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """The numbers of one shop, one currency and one period."""

    shop: Shop
    currency: str
    period: Period
    first_day: date | None  # of the day, week or month; none for the whole period
    kind: str
    cases: int
    messaged: int  # cases that got at least one message
    messages: int
    recovered: int
    refunded: int  # recovered ones of which something was given back
    unaided: int
    superseded: int
    became_order: int
    cancelled: int
    lapsed: int
    open: int
    taken: Decimal
    given_back: Decimal

    @property
    def rate(self) -> Decimal | None:
        """Return the share that was recovered; of nothing it is unknown."""
        return Decimal(self.recovered) / self.messaged if self.messaged else None

    @property
    def money(self) -> Money:
        """Return what came back and stayed."""
        return Money(self.taken - self.given_back, self.currency)

    def rows(self, figure: Figure) -> RowFilter:
        """Return the rows that a number of this line counts."""
        return RowFilter(figure, self.period.start, self.period.end, self.currency, self.kind)


@dataclass(frozen=True, slots=True)
class LateReminders:
    """Reminders of a shop that were handed over after the payment, although nobody could know; and after we knew."""

    shop: Shop
    period: Period
    after_known: int
    before_known: int

    def rows(self, figure: Figure) -> RowFilter:
        """Return the rows of either number."""
        return RowFilter(figure, self.period.start, self.period.end)


@dataclass(frozen=True, slots=True)
class SourceDelay:
    """How long after the payment a source told us of it."""

    source_id: int
    name: str
    orders: int
    mean: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True)
class MoneySlice:
    """What came back in one day, week or month; zero where nothing did."""

    first_day: date
    cases: int
    money: Money
    rows: RowFilter


@dataclass(frozen=True, slots=True)
class MoneySeries:
    """Recovered money over time, of one shop in one currency."""

    shop: Shop
    currency: str
    slices: Sequence[MoneySlice]


@dataclass(frozen=True, slots=True)
class RecoveryReport:
    """Everything the report shows."""

    period: Period
    lines: Sequence[ReportLine]  # by shop, currency and, if asked, day, week or month
    late: Sequence[LateReminders]  # by shop
    delays: Sequence[SourceDelay]
    series: Sequence[MoneySeries]

    @property
    def cases(self) -> int:
        """Return how many cases opened; counts may be added over currencies, money never."""
        return sum(line.cases for line in self.lines)

    @property
    def rate(self) -> Decimal | None:
        """Return the share recovered over all shops and currencies."""
        messaged = sum(line.messaged for line in self.lines)
        return Decimal(sum(line.recovered for line in self.lines)) / messaged if messaged else None

    @property
    def money(self) -> tuple[Money, ...]:
        """Return what came back, one sum for each currency."""
        sums: dict[str, Decimal] = {}
        for line in self.lines:
            sums[line.currency] = sums.get(line.currency, Decimal(0)) + line.money.amount
        return tuple(Money(amount, currency) for currency, amount in sorted(sums.items()))
