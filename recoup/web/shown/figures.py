"""Numbers that open: the address of the rows that a number counts, and the chips that say what is shown there."""

from datetime import datetime, timedelta
from typing import Literal

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from recoup.analytics.effects import Scope
from recoup.analytics.figures import Figure, RowFilter, filter_from
from recoup.core import humane
from recoup.shops.models import Shop
from recoup.web.listing import Address, with_query
from recoup.web.parts import FilterMenu, Filters, Link

_PLACES = {"case": "recovery", "message": "messages", "attention": "attention"}
_WORDS = {
    Figure.CASES: _("Opened in the period"),
    Figure.MESSAGED: _("Got a reminder"),
    Figure.MESSAGES: _("Reminders of these cases"),
    Figure.RECOVERED: _("Recovered"),
    Figure.REFUNDED: _("Recovered, money given back"),
    Figure.UNAIDED: _("Paid without a reminder"),
    Figure.SUPERSEDED: _("A newer order was paid"),
    Figure.BECAME_ORDER: _("Became an unpaid order"),
    Figure.CANCELLED: _("Cancelled"),
    Figure.LAPSED: _("Not recovered"),
    Figure.OPEN: _("Still open"),
    Figure.CAME_IN: _("Money that came in"),
    Figure.SENT: _("Handed over in the period"),
    Figure.AFTER_KNOWN: _("After we knew of the payment"),
    Figure.BEFORE_KNOWN: _("After the payment, before we could know"),
    Figure.OPEN_NOW: _("Open now"),
    Figure.SENDS_SOON: _("Get a reminder soon"),
    Figure.UNCERTAIN: _("Uncertain whether they arrived"),
    Figure.ATTENTION: _("Needs you"),
}


def figure_url(shop: Shop, rows: RowFilter) -> str:
    """Return the address of the rows that a number counts."""
    path = reverse(f"web:{_PLACES[rows.row_kind]}", args=[shop.slug])
    return with_query(path, rows.as_query())


def credited_url(scope: Scope, now: datetime) -> str:
    """Return the cases that are credited to a process, of those that opened while its judged people came in."""
    start, end = scope.judged_period(now)
    won = scope.process.pk if scope.process is not None else ""
    path = reverse("web:recovery", args=[scope.shop.slug])
    return with_query(path, {"won": won, "start": start, "end": end})


def asked_figure(address: Address, kind: Literal["case", "message", "attention"]) -> RowFilter | None:
    """Return the number whose rows an address asks for, if it counts such rows."""
    rows = filter_from(address.given)
    return rows if rows is not None and rows.row_kind == kind else None


def figure_filters(address: Address, rows: RowFilter) -> Filters:
    """Return the chips that say whose rows these are, and one that leads back to the whole list."""
    menus = [FilterMenu(_WORDS[rows.figure], [], span_words(rows) or _("now"), address.path)]
    if rows.currency:
        menus.append(FilterMenu(_("Currency"), [], rows.currency, address.url(currency="")))
    return Filters([Link(_("All"), address.path)], menus, address.path)


def span_words(rows: RowFilter) -> str:
    """Write the days of a period: "2 Nov 2026 – 8 Nov 2026"."""
    zone, language = timezone.get_current_timezone(), get_language() or "en"
    first = humane.day(rows.start, zone, language) if rows.start else ""
    if rows.end is None:
        return first
    last = humane.day(rows.end - timedelta(microseconds=1), zone, language)
    return last if first in ("", last) else f"{first} – {last}"
