"""Whom a text is previewed as: a made-up buyer, or a person, order or cart of the shop (D18)."""

from collections.abc import Callable, Mapping, Sequence

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from recoup.core import humane, search
from recoup.core.money import Money
from recoup.customers.listing import ContactFilter, list_customers
from recoup.customers.models import Contact
from recoup.messaging.models import Template
from recoup.orders.listing import OrderFilter, list_orders
from recoup.orders.models import Cart, Order
from recoup.shops.access import Seat
from recoup.web.keeping_screens import PreviewChooser
from recoup.web.listing import with_query
from recoup.web.parts import Link, Words
from recoup.web.shown.people import name_of

MOST_HITS = 5
_LONGEST_ID = 18


def subject_of(seat: Seat, template: Template, key: str) -> Order | Cart | Contact | None:
    """Return the order, cart or person that an address names; `None` is the made-up buyer.

    :raises Http404: if it is not one of this shop, or nobody is known who would get the mail.
    """
    if not key:
        return None
    if not key.isdecimal() or len(key) > _LONGEST_ID:
        raise Http404
    if template.kind == Template.Kind.CUSTOMER:
        people = Contact.objects.filter(shop=seat.shop, merged_into=None, erased_at=None)
        return get_object_or_404(people, pk=int(key))
    if template.kind == Template.Kind.CART:
        carts = Cart.objects.filter(shop=seat.shop).exclude(contact=None).select_related("contact")
        return get_object_or_404(carts, pk=int(key))
    orders = Order.objects.filter(shop=seat.shop).exclude(contact=None).select_related("contact")
    return get_object_or_404(orders, pk=int(key))


def chooser(
    seat: Seat, template: Template, subject: Order | Cart | Contact | None, query: str, sample_url: str
) -> PreviewChooser:
    """Return the chooser with what a text finds; `sample_url` leads to the preview as the made-up buyer."""
    seek, asks_for = _SOUGHT[template.kind]
    found: Sequence[Order | Cart | Contact] = seek(seat, query) if search.query_tokens(query) else []
    return PreviewChooser(
        key=str(subject.pk) if subject is not None else "",
        who=_named(subject) if subject is not None else _("a made-up buyer"),
        query=query,
        hits=[Link(_named(one), with_query(sample_url, {"as": one.pk}), count=_sum(one)) for one in found],
        asks_for=str(asks_for),
    )


def _orders(seat: Seat, query: str) -> list[Order]:
    page = list_orders(seat.shop, OrderFilter(is_current=False, text=query), size=MOST_HITS)
    return [order for order in page.rows if order.contact_id is not None]


def _carts(seat: Seat, query: str) -> list[Cart]:
    people = list_customers(seat.shop, ContactFilter(text=query)).rows
    carts = Cart.objects.filter(shop=seat.shop, contact__in=people).select_related("contact")
    return list(carts.order_by("-last_activity_at", "-pk")[:MOST_HITS])


def _people(seat: Seat, query: str) -> list[Contact]:
    return list(list_customers(seat.shop, ContactFilter(text=query)).rows[:MOST_HITS])


_SOUGHT: Mapping[str, tuple[Callable[[Seat, str], Sequence[Order | Cart | Contact]], Words]] = {
    Template.Kind.ORDER: (_orders, gettext_lazy("Order number or customer")),
    Template.Kind.CART: (_carts, gettext_lazy("Customer with a cart")),
    Template.Kind.CUSTOMER: (_people, gettext_lazy("Customer")),
}


def _named(subject: Order | Cart | Contact) -> str:
    if isinstance(subject, Contact):
        return name_of(subject)
    if isinstance(subject, Order):
        return f"{subject.number} · {name_of(subject.contact, subject.buyer.get('name', ''))}"
    return name_of(subject.contact)


def _sum(subject: Order | Cart | Contact) -> str:
    if isinstance(subject, Contact):
        return ""
    return humane.money(Money(subject.total, subject.currency), get_language() or "en")
