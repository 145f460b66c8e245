"""Offers that a person makes: on the page of an order, or of a customer; what is left of the margin is shown before."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.catalog.models import Product
from recoup.core import humane
from recoup.core.money import Money
from recoup.customers.models import Contact
from recoup.offers import reasons
from recoup.offers.codes import shown
from recoup.offers.granting import OfferRefused, Wish, grant_by_hand, is_open
from recoup.offers.models import Offer
from recoup.offers.previewing import foresee
from recoup.offers.settings import get_settings
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order
from recoup.processes.engine.times import Span, last_after
from recoup.processes.facts import contact_facts
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.offers import HandOfferForm
from recoup.web.parts import Link, Words
from recoup.web.shown.people import name_of
from recoup.web.words.offers import foreseen_lines

MOST_ABOUT, MOST_PRODUCTS = 6, 12
_FIRST = Terms(Kind.PERCENT, percent=HandOfferForm.base_fields["percent"].initial)


@require_http_methods(["GET", "POST"])
@staff(Right.WORK_ORDERS)
def about_order(request: StaffRequest, seat: Seat, order_id: int) -> HttpResponse:
    """Make an offer about an order by hand, held against the same margin floor."""
    order = get_object_or_404(Order.objects.filter(shop=seat.shop).prefetch_related("lines"), pk=order_id)
    if order.contact_id is None:
        raise Http404
    goods = {line.product_ref: line.name for line in order.lines.all() if line.product_ref}
    form = HandOfferForm(request.POST or None, shop=seat.shop, goods=goods, currency=order.currency)
    wish = Wish(seat.shop.pk, order.contact_id, _FIRST, request.now, order_id=order.pk)
    context = {
        "lead": _("For the buyer of order %(number)s alone. It counts once.") % {"number": order.number},
        "crumb_links": [Link(order.number, place(seat, "order", order.pk))],
        "units": {"percent": "%", "amount": order.currency, "days": _("days")},
        "cancel_url": place(seat, "order", order.pk),
    }
    return _form(request, seat, form, wish, order.currency, context)


@require_http_methods(["GET", "POST"])
@staff(Right.WORK_ORDERS)
def about_person(request: StaffRequest, seat: Seat, contact_id: int) -> HttpResponse:
    """Make an offer to a customer by hand: about an order or cart of theirs, or for whatever they order next."""
    rows = Contact.objects.filter(shop=seat.shop, merged_into=None, erased_at=None)
    contact = get_object_or_404(rows, pk=contact_id)
    subjects = _subjects(contact)
    about = [(key, _subject_words(one)) for key, one in subjects.items()]
    goods = _goods(seat, list(subjects.values()))
    chosen = request.POST.get("about", next(iter(subjects), ""))
    form = HandOfferForm(
        request.POST or None,
        shop=seat.shop,
        goods=goods,
        currency=seat.shop.currency,
        about=about,
        chosen=chosen,
    )
    subject = subjects.get(chosen)
    wish = Wish(
        seat.shop.pk,
        contact.pk,
        _FIRST if subject is not None else replace(_FIRST, currency=seat.shop.currency),
        request.now,
        order_id=subject.pk if isinstance(subject, Order) else None,
        cart_id=subject.pk if isinstance(subject, Cart) else None,
        is_for_person=subject is None,
    )
    currency = subject.currency if subject is not None else seat.shop.currency
    back = place(seat, "customer", contact.pk) if seat.may(Right.SEE_CUSTOMERS) else place(seat, "offers")
    context = {
        "lead": _("For %(name)s alone. It counts once.") % {"name": name_of(contact)},
        "crumb_links": [Link(name_of(contact), back)],
        "units": {"percent": "%", "amount": currency, "days": _("days")},
        "cancel_url": back,
    }
    return _form(request, seat, form, wish, currency, context)


def _subjects(contact: Contact) -> dict[str, Order | Cart]:
    """Return the orders that a person still owes and the carts they left, the newest first, by their names in the form."""
    orders = Order.objects.filter(shop=contact.shop_id, contact=contact).select_related("source")
    carts = Cart.objects.filter(shop=contact.shop_id, contact=contact).select_related("source")
    found: dict[str, Order | Cart] = {}
    for order in orders.order_by("-placed_at", "-id")[: 5 * MOST_ABOUT]:
        if is_open(order) and len(found) < MOST_ABOUT:
            found[f"order-{order.pk}"] = order
    for cart in carts.order_by("-last_activity_at", "-id")[: 5 * MOST_ABOUT]:
        if is_open(cart) and len(found) < MOST_ABOUT:
            found[f"cart-{cart.pk}"] = cart
    return found


def _subject_words(subject: Order | Cart) -> Words:
    sum_ = humane.money(Money(subject.total, subject.currency), get_language() or "en")
    if isinstance(subject, Order):
        return _("Order %(number)s, %(sum)s") % {"number": subject.number, "sum": sum_}
    return _("The cart they left, %(sum)s") % {"sum": sum_}


def _goods(seat: Seat, subjects: list[Order | Cart]) -> dict[str, str]:
    """Return what an offer may be bound to: what they have ordered or left; else what the shop sells, by name."""
    refs = {ref for one in subjects for ref in one.product_refs if ref}
    rows = Product.objects.filter(shop=seat.shop, is_deleted=False, price__gt=0).order_by("name", "id")
    if refs:
        rows = rows.filter(ref__in=refs)
    return dict(rows.values_list("ref", "name")[:MOST_PRODUCTS])


def _ends_at(seat: Seat, wish: Wish, days: int, now: datetime) -> datetime:
    """Return when an offer of so many days ends: at the same time of day where the person lives."""
    people = Contact.objects.filter(shop=seat.shop, pk=wish.contact_id)
    told = people.values_list("time_zone", "locale", "country").first() or ("", "", "")
    facts = contact_facts(*told, seat.shop.time_zone, seat.shop.country)
    return last_after(now, Span(days, timedelta(0)), facts)


def _form(
    request: StaffRequest,
    seat: Seat,
    form: HandOfferForm,
    wish: Wish,
    currency: str,
    context: Mapping[str, object],
) -> HttpResponse:
    """Show the form with what would be left, or make the offer."""
    is_sent = request.method == "POST" and form.is_valid()
    if is_sent:
        wish = replace(
            wish,
            terms=form.terms(currency=currency, is_for_person=wish.is_for_person),
            valid_until=_ends_at(seat, wish, form.cleaned_data["days"], request.now),
        )
    if is_sent and request.POST.get("do") != "reckon":
        try:
            made = grant_by_hand(wish, actor=actor_of(seat), now=request.now)
        except OfferRefused as refused:
            form.add_error(None, _("Not granted: %(reason)s.") % {"reason": reasons.words(refused.reason)})
        else:
            messages.success(request, _made_words(made))
            return see_other(place(seat, "offer", made.pk))
    lines: list[str] = []
    if is_sent or request.method == "GET":
        share = get_settings(seat.shop).default_cost
        lines = foreseen_lines(*foresee(wish, now=request.now), share, get_language() or "en")
    context = {
        **context,
        "heading": _("Make an offer"),
        "form": form,
        "lines": lines,
        "save_label": _("Make this offer"),
    }
    return render(request, "web/offer_by_hand.html", context, status=422 if form.errors else 200)


def _made_words(offer: Offer) -> str:
    if offer.is_for_person and offer.state == Offer.State.ASKED:
        words = _(
            "The shop is asked to make a coupon for it. Once it is in force, the code %(code)s counts there, too."
        )
        return words % {"code": shown(offer.code)}
    if offer.is_for_person:
        words = _("The offer is in force. Their next pay link takes it off by itself; the code is %(code)s.")
        return words % {"code": shown(offer.code)}
    if offer.state == Offer.State.ASKED:
        return _(
            "The shop is asked to make a coupon for it. Once that is on the order, the buyer’s pay link charges the new sum."
        )
    return _("The offer is in force. The buyer’s pay link takes it off by itself.")
