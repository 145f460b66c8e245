"""Whom a text is previewed as: a made-up buyer, or somebody with an order or a cart in the shop (D18)."""

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core import humane, search
from recoup.core.money import Money
from recoup.customers.listing import ContactFilter, list_customers
from recoup.messaging.models import Template
from recoup.orders.listing import OrderFilter, list_orders
from recoup.orders.models import Cart, Order
from recoup.shops.access import Seat
from recoup.web.keeping_screens import PreviewChooser
from recoup.web.listing import with_query
from recoup.web.parts import Link
from recoup.web.shown.people import name_of

MOST_HITS = 5
_LONGEST_ID = 18


def subject_of(seat: Seat, template: Template, key: str) -> Order | Cart | None:
    """Return the order or the cart that an address names; `None` is the made-up buyer.

    :raises Http404: if it is not one of this shop, or nobody is known who would get the mail.
    """
    if not key:
        return None
    if not key.isdecimal() or len(key) > _LONGEST_ID:
        raise Http404
    if template.kind == Template.Kind.CART:
        carts = Cart.objects.filter(shop=seat.shop).exclude(contact=None).select_related("contact")
        return get_object_or_404(carts, pk=int(key))
    orders = Order.objects.filter(shop=seat.shop).exclude(contact=None).select_related("contact")
    return get_object_or_404(orders, pk=int(key))


def chooser(
    seat: Seat, template: Template, subject: Order | Cart | None, query: str, sample_url: str
) -> PreviewChooser:
    """Return the chooser with what a text finds; `sample_url` leads to the preview as the made-up buyer."""
    is_cart = template.kind == Template.Kind.CART
    found: list[Order] | list[Cart] = []
    if search.query_tokens(query):
        found = _carts(seat, query) if is_cart else _orders(seat, query)
    return PreviewChooser(
        key=str(subject.pk) if subject is not None else "",
        who=_named(subject) if subject is not None else _("a made-up buyer"),
        query=query,
        hits=[Link(_named(one), with_query(sample_url, {"as": one.pk}), count=_sum(one)) for one in found],
        asks_for=_("Customer with a cart") if is_cart else _("Order number or customer"),
    )


def _orders(seat: Seat, query: str) -> list[Order]:
    page = list_orders(seat.shop, OrderFilter(is_current=False, text=query), size=MOST_HITS)
    return [order for order in page.rows if order.contact_id is not None]


def _carts(seat: Seat, query: str) -> list[Cart]:
    people = list_customers(seat.shop, ContactFilter(text=query)).rows
    carts = Cart.objects.filter(shop=seat.shop, contact__in=people).select_related("contact")
    return list(carts.order_by("-last_activity_at", "-pk")[:MOST_HITS])


def _named(subject: Order | Cart) -> str:
    if isinstance(subject, Order):
        return f"{subject.number} · {name_of(subject.contact, subject.buyer.get('name', ''))}"
    return name_of(subject.contact)


def _sum(subject: Order | Cart) -> str:
    return humane.money(Money(subject.total, subject.currency), get_language() or "en")
