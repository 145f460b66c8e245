"""Reads of analytics: the recovery report and the numbers of Home."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from recoup.analytics.figures import Figure, RowFilter
from recoup.analytics.home import HomeTile, tiles_of
from recoup.analytics.periods import Period, Step, slices
from recoup.analytics.report import (
    LateReminders,
    MoneySeries,
    MoneySlice,
    RecoveryReport,
    ReportLine,
    SourceDelay,
)
from recoup.core.money import Money
from recoup.orders.became import order_became
from recoup.shops.models import Shop

_REPORT, _LATE, _DELAYS, _MONEY = (
    files(__package__).joinpath(f"sql/{name}.sql").read_text().replace("{order_became_k}", order_became("k"))
    for name in ("recovery_report", "late_reminders", "source_delays", "money_by_step")
)


def recovery_report(
    shops: Shop | Sequence[Shop],
    *,
    start: datetime,
    end: datetime,
    by: Step | None = None,
    kind: str = "",
    chart: Step = "week",
) -> RecoveryReport:
    """Return the report of shops over a period.

    :param by: one line for each day, week or month in which cases opened, instead of one for the period.
    :param kind: cases of orders or of carts only.
    :param chart: the steps of the series of money, by when it came.
    """
    period = Period(start, end)
    chosen = [shops] if isinstance(shops, Shop) else list(shops)
    return RecoveryReport(
        period=period,
        lines=[line for shop in chosen for line in _lines(shop, period, by, kind)],
        late=[_late(shop, period) for shop in chosen],
        delays=[SourceDelay(*row) for shop in chosen for row in _rows(_DELAYS, shop, period)],
        series=[series for shop in chosen for series in money_series(shop, period, chart, kind=kind)],
    )


def _lines(shop: Shop, period: Period, by: Step | None, kind: str) -> list[ReportLine]:
    zone = ZoneInfo(shop.time_zone)
    cut = {part.first_day: Period(part.start, part.end) for part in slices(period, by, zone)} if by else {}
    return [
        ReportLine(shop, currency, cut[first_day] if first_day else period, first_day, kind, *figures)
        for currency, first_day, *figures in _rows(
            _REPORT, shop, period, step=by or "", zone=shop.time_zone, kind=kind
        )
    ]


def _late(shop: Shop, period: Period) -> LateReminders:
    return LateReminders(shop, period, *_rows(_LATE, shop, period)[0])


def money_series(shop: Shop, period: Period, step: Step, *, kind: str = "") -> list[MoneySeries]:
    """Return recovered money by when it came, no day, week or month left out; one series for each currency."""
    found = {
        (currency, day): (cases, amount)
        for currency, day, cases, amount in _rows(
            _MONEY, shop, period, step=step, zone=shop.time_zone, kind=kind
        )
    }
    parts = slices(period, step, ZoneInfo(shop.time_zone))
    return [
        MoneySeries(
            shop,
            currency,
            [
                MoneySlice(
                    part.first_day,
                    found.get((currency, part.first_day), (0, Decimal(0)))[0],
                    Money(found.get((currency, part.first_day), (0, Decimal(0)))[1], currency),
                    RowFilter(Figure.CAME_IN, part.start, part.end, currency, kind),
                )
                for part in parts
            ],
        )
        for currency in sorted({currency for currency, _ in found} or {shop.currency})
    ]


def _rows(statement: str, shop: Shop, period: Period, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"shop_id": shop.pk, "start": period.start, "end": period.end, **values})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def home_tiles(shop: Shop, *, now: datetime) -> list[HomeTile]:
    """Return the eight numbers of Home, each with the period before, a series and its rows."""
    return tiles_of(shop, now=now)
