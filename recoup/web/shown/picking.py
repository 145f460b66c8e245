"""Who is meant by a list: a segment, picked rows, or all that a filter shows."""

from collections.abc import Sequence

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recoup.customers.listing import list_customers
from recoup.orders.listing import list_orders
from recoup.processes.bulk.adding import MOST_PICKED, Wanted
from recoup.recovery.models import RecoveryCase
from recoup.recovery.queries import cases_by_key, list_cases
from recoup.segments.models import Segment
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest
from recoup.web.listing import Address
from recoup.web.shown.cases import chosen_cases
from recoup.web.shown.customer import chosen_customers
from recoup.web.shown.orders import chosen_orders
from recoup.web.shown.segments import ABOUT

CASES = "cases"
MOST_ROWS = 200


class PickRefused(Exception):
    """Nobody is meant, too many, or orders and carts at once; the text says what to do."""


def is_somebody_meant(request: HttpRequest) -> bool:
    """Tell whether an address names a segment, rows or a filter."""
    return any(key in request.GET for key in ("seg", "rows", "row", "all"))


def wanted_of(request: StaffRequest, seat: Seat) -> tuple[Wanted, str]:
    """Return who is meant, and how that is called.

    :raises PickRefused:
    """
    address = Address(request)
    about = address.get("about")
    if about not in (*ABOUT, CASES):
        if address.number("seg") is None:
            raise PickRefused(_("Nobody was picked."))
        one = get_object_or_404(Segment.objects.filter(shop=seat.shop), pk=address.number("seg"))
        return Wanted(one.about, one.condition), one.name
    is_all = bool(address.get("all"))
    picked = [*request.GET.get("rows", "").split(","), *request.GET.getlist("row")]
    keys = [int(key) for key in picked if key.isdecimal() and len(key) < 19][:MOST_ROWS]
    if about == CASES:
        wanted = _of_cases(
            list_cases(seat.shop, chosen_cases(address), size=MOST_PICKED + 1).rows
            if is_all
            else cases_by_key(seat.shop, keys)
        )
    else:
        wanted = Wanted(
            int(ABOUT[about]), None, _all(address, seat, about, request) if is_all else tuple(keys)
        )
    number = len(wanted.keys)
    if not number:
        raise PickRefused(_("Nobody was picked."))
    if number > MOST_PICKED:
        raise PickRefused(
            _("These are more than %(most)d. Narrow the filter, or ask for them in a segment.")
            % {"most": MOST_PICKED}
        )
    return wanted, ngettext("%(n)d picked", "%(n)d picked", number) % {"n": number}


def _all(address: Address, seat: Seat, about: str, request: StaffRequest) -> tuple[int, ...]:
    """Return what a filter of customers or orders shows, and one more where that is too much."""
    size = MOST_PICKED + 1
    if about == "customers":
        chosen = chosen_customers(address, seat, request.now)
        return tuple(one.pk for one in list_customers(seat.shop, chosen, size=size).rows)
    if about == "orders":
        orders = list_orders(seat.shop, chosen_orders(address, seat, request.now), size=size)
        return tuple(one.pk for one in orders.rows)
    return ()  # carts have no list of their own


def _of_cases(cases: Sequence[RecoveryCase]) -> Wanted:
    """Return the orders or the carts of cases.

    :raises PickRefused: if there are both.
    """
    orders = [one.order_id for one in cases if one.order_id is not None]
    carts = [one.cart_id for one in cases if one.order_id is None and one.cart_id is not None]
    if orders and carts:
        raise PickRefused(
            _("Orders and carts are put in one after the other: filter by kind, or pick one kind.")
        )
    if carts:
        return Wanted(int(Segment.About.CART), None, tuple(carts))
    return Wanted(int(Segment.About.ORDER), None, tuple(orders))
