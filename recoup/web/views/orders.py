"""The list of orders, and what is done with several of them at once."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.core.activity import Actor
from recoup.orders.desk import OrderClaimed, claim_order, release_order
from recoup.orders.listing import count_orders, list_orders
from recoup.orders.models import Order
from recoup.orders.status import MoveNotAllowed, change_status
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import actor_of, place, place_if, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address
from recoup.web.shown.orders import FILTER_KEYS, chosen_orders, order_filters, order_rows
from recoup.web.shown.people import clerk_names
from recoup.web.words import orders as words

MOST_AT_ONCE = 200
_NAMED_FAILURES = 5


@staff(Right.SEE_ORDERS)
def orders(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of orders as the address asks for them."""
    address = Address(request)
    chosen = chosen_orders(address, seat, request.now)
    page = list_orders(seat.shop, chosen, cursor=address.get("c"))
    count = count_orders(seat.shop, chosen, most=listing.wants_exact(address))
    is_oldest = chosen.is_oldest_first
    bulk = place(seat, "orders_bulk") if seat.may(Right.WORK_ORDERS) else ""
    context = {
        "filters": order_filters(address, seat, request.now),
        "rows": order_rows(seat, page.rows, request.now),
        "pager": listing.pager(address, page, count, _counted),
        "sort": {
            "placed": {
                "url": address.url(o="" if is_oldest else "oldest"),
                "direction": "ascending" if is_oldest else "descending",
            },
            "total": {"url": "", "direction": ""},
        },
        "import_url": place_if(seat, "import") if seat.may(Right.MANAGE_INTAKE) else "",
        "connect_url": place(seat, "sources") if seat.may(Right.MANAGE_SHOP) else "",
        "is_filtered": address.has_any(*FILTER_KEYS),
        "clear_url": listing.with_query(address.path, {"v": "all"}),
        "all_url": listing.with_query(
            place(seat, "process_add_new"),
            {"about": "orders", "all": "1", **{key: address.get(key) for key in FILTER_KEYS}},
        )
        if seat.may(Right.EDIT_PROCESSES) and address.has_any(*FILTER_KEYS)
        else "",
        "twins_url": place(seat, "order_twins") if bulk else "",
        "may_move": seat.may(Right.EDIT_PROCESSES),
        "bulk_url": listing.with_query(bulk, address.given) if bulk else "",
        "lead_shown": listing.is_first_visit(request, "orders"),
    }
    return render(request, "web/orders.html", context)


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s order", "%(n)s orders", number) % {"n": shown}


@require_POST
@staff(Right.WORK_ORDERS)
def bulk(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Take, release or mark False the picked orders, each by itself; say for each that was refused why (E17)."""
    acts: dict[str, tuple[Callable[[Order], object], Callable[[int], str]]] = {
        "take": (lambda order: claim_order(order, actor=actor_of(seat), now=request.now), _taken),
        "release": (lambda order: release_order(order, actor=actor_of(seat), now=request.now), _released),
        "false": (lambda order: _mark_false(order, actor_of(seat), request), _marked),
    }
    back = listing.with_query(place(seat, "orders"), Address(request).given)
    chosen = acts.get(request.POST.get("do", ""))
    keys = [int(key) for key in request.POST.getlist("row") if key.isdecimal()][:MOST_AT_ONCE]
    picked = list(Order.objects.filter(shop=seat.shop, pk__in=keys).order_by("pk"))
    if request.POST.get("do") == "move" and picked:
        rows = ",".join(str(order.pk) for order in picked)
        return see_other(
            listing.with_query(place(seat, "process_add_new"), {"about": "orders", "rows": rows})
        )
    if request.POST.get("do") == "twins" and picked:
        rows = ",".join(str(order.pk) for order in picked)
        return see_other(listing.with_query(place(seat, "order_twins"), {"rows": rows}))
    if chosen is None or not picked:
        messages.warning(request, _("Nothing was changed: no order was picked."))
        return see_other(back)
    act, done_words = chosen
    refused: list[str] = []
    for order in picked:
        try:
            act(order)
        except OrderClaimed as error:
            who = clerk_names([error.clerk_id]).get(error.clerk_id, _("A colleague"))
            refused.append(_("%(number)s: %(who)s is working on it.") % {"number": order.number, "who": who})
        except MoveNotAllowed as error:
            refused.append(f"{order.number}: {words.move_refusal(str(error))}")
    done = len(picked) - len(refused)
    if done:
        messages.success(request, done_words(done))
    if refused:
        messages.warning(request, told(refused))
    return see_other(back)


def _mark_false(order: Order, actor: Actor, request: StaffRequest) -> None:
    change_status(order, Order.Status.FALSE, actor=actor, now=request.now)


def _taken(done: int) -> str:
    return ngettext("%(n)d order taken.", "%(n)d orders taken.", done) % {"n": done}


def _released(done: int) -> str:
    return ngettext("%(n)d order released.", "%(n)d orders released.", done) % {"n": done}


def _marked(done: int) -> str:
    return ngettext("%(n)d order marked False.", "%(n)d orders marked False.", done) % {"n": done}


def told(refused: list[str]) -> str:
    """Name the first orders that were left as they are, and count the rest."""
    rest = len(refused) - _NAMED_FAILURES
    named = " ".join(refused[:_NAMED_FAILURES])
    if rest <= 0:
        return _("Left as they are: %(orders)s") % {"orders": named}
    more = ngettext("%(n)d more.", "%(n)d more.", rest) % {"n": rest}
    return _("Left as they are: %(orders)s") % {"orders": f"{named} {more}"}
