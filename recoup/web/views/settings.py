"""Settings: their first page, the shop, how long to wait, how often to write."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.catalog.listing import UNKNOWN, ProductFilter, count_products
from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.models import InboxItem
from recoup.messaging.accounts import find_account
from recoup.messaging.models import ChannelKind, MailAccount
from recoup.orders.models import Order
from recoup.orders.queries import waiting_minutes
from recoup.recovery.actions import reschedule_checks
from recoup.shops.access import Seat
from recoup.shops.models import Shop, Source, WaitingTime
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.settings import MethodWaitingForm, ShopSettingsForm, WaitingForm
from recoup.web.keeping_screens import SettingsCard, WaitingRow
from recoup.web.listing import shown_count
from recoup.web.parts import Link

MOST_WITHOUT = 999  # products without a cost that are counted for their card


def crumbs(seat: Seat, *more: Link) -> list[Link]:
    """Return the way back to the settings."""
    return [Link(_("Settings"), reverse("web:settings", args=[seat.shop.slug])), *more]


def note(seat: Seat, request: StaffRequest, verb: str, **details: Any) -> None:
    """Record a change of settings: who, when, what (R43)."""
    activity.record(
        verb,
        shop_id=seat.shop.pk,
        subject=("shop", seat.shop.pk),
        at=request.now,
        actor=Actor("person", seat.user.pk),
        **details,
    )


@staff(Right.EDIT_PROCESSES)
def index(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show every part of the settings that this person may open, with its state."""
    groups = [(title, [card for right, card in cards if seat.may(right)]) for title, cards in _groups(seat)]
    return render(request, "web/settings/index.html", {"groups": [group for group in groups if group[1]]})


Cards = list[tuple[Right, SettingsCard]]


def _groups(seat: Seat) -> list[tuple[str, Cards]]:
    return [
        (_("Getting orders"), _order_cards(seat)),
        (_("Sending"), _sending_cards(seat)),
        (_("Shop and people"), _shop_cards(seat)),
    ]


def _url(seat: Seat, name: str) -> str:
    return reverse(f"web:{name}", args=[seat.shop.slug])


def _order_cards(seat: Seat) -> Cards:
    sources = Source.objects.filter(shop=seat.shop)
    stuck = InboxItem.objects.filter(shop_id=seat.shop.pk, state=InboxItem.State.QUARANTINED).count()
    state, label = "warning", _("None yet")
    if sources.exists():
        state, label = "ok", _("Connected")
    if sources.filter(state=Source.State.BROKEN).exists():
        state, label = "failed", _("Needs attention")
    return [
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Sources of orders"),
                _("Connect WooCommerce or any other shop."),
                _url(seat, "sources"),
                "package",
                state,
                label,
            ),
        ),
        (
            Right.MANAGE_INTAKE,
            SettingsCard(
                _("Import a file"), _("Orders of the past, from a CSV file."), _url(seat, "import"), "file-up"
            ),
        ),
        (
            Right.EDIT_PRODUCTS,
            SettingsCard(
                _("Products bought again and again"),
                _("A newer paid order closes no older one because of these."),
                _url(seat, "products"),
                "refresh-cw",
            ),
        ),
        _costs_card(seat),
        (
            Right.MANAGE_INTAKE,
            SettingsCard(
                _("Reports that could not be read"),
                _("Kept as they came, to be tried again."),
                _url(seat, "intake"),
                "circle-alert",
                "warning" if stuck else "ok",
                str(stuck) if stuck else _("None"),
            ),
        ),
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Other programs"),
                _("What processes may tell your own systems."),
                _url(seat, "programs"),
                "webhook",
            ),
        ),
    ]


def _costs_card(seat: Seat) -> tuple[Right, SettingsCard]:
    unknown = count_products(seat.shop, ProductFilter(view=UNKNOWN), most=MOST_WITHOUT)
    number = shown_count(unknown)
    return (
        Right.EDIT_PRODUCTS,
        SettingsCard(
            _("Products and their cost"),
            _("What goods cost you, so that no offer goes below your margin."),
            _url(seat, "costs"),
            "hand-coins",
            "warning" if unknown.number else "",
            ngettext("%(n)s without a cost", "%(n)s without a cost", unknown.number) % {"n": number}
            if unknown.number
            else "",
        ),
    )


def _sending_cards(seat: Seat) -> Cards:
    account = MailAccount.objects.filter(shop=seat.shop).first()
    has_mail = account is not None and bool(account.host and account.from_email)
    return [
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Mail server"),
                _("Sender, server, and whether mailboxes trust it."),
                _url(seat, "mail"),
                "mail",
                "ok" if has_mail else "failed",
                _("Set up") if has_mail else _("Missing"),
            ),
        ),
        _sms_card(seat),
        (
            Right.EDIT_PROCESSES,
            SettingsCard(
                _("Texts"), _("What reminders say, in four languages."), _url(seat, "texts"), "file-text"
            ),
        ),
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Waiting times"),
                _("After how many hours an order counts as unpaid."),
                _url(seat, "waiting"),
                "clock",
            ),
        ),
        *_bound_cards(seat),
    ]


def _bound_cards(seat: Seat) -> Cards:
    """Return what bounds sending: how often, at what price, by which rules, and who is left alone."""
    return [
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Limits and quiet hours"),
                _("How many reminders a person gets at most, and when none goes out."),
                _url(seat, "limits"),
                "moon",
            ),
        ),
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Offers and margin"),
                _("What must be left to you of a sale, and who gets no more discounts."),
                _url(seat, "offer_settings"),
                "badge-percent",
            ),
        ),
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Sending rules"),
                _("What needs consent, country by country, and where that stands."),
                _url(seat, "rules"),
                "shield-check",
            ),
        ),
        (
            Right.EDIT_PROCESSES,
            SettingsCard(
                _("Left alone by everything"),
                _("People whom no process writes to, so that you see what all of them bring."),
                _url(seat, "shop_left_alone"),
                "users-round",
            ),
        ),
    ]


def _sms_card(seat: Seat) -> tuple[Right, SettingsCard]:
    has_sms = find_account(seat.shop.pk, ChannelKind.SMS) is not None
    return (
        Right.MANAGE_SHOP,
        SettingsCard(
            _("Short messages"),
            _("SMS over your account with SMSAPI or Twilio, and what they may cost."),
            _url(seat, "sms"),
            "message-square",
            "ok" if has_sms else "",
            _("Set up") if has_sms else "",
        ),
    )


def _shop_cards(seat: Seat) -> Cards:
    return [
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Shop"),
                _("Name, address, language, colour, rules of orders."),
                _url(seat, "shop_settings"),
                "store",
            ),
        ),
        (
            Right.MANAGE_STAFF,
            SettingsCard(
                _("Colleagues"), _("Who works here, and as what."), _url(seat, "people"), "users-round"
            ),
        ),
        (
            Right.MANAGE_SHOP,
            SettingsCard(
                _("Checks"),
                _("Public address, worker, disk, and whether this copy may send."),
                _url(seat, "checks"),
                "shield-check",
            ),
        ),
    ]


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def shop_settings(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Change what the shop is for its buyers."""
    shop = get_object_or_404(Shop, pk=seat.shop.pk)
    form = ShopSettingsForm(request.POST or None, instance=shop)
    if request.method == "POST" and form.is_valid():
        form.save()
        note(seat, request, "shops.shop.changed", fields=sorted(form.changed_data))
        messages.success(request, _("Saved."))
        return redirect("web:shop_settings", seat.shop.slug)
    context = {
        "heading": _("Shop"),
        "lead": _("What buyers see, and the rules of your orders."),
        "crumb_links": crumbs(seat),
        "form": form,
        "units": {"max_age_days": _("days"), "claim_hours": _("hours")},
        "form_parts": {
            "name": _("What buyers see"),
            "terms_url": _("Terms of sale"),
            "supersede_scope": _("Rules of orders"),
        },
    }
    return render(request, "web/settings/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def waiting(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Change the waiting times. Orders that were looked at already keep what came of it (B2)."""
    shop = get_object_or_404(Shop, pk=seat.shop.pk)
    form = WaitingForm(request.POST or None, instance=shop)
    if request.method == "POST" and form.is_valid():
        form.save()
        changed = reschedule_checks(shop)
        note(seat, request, "shops.waiting.changed", orders=changed)
        messages.success(request, _("Saved. It applies to orders that have not been looked at yet."))
        return redirect("web:waiting", seat.shop.slug)
    return _show_waiting(request, seat, form, MethodWaitingForm())


@require_POST
@staff(Right.MANAGE_SHOP)
def add_waiting(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Give a payment method a waiting time of its own."""
    form = MethodWaitingForm(request.POST)
    if not form.is_valid():
        return _show_waiting(request, seat, WaitingForm(instance=seat.shop), form)
    with transaction.atomic():
        WaitingTime.objects.update_or_create(
            shop=seat.shop,
            method=form.cleaned_data["method"].strip(),
            defaults={"minutes": form.cleaned_data["minutes"]},
        )
        note(seat, request, "shops.waiting.changed", **form.cleaned_data)
    reschedule_checks(seat.shop)
    messages.success(request, _("Saved. It applies to orders that have not been looked at yet."))
    return redirect("web:waiting", seat.shop.slug)


def _show_waiting(
    request: StaffRequest, seat: Seat, form: WaitingForm, method_form: MethodWaitingForm
) -> HttpResponse:
    own = dict(WaitingTime.objects.filter(shop=seat.shop).values_list("method", "minutes"))
    used = (
        Order.objects.filter(shop=seat.shop)
        .exclude(method="")
        .order_by("-placed_at", "-id")
        .values_list("method", "is_offline_method")[:500]
    )
    rows = [WaitingRow(method, timedelta(minutes=minutes)) for method, minutes in sorted(own.items())]
    for method, is_offline in sorted(set(used)):
        if method not in own:
            minutes = waiting_minutes(seat.shop, method, is_offline=is_offline)
            wait = None if minutes is None else timedelta(minutes=minutes)
            rows.append(WaitingRow(method, wait, is_default=True))
    context = {
        "heading": _("Waiting times"),
        "lead": _(
            "Where your shop can be asked, Recoup asks once more whether an order was paid, and only then calls it unpaid."
        ),
        "crumb_links": crumbs(seat),
        "form": form,
        "units": {"unpaid_after_minutes": _("minutes"), "cart_after_minutes": _("minutes")},
        "waiting": rows,
        "method_form": method_form,
        "add_url": reverse("web:add_waiting", args=[seat.shop.slug]),
    }
    status = 422 if form.errors or method_form.errors else 200
    return render(request, "web/settings/waiting.html", context, status=status)
