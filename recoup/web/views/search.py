"""The search box: people, orders and products."""

from collections.abc import Callable

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.catalog.models import Product
from recoup.core import humane, search
from recoup.core.money import Money
from recoup.customers.listing import ContactFilter, list_customers
from recoup.orders.listing import OrderFilter, list_orders
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address, with_query
from recoup.web.parts import Link
from recoup.web.screens import SearchGroup
from recoup.web.shown.orders import order_url
from recoup.web.shown.people import name_of
from recoup.web.words.orders import status_label

MOST_HITS = 8


@staff(Right.SEE_ORDERS)
def find(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show what a text finds, of each kind a few, and a way to all of them."""
    text = Address(request).get("q").strip()
    finders: list[Callable[[Seat, str], SearchGroup]] = [_orders]
    if seat.may(Right.SEE_CUSTOMERS):
        finders.append(_people)
    finders.append(_products)
    groups = [finder(seat, text) for finder in finders] if search.query_tokens(text) else []
    groups = [group for group in groups if group.hits]
    found = sum(len(group.hits) for group in groups)
    return render(request, "web/search.html", {"query": text, "groups": groups, "found": found})


def _orders(seat: Seat, text: str) -> SearchGroup:
    page = list_orders(seat.shop, OrderFilter(is_current=False, text=text), size=MOST_HITS)
    hits = [
        Link(
            f"{order.number} · {name_of(order.contact, order.buyer.get('name', ''))}",
            order_url(seat, order),
            count=f"{status_label(order.status)} · {_sum(Money(order.total, order.currency))}",
        )
        for order in page.rows
    ]
    if page.older:
        more = with_query(place(seat, "orders"), {"v": "all", "q": text})
        hits.append(Link(_("All orders that match"), more))
    return SearchGroup(_("Orders"), "package", hits)


def _people(seat: Seat, text: str) -> SearchGroup:
    page = list_customers(seat.shop, ContactFilter(text=text), size=MOST_HITS)
    hits = [
        Link(
            name_of(contact),
            place(seat, "customer", contact.pk),
            count=" · ".join(way for way in (contact.email, contact.phone) if way),
        )
        for contact in page.rows
    ]
    if page.older:
        hits.append(Link(_("All customers that match"), with_query(place(seat, "customers"), {"q": text})))
    return SearchGroup(_("Customers"), "users-round", hits)


def _products(seat: Seat, text: str) -> SearchGroup:
    """Find products by the beginning of their article number or by a part of their name; they lead to their orders."""
    rows = Product.objects.filter(Q(name__icontains=text) | Q(sku__istartswith=text), is_deleted=False)
    hits = [
        Link(
            product.name,
            with_query(place(seat, "orders"), {"v": "all", "q": product.name}),
            count=" · ".join(
                part
                for part in (
                    product.sku,
                    _sum(Money(product.price, product.currency)) if product.price is not None else "",
                )
                if part
            ),
        )
        for product in rows.order_by("name", "pk")[:MOST_HITS]
    ]
    return SearchGroup(_("Products"), "shopping-bag", hits)


def _sum(sum_: Money) -> str:
    return humane.money(sum_, get_language() or "en")
