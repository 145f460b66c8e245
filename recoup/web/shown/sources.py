"""What the page of a source warns of: a shop that cancels its unpaid orders before they are reminded."""

from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.orders.models import Order
from recoup.shops.access import Seat
from recoup.shops.models import Source
from recoup.web.keeping_screens import OwnCancelling
from recoup.web.parts import Link
from recoup.web.shown.orders import order_url

LOOKED_BACK = timedelta(days=7)
MOST_SHOWN = 12
HELD_MINUTES = 60  # WooCommerce's own "Hold stock (minutes)", unless the shop changed it


def own_cancelling(seat: Seat, source: Source, now: datetime) -> OwnCancelling | None:
    """Say that WooCommerce cancels unpaid orders by itself, and which it cancelled so lately; nothing of other sources."""
    if source.kind != "woocommerce" or seat.shop.unpaid_after_minutes < HELD_MINUTES:
        return None
    wait = timedelta(minutes=seat.shop.unpaid_after_minutes)
    found = list(_cancelled_early(source, wait, now)[: MOST_SHOWN + 1])
    shown = {"wait": humane.duration(wait, get_language() or "en")}
    return OwnCancelling(
        title=_seen(len(found)) if found else _("WooCommerce cancels unpaid orders by itself"),
        text=_(
            "It does so after its “Hold stock (minutes)”, 60 unless you changed it. Recoup waits %(wait)s before it calls an"
            " order unpaid, and a cancelled order is not reminded."
        )
        % shown,
        advice=_(
            "In WooCommerce, open Settings, Products, Inventory, and empty “Hold stock (minutes)”, or make it longer than"
            " your last reminder: at least 10080 for a week."
        ),
        orders=[Link(order.number, order_url(seat, order)) for order in found[:MOST_SHOWN]],
        tone="due" if found else "neutral",
    )


def _seen(number: int) -> str:
    if number > MOST_SHOWN:
        return _(
            "Your shop cancelled more than %(n)d orders in the last 7 days before they could be reminded"
        ) % {"n": MOST_SHOWN}
    return ngettext(
        "Your shop cancelled %(n)d order in the last 7 days before it could be reminded",
        "Your shop cancelled %(n)d orders in the last 7 days before they could be reminded",
        number,
    ) % {"n": number}


def _cancelled_early(source: Source, wait: timedelta, now: datetime) -> QuerySet[Order]:
    """Return the orders of the last days that the shop itself cancelled unpaid before their time to be looked at."""
    return Order.objects.filter(
        shop=source.shop_id,
        status=Order.Status.CANCELLED,
        placed_at__gte=now - LOOKED_BACK,
        source=source,
        cancel_reason__startswith="source",
        paid_at=None,
        cancelled_at__lte=F("placed_at") + wait,
        is_test=False,
        is_backfill=False,
    ).order_by("-placed_at", "-id")
