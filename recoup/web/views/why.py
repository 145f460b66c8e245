"""Why somebody did or did not get something: found by order, cart or person, answered from the ledger alone."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.core import search
from recoup.customers.listing import ContactFilter, list_customers
from recoup.customers.models import Contact
from recoup.orders.listing import OrderFilter, list_orders
from recoup.orders.models import Cart, Order
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.life_screens import WhyOrder, WhyProcess
from recoup.web.listing import Address, with_query
from recoup.web.parts import Link
from recoup.web.shown.people import name_of
from recoup.web.shown.why import why_processes
from recoup.web.words import steps

MOST_HITS = 8
MOST_SUBJECTS = 12
MOST_ORDERS_TOLD = 3  # on the page of a person, the newest; the others are a click away
_ORDER, _CART, _CONTACT = int(SubjectKind.ORDER), int(SubjectKind.CART), int(SubjectKind.CONTACT)


@staff(Right.SEE_PROCESSES)
def why(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Find somebody, and say for each process why they did or did not get its messages."""
    address = Address(request)
    process = _process(seat, address.get("process"))
    kind, subject_id, contact, title = _subject(seat, address)
    chosen = {"process": process.pk} if process is not None else {}
    url = place(seat, "why")
    query = address.get("find").strip()
    who = name_of(contact) if contact is not None else _("The customer")

    def told(kind: int, subject_id: int) -> list[WhyProcess]:
        return why_processes(
            seat,
            kind=kind,
            subject_id=subject_id,
            who=who,
            now=request.now,
            process_id=process.pk if process is not None else None,
        )

    context: dict[str, Any] = {
        "crumb_links": _crumbs(seat, process),
        "title": title,
        "query": query,
        "process_id": process.pk if process is not None else "",
        "hits": _hits(seat, query, url, chosen) if search.query_tokens(query) else [],
        "subjects": _subjects(seat, contact, url, chosen, (kind, subject_id)) if contact is not None else [],
        "is_asked": kind != 0,
        "is_person": kind == _CONTACT,
        "processes": told(kind, subject_id) if kind else [],
        "orders": [
            WhyOrder(
                name=_("Order %(number)s") % {"number": one.number},
                url=with_query(url, {**chosen, "order": one.pk}),
                processes=told(_ORDER, one.pk),
            )
            for one in _orders_of(seat, contact)[:MOST_ORDERS_TOLD]
        ]
        if kind == _CONTACT and contact is not None
        else [],
    }
    return render(request, "web/why.html", context)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _process(seat: Seat, text: str) -> Process | None:
    number = _number(text)
    return get_object_or_404(Process.objects.filter(shop=seat.shop), pk=number) if number else None


def _subject(seat: Seat, address: Address) -> tuple[int, int, Contact | None, str]:
    """Return kind and id of what is asked about, whose it is, and what it is called."""
    if order_id := _number(address.get("order")):
        orders = Order.objects.filter(shop=seat.shop).select_related("contact")
        order = get_object_or_404(orders, pk=order_id)
        return _ORDER, order.pk, order.contact, _("Order %(number)s") % {"number": order.number}
    if cart_id := _number(address.get("cart")):
        cart = get_object_or_404(Cart.objects.filter(shop=seat.shop).select_related("contact"), pk=cart_id)
        return _CART, cart.pk, cart.contact, _("Cart")
    if contact_id := _number(address.get("contact")):
        contact = get_object_or_404(Contact.objects.filter(shop=seat.shop), pk=contact_id)
        return _CONTACT, contact.pk, contact, name_of(contact)
    return 0, 0, None, ""


def _hits(seat: Seat, query: str, url: str, chosen: dict[str, int]) -> list[Link]:
    orders = list_orders(seat.shop, OrderFilter(is_current=False, text=query), size=MOST_HITS).rows
    people = list_customers(seat.shop, ContactFilter(text=query)).rows[:MOST_HITS]
    return [
        *(Link(name_of(one), with_query(url, {**chosen, "contact": one.pk})) for one in people),
        *(
            Link(
                f"{one.number} · {name_of(one.contact, one.buyer.get('name', ''))}",
                with_query(url, {**chosen, "order": one.pk}),
            )
            for one in orders
        ),
    ]


def _subjects(
    seat: Seat, contact: Contact, url: str, chosen: dict[str, int], present: tuple[int, int]
) -> list[Link]:
    """Return what else can be asked about the same person, newest first."""
    orders = _orders_of(seat, contact)[:MOST_SUBJECTS]
    carts = Cart.objects.filter(shop=seat.shop, contact=contact).order_by("-last_activity_at", "-pk")
    links = [
        Link(
            _("About the person"),
            with_query(url, {**chosen, "contact": contact.pk}),
            present == (_CONTACT, contact.pk),
        )
    ]
    links += [
        Link(
            _("Order %(number)s") % {"number": one.number},
            with_query(url, {**chosen, "order": one.pk}),
            present == (_ORDER, one.pk),
        )
        for one in orders
    ]
    links += [
        Link(_("Cart"), with_query(url, {**chosen, "cart": one.pk}), present == (_CART, one.pk))
        for one in carts[:MOST_SUBJECTS]
    ]
    return links


def _orders_of(seat: Seat, contact: Contact) -> QuerySet[Order]:
    return Order.objects.filter(shop=seat.shop, contact=contact).order_by("-placed_at", "-pk")


def _crumbs(seat: Seat, process: Process | None) -> list[Link]:
    crumbs = [Link(_("Processes"), place(seat, "processes"))]
    if process is not None:
        crumbs.append(Link(steps.process_name(process), place(seat, "process", process.pk)))
    return [*crumbs, Link(_("Why?"), "")]
