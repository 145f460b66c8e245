"""Offers: who got what, until when, what came of it; withdrawn and made by hand; what a shop must keep."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.offers.ending import NotInForce, withdraw
from recoup.offers.listing import OfferFilter, count_offers, earned, list_offers
from recoup.offers.models import Offer
from recoup.offers.settings import get_settings, save_settings
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web import listing, parts
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.offers import OfferSettingsForm
from recoup.web.listing import Address
from recoup.web.shown.offers import earned_rows, offer_facts, offer_rows
from recoup.web.views.settings import crumbs
from recoup.web.words.steps import process_name

_VIEWS = {
    "in_force": (Offer.State.GRANTED, Offer.State.ASKED),
    "used": (Offer.State.REDEEMED,),
    "over": (Offer.State.EXPIRED, Offer.State.VOID),
    "refused": (Offer.State.REFUSED,),
}
_PERIODS = ("30", "90", "365", "3650")


@staff(Right.SEE_PROCESSES)
def offers(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show a page of offers as the address asks for them, and what they cost and brought."""
    address = Address(request)
    chosen = OfferFilter(
        states=_VIEWS.get(address.get("v"), ()),
        kind=address.one_of("kind", Offer.Kind.values),
        process_id=address.number("process"),
        contact_id=address.number("person"),
        order_id=address.number("order"),
    )
    page = list_offers(seat.shop, chosen, cursor=address.get("c"))
    count = count_offers(seat.shop, chosen, most=listing.wants_exact(address))
    is_filtered = address.has_any("v", "kind", "process", "person", "order")
    since = request.now - timedelta(days=_days(address))
    brought = earned_rows(earned(seat.shop, since=since), get_language() or "en")
    context = {
        "filters": _filters(seat, address, is_filtered=is_filtered),
        "rows": offer_rows(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
        "is_filtered": is_filtered,
        "clear_url": address.path,
        "lead_shown": listing.is_first_visit(request, "offers"),
        "earned": brought,
        "has_guessed": any(one.is_guessed for one in brought),
        "is_used": bool(page.rows),
        "periods": _periods(address),
        "costs_url": place(seat, "costs") if seat.may(Right.EDIT_PRODUCTS) else "",
        "settings_url": place(seat, "offer_settings") if seat.may(Right.MANAGE_SHOP) else "",
        "needs_cost": get_settings(seat.shop).default_cost is None,
    }
    return render(request, "web/offers.html", context)


def _days(address: Address) -> int:
    """Return over how many days it is told what offers cost and brought."""
    asked = address.one_of("p", _PERIODS)
    return int(asked or _PERIODS[1])


def _periods(address: Address) -> list[parts.Link]:
    labels = (_("30 days"), _("90 days"), _("12 months"), _("Ever"))
    chosen = str(_days(address))
    return [
        parts.Link(label, address.url(p=days) + "#brought", days == chosen)
        for days, label in zip(_PERIODS, labels, strict=True)
    ]


def _filters(seat: Seat, address: Address, *, is_filtered: bool) -> parts.Filters:
    view = address.get("v")
    labels = {
        "": _("All"),
        "in_force": _("In force"),
        "used": _("Used"),
        "over": _("Over"),
        "refused": _("Not granted"),
    }
    views = [parts.Link(label, address.url(v=code), view == code) for code, label in labels.items()]
    processes = Process.objects.filter(shop=seat.shop)
    names = [
        (str(pk), process_name(None, name))
        for pk, name in processes.order_by("name").values_list("pk", "name")
    ]
    menus = [
        listing.menu(address, "kind", _("What"), list(Offer.Kind.choices)),
        listing.menu(address, "process", _("Process"), names),
    ]
    return parts.Filters(views, menus, address.path if is_filtered else "")


def _counted(number: int, shown: str) -> str:
    return ngettext("%(n)s offer", "%(n)s offers", number) % {"n": shown}


def _get(seat: Seat, offer_id: int) -> Offer:
    rows = Offer.objects.filter(shop=seat.shop).select_related("contact", "order", "cart", "maker")
    return get_object_or_404(rows, pk=offer_id)


@staff(Right.SEE_PROCESSES)
def offer(request: StaffRequest, seat: Seat, offer_id: int) -> HttpResponse:
    """Show one offer: to whom, what, until when, and what became of it."""
    one = _get(seat, offer_id)
    in_force = one.state in {Offer.State.GRANTED, Offer.State.ASKED}
    (row,) = offer_rows(seat, [one])
    context = {
        "crumb_links": [parts.Link(_("Offers"), place(seat, "offers"))],
        "offer": row,
        "facts": offer_facts(one, get_language() or "en"),
        "order_url": place(seat, "order", one.order_id) if one.order_id else "",
        "person_url": place(seat, "customer", one.contact_id) if seat.may(Right.SEE_CUSTOMERS) else "",
        "withdraw_url": place(seat, "offer_withdraw", one.pk)
        if in_force and seat.may(Right.WORK_ORDERS)
        else "",
    }
    return render(request, "web/offer.html", context)


@require_POST
@staff(Right.WORK_ORDERS)
def withdraw_offer(request: StaffRequest, seat: Seat, offer_id: int) -> HttpResponse:
    """Withdraw an offer, with what the person wrote about it."""
    one = _get(seat, offer_id)
    note = request.POST.get("note", "").strip()
    if not note:
        messages.error(request, _("Say why it is withdrawn; colleagues will see it."))
        return see_other(place(seat, "offer", one.pk))
    try:
        withdraw(one, note=note, actor=actor_of(seat), now=request.now)
        messages.success(request, _("The offer is withdrawn. Its code does not count any more."))
    except NotInForce:
        messages.error(request, _("The offer was used or had ended meanwhile; nothing was changed."))
    return see_other(place(seat, "offer", one.pk))


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def settings(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Change what must be left of a sale, and who gets no more discounts."""
    kept = get_settings(seat.shop)
    form = OfferSettingsForm(request.POST or None, instance=kept, currency=seat.shop.currency)
    if request.method == "POST" and form.is_valid():
        save_settings(form.save(commit=False), actor=actor_of(seat), now=request.now)
        messages.success(request, _("Saved."))
        return redirect("web:offer_settings", seat.shop.slug)
    context = {
        "heading": _("Offers and margin"),
        "lead": _(
            "What must be left to you of a sale. No offer goes below it, by whichever process or person."
        ),
        "crumb_links": crumbs(seat),
        "form": form,
        "units": {
            **dict.fromkeys(("default_cost", "fee", "tax", "returns", "floor"), "%"),
            "fixed_fee": seat.shop.currency,
            "memory_days": _("days"),
        },
        "form_parts": {"most_discounts": _("Who gets no more discounts")},
    }
    return render(request, "web/settings/form.html", context, status=422 if form.errors else 200)
