"""The recovery report in words and links: every number leads to its rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.analytics.brought import Brought
from recoup.analytics.figures import Figure
from recoup.analytics.periods import Period
from recoup.analytics.report import LateReminders, RecoveryReport, ReportLine, SourceDelay
from recoup.core import humane
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.effect_screens import BroughtRow
from recoup.web.listing import with_query
from recoup.web.parts import Tile, Words
from recoup.web.screens import CountLink, PromiseRow, ReportRow
from recoup.web.shown.figures import credited_url, figure_url
from recoup.web.words import effects as words
from recoup.web.words import steps


def _language() -> str:
    return get_language() or "en"


def period_words(period: Period, zone: ZoneInfo) -> str:
    """Write a period: "1 Jan 2026 – 22 Nov 2026, time of Europe/Warsaw"."""
    first = humane.day(period.start, zone, _language())
    last = humane.day(period.end - timedelta(microseconds=1), zone, _language())
    span = first if first == last else f"{first} – {last}"
    return _("%(span)s, days of %(zone)s") % {"span": span, "zone": zone.key}


def _counted(line: ReportLine, figure: Figure, number: int) -> CountLink:
    return CountLink(humane.number(number, _language()), figure_url(line.shop, line.rows(figure)))


def report_rows(report: RecoveryReport) -> list[ReportRow]:
    """Return one line for each shop and currency."""
    return [
        ReportRow(
            label=line.shop.name,
            currency=line.currency,
            cases=_counted(line, Figure.CASES, line.cases),
            messaged=_counted(line, Figure.MESSAGED, line.messaged),
            messages=_counted(line, Figure.MESSAGES, line.messages),
            recovered=_counted(line, Figure.RECOVERED, line.recovered),
            rate=CountLink(
                humane.percent(line.rate, _language(), 2), figure_url(line.shop, line.rows(Figure.MESSAGED))
            ),
            money=CountLink(
                humane.money(line.money, _language()), figure_url(line.shop, line.rows(Figure.RECOVERED))
            ),
            still_open=_counted(line, Figure.OPEN, line.open),
        )
        for line in report.lines
    ]


def report_tiles(report: RecoveryReport, kind: str) -> list[Tile]:
    """Return the four numbers above the chart. Over several currencies a number leads to the lines that it adds up."""
    lines = report.lines
    money = [sum_ for sum_ in report.money if sum_.amount] or list(report.money[:1])
    shown = " · ".join(humane.money_whole(sum_, _language()) for sum_ in money)
    numbers: list[tuple[Words, str, Figure]] = [
        (_("Money recovered"), shown or humane.NO_VALUE, Figure.RECOVERED),
        (_("Recovery rate"), humane.percent(report.rate, _language(), 2), Figure.MESSAGED),
        (_("Recovered"), _sum([line.recovered for line in lines]), Figure.RECOVERED),
        (_carts_too(kind), _sum([line.cases for line in lines]), Figure.CASES),
    ]
    return [
        Tile(label, value, _rows_url(report, figure), is_hero=index == 0)
        for index, (label, value, figure) in enumerate(numbers)
    ]


def _carts_too(kind: str) -> str:
    return {"order": _("Unpaid orders"), "cart": _("Carts left")}.get(kind, _("Unpaid orders and carts"))


def _sum(numbers: list[int]) -> str:
    return humane.number(sum(numbers), _language())


def _rows_url(report: RecoveryReport, figure: Figure) -> str:
    """Return where a number of the whole report leads: its rows if they are of one shop, else its lines below."""
    shops = {line.shop.pk for line in report.lines}
    if len(shops) != 1:
        return "#by-shop"
    line = report.lines[0]
    rows = line.rows(figure)
    currency = line.currency if len(report.lines) == 1 else ""
    return figure_url(line.shop, type(rows)(figure, rows.start, rows.end, currency, line.kind))


def promise_rows(report: RecoveryReport) -> list[PromiseRow]:
    """Return the two numbers of messages after payment, for each shop: computed, and leading to their rows."""
    with_shop = len(report.late) > 1
    delay = _delay_words(list(report.delays))
    found = []
    for late in report.late:
        end = f", {late.shop.name}" if with_shop else ""
        found.append(
            PromiseRow(
                _("After we knew of the payment") + end,
                _late(late, Figure.AFTER_KNOWN, late.after_known),
                _("No reminder left after the payment was known here.")
                if late.after_known == 0
                else _("This must never happen. Open the messages and tell us."),
                is_kept=late.after_known == 0,
            )
        )
        found.append(
            PromiseRow(
                _("After the payment, before we could know") + end,
                _late(late, Figure.BEFORE_KNOWN, late.before_known),
                delay,
            )
        )
    return found


def _late(late: LateReminders, figure: Figure, number: int) -> CountLink:
    return CountLink(humane.number(number, _language()), figure_url(late.shop, late.rows(figure)))


def _delay_words(delays: list[SourceDelay]) -> str:
    """Say how late each source told of payments."""
    told = [delay for delay in delays if delay.orders]
    if not told:
        return _("No unpaid order was paid in this period, so no delay is known.")
    return " ".join(
        ngettext(
            "%(source)s told of %(n)s payment %(mean)s after it, %(longest)s at the longest.",
            "%(source)s told of %(n)s payments %(mean)s after them on average, %(longest)s at the longest.",
            delay.orders,
        )
        % {
            "source": delay.name,
            "n": humane.number(delay.orders, _language()),
            "mean": humane.duration(delay.mean, _language()),
            "longest": humane.duration(delay.longest, _language()),
        }
        for delay in told
    )


def brought_rows(seat: Seat, found: Sequence[Brought], now: datetime) -> list[BroughtRow]:
    """Return what each process is credited with beside what it brought: never a number without its range (O3)."""
    with_shop = len({one.effect.scope.shop.pk for one in found}) > 1
    return [_brought_row(seat, one, now, with_shop=with_shop) for one in found]


def _brought_row(seat: Seat, one: Brought, now: datetime, *, with_shop: bool) -> BroughtRow:
    scope, effect = one.effect.scope, one.effect
    name = steps.process_name(scope.process) if scope.process is not None else _("All processes together")
    is_mine = scope.shop.pk == seat.shop.pk and seat.may(Right.SEE_PROCESSES)
    url = place(seat, "process_result", scope.process.pk) if is_mine and scope.process is not None else ""
    cases = CountLink(humane.NO_VALUE)
    if scope.process is not None:
        number = humane.number(sum(each.cases for each in one.credited), _language())
        cases = CountLink(number, credited_url(scope, now))
    return BroughtRow(
        label=f"{name}, {scope.shop.name}" if with_shop else name,
        url=with_query(url, {"stretch": str(scope.stretch.after)}) if url and scope.stretch.after else url,
        credited=cases,
        credited_money=[humane.money(each.money, _language()) for each in one.credited],
        treated=words.group(effect.treated),
        alone=words.group(effect.control) if effect.has_control else humane.NO_VALUE,
        brought=words.brought(effect),
        brought_money=[words.brought_money(each) for each in effect.money] if effect.has_control else [],
        detail=words.why_unknown(effect),
    )
