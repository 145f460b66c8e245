"""The recovery report and what processes brought as CSV files, numbers as numbers."""

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.http import HttpResponse
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.analytics.brought import Brought, brought_in
from recoup.analytics.intervals import Interval
from recoup.analytics.queries import recovery_report
from recoup.shops.access import Seat, shops_with
from recoup.web.csv_cells import plain_cell
from recoup.web.doors import StaffRequest, staff, zone_of
from recoup.web.listing import Address
from recoup.web.views.report import asked_report
from recoup.web.words import steps

Cell = str | int | float | Decimal | None


@staff(Right.SEE_REPORTS)
def report_file(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Download the lines of the report: one for each shop and currency."""
    known = shops_with(seat.user, Right.SEE_REPORTS)
    asked = asked_report(Address(request), seat, known, request.now, zone_of(seat.shop))
    found = recovery_report(asked.shops, start=asked.period.start, end=asked.period.end, kind=asked.kind)
    head = [
        _("Shop"), _("Currency"), _("From"), _("Until"), _("Cases"), _("Got a reminder"), _("Reminders"), _("Recovered"),
        _("Rate"), _("Money recovered"), _("Still open"),
    ]  # fmt: skip
    rows = [
        [
            line.shop.name, line.currency, asked.period.start.isoformat(), asked.period.end.isoformat(), line.cases,
            line.messaged, line.messages, line.recovered, _rounded(line.rate), line.money.amount, line.open,
        ]
        for line in found.lines
    ]  # fmt: skip
    return _file("recovery.csv", head, rows)


@staff(Right.SEE_REPORTS)
def brought_file(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Download what processes brought: one line for each process, share and currency; what is unknown is empty."""
    known = shops_with(seat.user, Right.SEE_REPORTS)
    asked = asked_report(Address(request), seat, known, request.now, zone_of(seat.shop))
    head = [
        _("Shop"), _("Process"), _("Share left alone"), _("Currency"), _("Credited cases"), _("Credited money"),
        _("Written to"), _("Written to, paid"), _("Left alone"), _("Left alone, paid"), _("More paid, at least"),
        _("More paid, best guess"), _("More paid, at most"), _("More money, at least"), _("More money, best guess"),
        _("More money, at most"),
    ]  # fmt: skip
    rows = [
        row
        for shop in asked.shops
        for one in brought_in(shop, asked.period, kind=asked.kind, now=request.now)
        for row in _brought_rows(one)
    ]
    return _file("brought.csv", head, rows)


def _brought_rows(one: Brought) -> list[list[Cell]]:
    effect, process = one.effect, one.effect.scope.process
    name = steps.process_name(process) if process is not None else _("All processes together")
    credited = {each.money.currency: each for each in one.credited}
    money = {each.currency: each for each in effect.money}
    rows: list[list[Cell]] = []
    for currency in sorted({*credited, *money}):
        of_currency, mine = credited.get(currency), money.get(currency)
        rows.append(
            [
                effect.scope.shop.name,
                name,
                effect.scope.share,
                currency,
                of_currency.cases if of_currency else 0,
                of_currency.money.amount if of_currency else Decimal(0),
                effect.treated.people,
                effect.treated.paid,
                effect.control.people,
                effect.control.paid,
                *_three(effect.more_paid),
                *_three(mine.in_all if mine else None),
            ]
        )
    return rows


def _three(interval: Interval | None) -> list[Cell]:
    if interval is None:
        return [None, None, None]
    return [round(value, 2) for value in (interval.low, interval.estimate, interval.high)]


def _rounded(rate: Decimal | None) -> Decimal | None:
    return rate.quantize(Decimal("0.0001")) if rate is not None else None


def _file(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(head)
    for row in rows:
        writer.writerow([plain_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return response
