"""The first-run wizard: an owner, a shop, and one button to go live (B6, T3)."""

from datetime import timedelta
from typing import Any, cast

from allauth.account.internal.flows.login import record_authentication
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_scopes import scopes_disabled

from recoup.accounts.actions import create_first_owner
from recoup.accounts.models import User
from recoup.accounts.roles import Right, Role
from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.callers import client_address
from recoup.core.clock import real_now, trade_now
from recoup.core.humane import duration
from recoup.core.public_address import hear_of_new_address, keep_address
from recoup.core.ratelimit import is_allowed
from recoup.messaging.models import MailAccount
from recoup.processes.actions import go_live as start_sending
from recoup.shops.access import Seat, shops_of
from recoup.shops.actions import NewShop
from recoup.shops.models import Membership, Shop, Source
from recoup.web.doors import StaffRequest, signed_in, staff
from recoup.web.forms.wizard import AddressForm, OwnerForm, ShopForm
from recoup.web.keeping_screens import WizardStep
from recoup.web.parts import Link
from recoup.web.setup import found_shop
from recoup.web.views.checks import address_trouble

GUESSES, GUESSES_PER = 20, timedelta(hours=1)  # of one caller: the code has 40 bits
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
_DEFAULTS = {
    "pl": {"currency": "PLN", "time_zone": "Europe/Warsaw", "country": "PL"},
    "de": {"currency": "EUR", "time_zone": "Europe/Berlin", "country": "DE"},
    "ru": {"currency": "RUB", "time_zone": "Europe/Moscow", "country": "RU"},
    "en": {"currency": "GBP", "time_zone": "Europe/London", "country": "GB"},
}


def _steps(now: int | None) -> list[WizardStep]:
    titles = [
        (_("You"), "wizard"),
        (_("Address"), "public_address"),
        (_("Your shop"), "new_shop"),
        (_("Ready"), ""),
    ]
    if now is None:
        return []
    return [
        WizardStep(
            title,
            reverse(name) if name else "",
            "done" if number < now else "now" if number == now else "later",
        )
        for number, (title, name) in enumerate(titles)
    ]


def _may_guess(request: HttpRequest) -> bool:
    return is_allowed(f"first-owner:{client_address(request)}", limit=GUESSES, per=GUESSES_PER)


def _show(request: HttpRequest, form: Any, step: int | None, **texts: Any) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(
        request, "web/wizard.html", {"steps": _steps(step), "form": form, "units": {}, **texts}, status=status
    )


@require_http_methods(["GET", "POST"])
def owner(request: HttpRequest) -> HttpResponse:
    """Make the first account, for whoever has the installation's code. The second run is refused."""
    if User.objects.exists():
        return redirect("first_page")
    form = OwnerForm(request.POST or None, initial={"code": request.GET.get("code", "")[:40]})
    if request.method == "POST" and not _may_guess(request):
        form.add_error("code", _("Too many codes were tried. Try again in an hour."))
    elif request.method == "POST" and form.is_valid():
        language = (get_language() or "en")[:2]
        try:
            given = {name: form.cleaned_data[name] for name in ("name", "email", "password")}
            user = create_first_owner(**given, language=language, now=real_now())
        except ValidationError as error:
            form.add_error("password" if not hasattr(error, "error_dict") else None, error)
        else:
            login(request, user, backend=_BACKEND)
            record_authentication(request, user, method="password", email=user.email)
            return redirect("public_address")
    return _show(
        request,
        form,
        0,
        heading=_("Welcome to Recoup"),
        lead=_("In two minutes it watches your orders. First, your own account: you are the owner."),
        submit_label=_("Continue"),
    )


@require_http_methods(["GET", "POST"])
@signed_in
def address(request: HttpRequest) -> HttpResponse:
    """Ask for the address that every link begins with (T60): in the wizard, and whenever it changes."""
    user = cast("User", request.user)
    shops = shops_of(user)
    if not _may_move(user):
        return render(request, "403.html", status=403)
    onward = redirect("web:checks", shops[0].slug) if shops else redirect("new_shop")
    if settings.IS_ADDRESS_FIXED:
        return onward if request.method == "POST" else _show_fixed_address(request, is_first=not shops)
    form = AddressForm(request.POST or None, initial={"address": settings.PUBLIC_URL})
    if request.method == "POST" and form.is_valid():
        _move_to(form.cleaned_data["address"], user)
        messages.success(request, _("Links begin with %(address)s now.") % {"address": settings.PUBLIC_URL})
        return onward
    return _show_address(
        request,
        form,
        lead=_(
            "Every link in a mail begins with it. It must be the https address that your proxy answers to."
        ),
        is_first=not shops,
    )


def _show_fixed_address(request: HttpRequest, *, is_first: bool) -> HttpResponse:
    told = {"address": settings.PUBLIC_URL}
    lead = _("Every link in a mail begins with %(address)s.") % told
    lead += " " + _("RECOUP_PUBLIC_URL on the server says so: change it there and start Recoup anew.")
    return _show_address(request, forms.Form(), lead=lead, is_first=is_first)


def _show_address(request: HttpRequest, form: forms.Form, *, lead: str, is_first: bool) -> HttpResponse:
    texts = {"heading": _("Public address"), "lead": lead}
    if is_first:
        return _show(request, form, 1, submit_label=_("Continue"), **texts)
    return _show(request, form, None, submit_label=_("Save"), **texts)


def _may_move(user: User) -> bool:
    """Tell whether a person may change the address of all shops here: the very first one, or who owns every shop."""
    with scopes_disabled():
        others = Shop.objects.exclude(
            pk__in=Membership.objects.filter(user=user, role=Role.OWNER).values("shop_id")
        )
        return not others.exists()


def _move_to(address: str, user: User) -> None:
    was = settings.PUBLIC_URL
    keep_address(address, var=settings.VAR_DIR)
    hear_of_new_address()
    for one in shops_of(user):
        activity.record(
            "core.public_address.changed",
            shop_id=one.pk,
            subject=("shop", one.pk),
            at=trade_now(),
            actor=Actor("person", user.pk),
            was=was,
            to=address,
        )


@require_http_methods(["GET", "POST"])
@signed_in
def shop(request: HttpRequest) -> HttpResponse:
    """Make a shop: the first one, or another for an owner of one."""
    user = cast("User", request.user)
    if not _may_found(user):
        return render(request, "403.html", status=403)
    language = (get_language() or "en")[:2]
    form = ShopForm(
        request.POST or None, initial={"locale": language, "email": user.email, **_DEFAULTS.get(language, {})}
    )
    if request.method == "POST" and form.is_valid():
        try:
            with scopes_disabled():
                made = found_shop(NewShop(**form.cleaned_data), owner=user, now=trade_now())
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("web:ready", made.slug)
    return _show(
        request,
        form,
        2,
        heading=_("Your shop"),
        lead=_("Everything here can be changed later."),
        submit_label=_("Make the shop"),
    )


def _may_found(user: User) -> bool:
    """Tell whether a person may make a shop: the very first one, or another as owner of one."""
    with scopes_disabled():
        is_owner = Membership.objects.filter(user=user, role=Role.OWNER).exists()
        return is_owner or not Shop.objects.exists()


@staff(Right.MANAGE_SHOP)
def ready(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show what is set, what is missing, and the one button."""
    return _show_ready(request, seat)


def _show_ready(request: StaffRequest, seat: Seat, status: int = 200) -> HttpResponse:
    slug = seat.shop.slug
    if seat.shop.live_since is not None:
        return redirect("web:home", slug)
    context = {
        "steps": _steps(3),
        "process_name": _("Unpaid order"),
        "next_words": _("An order that is not paid for %(time)s gets the first reminder.")
        % {"time": duration(timedelta(minutes=seat.shop.unpaid_after_minutes), get_language() or "en")},
        "go_live_url": reverse("web:go_live", args=[slug]),
        "home_url": reverse("web:home", args=[slug]),
        "missing": _missing(seat),
        "public_address": settings.PUBLIC_URL,
        # No reason to refuse: a server behind some routers cannot reach itself by the name that others know.
        "address_trouble": address_trouble(),
        "checks_url": reverse("web:checks", args=[slug]),
        "address_url": reverse("public_address"),
    }
    return render(request, "web/wizard_done.html", context, status=status)


def _missing(seat: Seat) -> list[Link]:
    """Return what must be done before the shop can send anything."""
    slug, missing = seat.shop.slug, []
    account = MailAccount.objects.filter(shop=seat.shop).first()
    if account is None or not account.host or not account.from_email:
        missing.append(Link(_("Set up the mail server"), reverse("web:mail", args=[slug]), icon="mail"))
    if not Source.objects.filter(shop=seat.shop).exists():
        missing.append(Link(_("Connect your shop"), reverse("web:sources", args=[slug]), icon="package"))
    return missing


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def go_live(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Let the shop send once nothing is missing; orders from before never get a message."""
    if request.method != "POST":
        return _show_ready(request, seat)
    if _missing(seat):
        return _show_ready(request, seat, status=409)
    start_sending(seat.shop, actor=Actor("person", seat.user.pk), now=request.now)
    messages.success(request, _("Live. Orders from now on are watched; older ones never get a message."))
    return redirect("web:home", seat.shop.slug)
