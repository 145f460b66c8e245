"""Orders in lists: rows, and the filters of the address."""

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core.money import Money
from recoup.customers.models import Contact
from recoup.orders.desk import is_claimed
from recoup.orders.listing import OrderFilter
from recoup.orders.models import Order
from recoup.segments.models import Segment
from recoup.shops.access import Seat
from recoup.shops.models import Source
from recoup.web import listing
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link
from recoup.web.screens import OrderRow
from recoup.web.shown.people import clerk_names, name_of
from recoup.web.shown.segments import in_segment, segment_menu
from recoup.web.words import orders as words
from recoup.web.words import payments

Status = Order.Status
FILTER_KEYS = (
    "v",
    "status",
    "pay",
    "source",
    "method",
    "from",
    "to",
    "currency",
    "person",
    "clerk",
    "q",
    "seg",
)
_VIEWS: dict[str, tuple[str, ...]] = {
    "unpaid": (Status.UNPAID,),
    "in_work": (Status.IN_WORK,),
    "awaiting_payment": (Status.AWAITING_PAYMENT,),
    "not_confirmed": (Status.NOT_CONFIRMED,),
    "completed": (Status.COMPLETED,),
}


def order_url(seat: Seat, order: Order) -> str:
    """Return the address of an order's page."""
    return reverse("web:order", args=[seat.shop.slug, order.pk])


def order_rows(seat: Seat, orders: Sequence[Order], now: datetime) -> list[OrderRow]:
    """Return the rows of orders that came with their contacts."""
    clerks = clerk_names([order.claimed_by for order in orders if is_claimed(order, now)])
    return [_row(seat, order, clerks if is_claimed(order, now) else {}) for order in orders]


def _row(seat: Seat, order: Order, clerks: dict[int, str]) -> OrderRow:
    return OrderRow(
        id=order.pk,
        number=order.number,
        url=order_url(seat, order),
        person=name_of(order.contact, order.buyer.get("name", "")),
        placed_at=order.placed_at,
        total=Money(order.total, order.currency),
        status=order.status,
        status_label=words.status_label(order.status),
        payment=order.payment_state,
        payment_label=words.payment_label(order),
        method=payments.method(order.method, order.method_title),
        clerk=clerks.get(order.claimed_by or 0, ""),
    )


def chosen_orders(address: Address, seat: Seat, now: datetime) -> OrderFilter:
    """Read the filters of an address; what nobody could have chosen is passed over."""
    view = address.get("v")
    statuses = address.some_of("status", Status.values) or _VIEWS.get(view, ())
    _saved, where = in_segment(address, seat, Segment.About.ORDER, now)
    return OrderFilter(
        where=where.text,
        where_values=where.params,
        is_current=view != "all",
        statuses=statuses,
        payment_states=address.some_of("pay", Order.PaymentState.values),
        source_id=address.number("source"),
        method=address.get("method"),
        placed_from=address.instant("from"),
        placed_before=address.instant("to"),
        currency=address.get("currency"),
        contact_id=address.number("person"),
        claimed_by=seat.user.pk if view == "mine" else address.number("clerk"),
        text=address.get("q"),
        is_oldest_first=address.get("o") == "oldest",
    )


def order_filters(address: Address, seat: Seat, now: datetime) -> Filters:
    """Return the chips above the list."""
    view, has_statuses = address.get("v"), bool(address.get("status"))

    def chip(code: str, label: str) -> Link:
        return Link(label, address.url(v=code, status=""), view == code and not has_statuses)

    views = [
        chip("", _("Current")),
        chip("unpaid", words.status_label(Status.UNPAID)),
        chip("in_work", words.status_label(Status.IN_WORK)),
        chip("awaiting_payment", words.status_label(Status.AWAITING_PAYMENT)),
        chip("not_confirmed", words.status_label(Status.NOT_CONFIRMED)),
        *([chip("mine", _("Mine"))] if seat.may(Right.WORK_ORDERS) else []),
        chip("completed", words.status_label(Status.COMPLETED)),
        chip("all", _("All")),
    ]
    sources = [
        (str(pk), name) for pk, name in Source.objects.order_by("name", "pk").values_list("pk", "name")
    ]
    saved, _where = in_segment(address, seat, Segment.About.ORDER, now)
    person = address.number("person")
    contact = Contact.objects.filter(pk=person).first() if person is not None else None
    statuses = [(code, str(label)) for code, label in Status.choices]
    menus = [
        *segment_menu(address, seat, Segment.About.ORDER, saved),
        *listing.person_menu(address, name_of(contact) if contact else ""),
        *listing.text_menu(address),
        listing.menu(address, "pay", _("Payment"), Order.PaymentState.choices),
        listing.period_menu(address, _("Placed"), now),
        *([listing.menu(address, "source", _("Source"), sources)] if len(sources) > 1 else []),
        *([listing.menu(address, "status", _("Status"), statuses)] if has_statuses else []),
    ]
    is_set = address.has_any(*FILTER_KEYS)
    return Filters(views, menus, address.path if is_set else "")
