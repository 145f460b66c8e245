"""Recovered money over time, as charts: one for each currency, every week shown, empty ones as empty."""

from datetime import date

from babel.dates import format_date
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.analytics.report import MoneySeries
from recoup.core import humane
from recoup.core.money import Money
from recoup.web.parts import Chart, ChartSeries
from recoup.web.shown.figures import figure_url


def money_chart(series: MoneySeries, *, with_shop: bool = False) -> Chart:
    """Return the chart of a shop's recovered money by week."""
    language = get_language() or "en"
    shown = [humane.money(part.money, language) for part in series.slices]
    title = _("Recovered by week")
    return Chart(
        title=f"{title}, {series.shop.name}" if with_shop else title,
        labels=[_short(part.first_day) for part in series.slices],
        titles=[_("Week of %(day)s") % {"day": _long(part.first_day)} for part in series.slices],
        series=[ChartSeries(_("Recovered"), [float(part.money.amount) for part in series.slices], shown)],
        summary=_summary(series, language),
        period_label=_("Week"),
        currency=series.currency,
        urls=[figure_url(series.shop, part.rows) for part in series.slices],
    )


def _summary(series: MoneySeries, language: str) -> str:
    """Say in a sentence what the chart shows."""
    amounts = [part.money.amount for part in series.slices]
    if not any(amounts):
        return _("Nothing came back in this time.")
    best = max(series.slices, key=lambda part: part.money.amount)
    total = humane.money(Money(sum(amounts, start=amounts[0] * 0), series.currency), language)
    return _("%(total)s came back; the best week was that of %(day)s with %(sum)s.") % {
        "total": total,
        "day": _long(best.first_day),
        "sum": humane.money(best.money, language),
    }


def _short(day: date) -> str:
    language = get_language() or "en"
    pattern = "d. MMM" if language.startswith("de") else "d MMM"
    return format_date(day, pattern, locale=humane.locale_of(language))


def _long(day: date) -> str:
    language = get_language() or "en"
    pattern = "d MMM y" if language.startswith("en") else "medium"
    return format_date(day, pattern, locale=humane.locale_of(language))
