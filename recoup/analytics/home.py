"""The eight numbers of Home: each with the period before, a row of numbers for its line, and the rows that it counts.

Sums and rates come from the tallies that the database keeps (`tallies`), counts from short walks along an index that stop at
10,000: none slows down as orders grow to millions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Literal
from zoneinfo import ZoneInfo

from django.db import connection

from recoup.analytics.figures import Figure, RowFilter, count_rows_of
from recoup.analytics.models import CaseTally
from recoup.analytics.periods import Period, before, last_days, slices
from recoup.analytics.tallies import tally_by_day
from recoup.core.money import Money
from recoup.core.paging import MOST_COUNTED, Count
from recoup.shops.models import Shop

_SENT = files(__package__).joinpath("sql/sent_by_day.sql").read_text()
_Tally = CaseTally.Figure
_BOTH = ("order", "cart")

TileKey = Literal[
    "unpaid_now",
    "money_waiting",
    "reminders_due",
    "sent_7_days",
    "recovered_30_days",
    "rate_30_days",
    "uncertain",
    "attention",
]


@dataclass(frozen=True, slots=True)
class HomeTile:
    """One number. Of `count`, `share` and `money` one is told; `previous_…` is the same for the period before.

    Counts and money waiting are compared with a week ago; sent reminders, recovered money and the rate with as many days
    before; reminders due in a day with those sent in the last. What nobody kept has no period before.
    """

    key: TileKey
    rows: RowFilter
    count: Count | None = None
    share: Decimal | None = None  # of nothing it is unknown
    money: Sequence[Money] = ()
    previous_count: int | None = None
    previous_share: Decimal | None = None
    previous_money: Sequence[Money] = ()
    series: Sequence[float] = field(default_factory=tuple)  # oldest first; money in the shop's currency


def tiles_of(shop: Shop, *, now: datetime) -> list[HomeTile]:
    """Return the eight numbers, in their order."""
    zone = ZoneInfo(shop.time_zone)
    fortnight = last_days(14, now=now, zone=zone)
    return [
        _unpaid_now(shop, fortnight, zone),
        _money_waiting(shop, fortnight, zone),
        *_reminders(shop, now, zone),
        _recovered(shop, now, zone),
        _rate(shop, now, zone),
        HomeTile(
            "uncertain",
            RowFilter(Figure.UNCERTAIN),
            count=count_rows_of(shop, RowFilter(Figure.UNCERTAIN)),
        ),
        _attention(shop, now),
    ]


def _standing(shop: Shop, figure: str, period: Period, zone: ZoneInfo) -> dict[str, list[Decimal]]:
    """Return what a number stood at when the period began and at the end of each of its days, by currency."""
    days = [part.start for part in slices(period, "day", zone)]
    stood: dict[str, list[Decimal]] = {}
    for currency, stretch, change in tally_by_day(shop, figure, kinds=("order",), days=days):
        changes = stood.setdefault(currency, [Decimal(0)] * (len(days) + 1))
        changes[stretch] = change
    return {currency: _running(changes) for currency, changes in stood.items()}


def _running(changes: Sequence[Decimal]) -> list[Decimal]:
    total, found = Decimal(0), []
    for change in changes:
        total += change
        found.append(total)
    return found


def _unpaid_now(shop: Shop, period: Period, zone: ZoneInfo) -> HomeTile:
    stood = _standing(shop, _Tally.OPEN, period, zone)
    sums = [int(sum(column)) for column in zip(*stood.values(), strict=True)] or [0] * 15
    return HomeTile(
        "unpaid_now",
        RowFilter(Figure.OPEN_NOW, kind="order"),
        count=Count(sums[-1]),
        previous_count=sums[7],
        series=[float(one) for one in sums[1:]],
    )


def _money_waiting(shop: Shop, period: Period, zone: ZoneInfo) -> HomeTile:
    stood = _standing(shop, _Tally.WAITING, period, zone)
    return HomeTile(
        "money_waiting",
        RowFilter(Figure.OPEN_NOW, kind="order"),
        money=_sums({currency: sums[-1] for currency, sums in stood.items()}, shop),
        previous_money=_sums({currency: sums[7] for currency, sums in stood.items()}, shop),
        series=[float(one) for one in stood.get(shop.currency, [Decimal(0)] * 15)[1:]],
    )


def _sums(found: dict[str, Decimal], shop: Shop) -> list[Money]:
    """Return sums of all currencies in which there is something; nothing is zero in the shop's own."""
    sums = [Money(amount, currency) for currency, amount in sorted(found.items()) if amount]
    return sums or [Money(Decimal(0), shop.currency)]


def _reminders(shop: Shop, now: datetime, zone: ZoneInfo) -> list[HomeTile]:
    day = timedelta(days=1)
    soon = RowFilter(Figure.SENDS_SOON, end=now + day)
    week = last_days(7, now=now, zone=zone)
    days = slices(Period(before(week, zone=zone).start, week.end), "day", zone)
    *sent, last_day = _sent(shop, [*((part.start, part.end) for part in days), (now - day, now)])
    rows = RowFilter(Figure.SENT, week.start, week.end)
    total = sum(sent[7:])
    return [
        HomeTile(
            "reminders_due",
            soon,
            count=count_rows_of(shop, soon),
            previous_count=last_day,
            series=[float(one) for one in sent],
        ),
        HomeTile(
            "sent_7_days",
            rows,
            count=Count(min(total, MOST_COUNTED), is_capped=total > MOST_COUNTED),
            previous_count=min(sum(sent[:7]), MOST_COUNTED),
            series=[float(one) for one in sent],
        ),
    ]


def _sent(shop: Shop, parts: Sequence[tuple[datetime, datetime]]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            _SENT,
            {
                "shop_id": shop.pk,
                "starts": [start for start, _ in parts],
                "ends": [end for _, end in parts],
                "most": MOST_COUNTED + 1,
            },
        )
        return [int(row[0]) for row in cursor.fetchall()]


def _changes(shop: Shop, figure: str, period: Period, zone: ZoneInfo) -> dict[str, list[Decimal]]:
    """Return the changes of a number on each day of a period, by currency."""
    days = [part.start for part in slices(period, "day", zone)]
    found: dict[str, list[Decimal]] = {}
    for currency, stretch, change in tally_by_day(shop, figure, kinds=_BOTH, days=[*days, period.end]):
        if 0 < stretch <= len(days):
            found.setdefault(currency, [Decimal(0)] * len(days))[stretch - 1] = change
    return found


def _recovered(shop: Shop, now: datetime, zone: ZoneInfo) -> HomeTile:
    month = last_days(30, now=now, zone=zone)
    both = Period(before(month, zone=zone).start, month.end)
    found = _changes(shop, _Tally.MONEY, both, zone)
    return HomeTile(
        "recovered_30_days",
        RowFilter(Figure.CAME_IN, month.start, month.end),
        money=_sums({currency: sum(days[30:], Decimal(0)) for currency, days in found.items()}, shop),
        previous_money=_sums(
            {currency: sum(days[:30], Decimal(0)) for currency, days in found.items()}, shop
        ),
        series=[float(one) for one in found.get(shop.currency, [Decimal(0)] * 60)[30:]],
    )


def _rate(shop: Shop, now: datetime, zone: ZoneInfo) -> HomeTile:
    month = last_days(30, now=now, zone=zone)
    both = Period(before(month, zone=zone).start, month.end)
    messaged, recovered = (
        [sum(column, Decimal(0)) for column in zip(*_changes(shop, figure, both, zone).values(), strict=True)]
        or [Decimal(0)] * 60
        for figure in (_Tally.MESSAGED, _Tally.RECOVERED)
    )
    return HomeTile(
        "rate_30_days",
        RowFilter(Figure.MESSAGED, month.start, month.end),
        share=_share(recovered[30:], messaged[30:]),
        previous_share=_share(recovered[:30], messaged[:30]),
        # By spans of five days: a single day says little.
        series=[
            float(_share(recovered[first : first + 5], messaged[first : first + 5]) or 0)
            for first in range(0, 60, 5)
        ],
    )


def _share(part: Sequence[Decimal], whole: Sequence[Decimal]) -> Decimal | None:
    return sum(part, Decimal(0)) / sum(whole, Decimal(0)) if sum(whole) else None


def _attention(shop: Shop, now: datetime) -> HomeTile:
    rows = RowFilter(Figure.ATTENTION)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM core_attention WHERE shop_id = %(shop_id)s AND opened_at <= %(then)s"
            " AND (settled_at IS NULL OR settled_at > %(then)s) LIMIT %(most)s) open_then",
            {"shop_id": shop.pk, "then": now - timedelta(days=7), "most": MOST_COUNTED},
        )
        before_a_week = int(cursor.fetchone()[0])
    return HomeTile("attention", rows, count=count_rows_of(shop, rows), previous_count=before_a_week)
