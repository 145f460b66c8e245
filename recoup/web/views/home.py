"""Home: eight numbers, what needs a person, and money by week (O8)."""

from typing import cast

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.analytics.figures import Figure, RowFilter, rows_of
from recoup.analytics.periods import last_days
from recoup.analytics.queries import home_tiles, money_series
from recoup.core.attention import open_items
from recoup.core.paging import Page
from recoup.messaging.models import MailAccount
from recoup.recovery.models import RecoveryCase
from recoup.shops.access import Seat
from recoup.shops.models import Source
from recoup.web import listing
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff, zone_of
from recoup.web.keeping_screens import WizardStep
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link
from recoup.web.shown.attention import attention_items, doubles_item, tasks_item, uncertain_item
from recoup.web.shown.cases import came_back
from recoup.web.shown.charts import money_chart
from recoup.web.shown.tiles import HERO_FIRST, tile_of

MOST_ITEMS = 6
MOST_MONEY = 5
_WEEKS = {"12": 12, "26": 26, "52": 52}


@staff(Right.SEE_ORDERS)
def home(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show how the shop stands."""
    address = Address(request)
    weeks = _WEEKS.get(address.get("weeks"), 12)
    period = last_days(weeks * 7, now=request.now, zone=zone_of(seat.shop))
    numbers = {number.key: number for number in home_tiles(seat.shop, now=request.now)}
    latest = rows_of(seat.shop, RowFilter(Figure.CAME_IN), size=MOST_MONEY)
    context = {
        "tiles": [tile_of(seat, numbers[key]) for key in HERO_FIRST],
        "attention_items": [
            *uncertain_item(seat),
            *tasks_item(seat, request.now),
            *attention_items(seat, open_items(seat.shop.pk)[:MOST_ITEMS]),
            *doubles_item(seat),
        ],
        "attention_url": place(seat, "attention"),
        "charts": [money_chart(series) for series in money_series(seat.shop, period, "week")],
        "came_back": came_back(seat, cast("Page[RecoveryCase]", latest).rows),
        "came_back_url": listing.with_query(place(seat, "recovery"), {"v": "recovered"}),
        "period_filters": _periods(address, weeks),
        "is_first_time": listing.is_first_visit(request, "home"),
        "setup": _setup(seat),
        "go_live_url": place(seat, "go_live")
        if seat.shop.live_since is None and seat.may(Right.MANAGE_SHOP)
        else "",
    }
    return render(request, "web/home.html", context)


def _periods(address: Address, weeks: int) -> Filters:
    words = {12: _("12 weeks"), 26: _("26 weeks"), 52: _("52 weeks")}
    return Filters([Link(word, address.url(weeks=str(one)), one == weeks) for one, word in words.items()])


def _setup(seat: Seat) -> list[WizardStep]:
    """Return what is to be done before the first reminder leaves; nothing once the shop is live."""
    if seat.shop.live_since is not None or not seat.may(Right.MANAGE_SHOP):
        return []
    account = MailAccount.objects.filter(shop=seat.shop).first()
    done = {
        "mail": account is not None and bool(account.host and account.from_email),
        "sources": Source.objects.filter(shop=seat.shop).exists(),
    }
    return [
        WizardStep(_("Mail server"), place(seat, "mail"), "done" if done["mail"] else "now"),
        WizardStep(_("First source of orders"), place(seat, "sources"), "done" if done["sources"] else "now"),
        WizardStep(_("Look at the texts"), place(seat, "texts")),
    ]
