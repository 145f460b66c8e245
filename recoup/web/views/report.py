"""The recovery report: cases, reminders, what came back, per shop, currency and period (O1-O3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.analytics.brought import brought_in
from recoup.analytics.periods import Period, last_days, period_of_days
from recoup.analytics.queries import recovery_report
from recoup.analytics.report import DEFINITION
from recoup.recovery.models import RecoveryCase
from recoup.shops.access import Seat, shops_with
from recoup.shops.models import Shop
from recoup.web import listing
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff, zone_of
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link
from recoup.web.shown.charts import money_chart
from recoup.web.shown.report import brought_rows, period_words, promise_rows, report_rows, report_tiles
from recoup.web.views.recovery import recovery_tabs

_DAYS = {"30": 30, "90": 90}
LONGEST = timedelta(days=10 * 366)  # a longer own period is cut


@dataclass(frozen=True, slots=True)
class Asked:
    """Which report the address asks for."""

    period: Period
    view: str
    shops: Sequence[Shop]
    kind: str


@staff(Right.SEE_REPORTS)
def report(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show the report of a period, over the shops that the person may see."""
    address, zone = Address(request), zone_of(seat.shop)
    known = shops_with(seat.user, Right.SEE_REPORTS)
    asked = asked_report(address, seat, known, request.now, zone)
    found = recovery_report(asked.shops, start=asked.period.start, end=asked.period.end, kind=asked.kind)
    brought = [
        line
        for shop in asked.shops
        for line in brought_in(shop, asked.period, kind=asked.kind, now=request.now)
    ]
    context = {
        "tab_links": recovery_tabs(seat, "report"),
        "period_filters": _filters(address, asked, known),
        "period_words": period_words(asked.period, zone),
        "own_period": {
            "first": asked.period.start.astimezone(zone).date().isoformat(),
            "last": (asked.period.end - timedelta(microseconds=1)).astimezone(zone).date().isoformat(),
            "kept": [(key, address.get(key)) for key in ("shop", "kind") if address.get(key)],
            "is_on": asked.view == "own",
        },
        "tiles": report_tiles(found, asked.kind),
        "rows": report_rows(found),
        "charts": [money_chart(series, with_shop=len(asked.shops) > 1) for series in found.series],
        "definition": DEFINITION,
        "promises": promise_rows(found),
        "brought": brought_rows(seat, brought, request.now),
        "export_url": _file_url(seat, "report_file", address),
        "brought_url": _file_url(seat, "brought_file", address),
    }
    return render(request, "web/recovery_report.html", context)


def _file_url(seat: Seat, name: str, address: Address) -> str:
    return listing.with_query(place(seat, name), address.given)


def asked_report(address: Address, seat: Seat, known: Sequence[Shop], now: datetime, zone: ZoneInfo) -> Asked:
    """Return which report an address asks for; nonsense asks for the last thirty days of the shop."""
    chosen = address.get("shop")
    shops = known if chosen == "all" else [shop for shop in known if shop.slug == chosen] or [seat.shop]
    kind = address.one_of("kind", RecoveryCase.Kind.values)
    first, last = _day(address.get("from")), _day(address.get("to"))
    if first is not None and last is not None and first <= last:
        period = period_of_days(max(first, last - LONGEST), last, zone)
        return Asked(period, "own", shops, kind)
    view, today = address.get("p", "30"), now.astimezone(zone).date()
    if view == "year":
        return Asked(period_of_days(today.replace(month=1, day=1), today, zone), view, shops, kind)
    if view == "last_year":
        begin = date(today.year - 1, 1, 1)
        return Asked(period_of_days(begin, date(today.year - 1, 12, 31), zone), view, shops, kind)
    view = view if view in _DAYS else "30"
    return Asked(last_days(_DAYS[view], now=now, zone=zone), view, shops, kind)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2200 else None


def _filters(address: Address, asked: Asked, known: Sequence[Shop]) -> Filters:
    words = [
        ("30", _("30 days")),
        ("90", _("90 days")),
        ("year", _("This year")),
        ("last_year", _("Last year")),
    ]
    views = [
        Link(word, address.url(p=code, to="", **{"from": ""}), asked.view == code) for code, word in words
    ]
    shops = [(shop.slug, shop.name) for shop in known]
    menus = [listing.menu(address, "kind", _("Kind"), RecoveryCase.Kind.choices)]
    if len(shops) > 1:
        everything = "all" if address.get("shop") == "all" else asked.shops[0].slug
        choice = listing.menu(
            address, "shop", _("Shop"), [("all", _("All shops")), *shops], chosen=everything
        )
        menus.insert(0, choice)
    return Filters(views, menus, "")
