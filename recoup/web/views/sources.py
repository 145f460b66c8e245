"""Sources of orders: what is connected, how it fares, and connecting another."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import get_current_timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core import humane, inbox
from recoup.core.activity import Actor
from recoup.core.models import InboxItem
from recoup.shops.access import Seat
from recoup.shops.adapters import platform
from recoup.shops.models import Source
from recoup.shops.ports import SourceRefused, SourceUnavailable
from recoup.shops.reasons import words as reason_words
from recoup.shops.sources import (
    AlreadyConnected,
    Connection,
    connect_source,
    find_connected,
    history_state,
    hook_address,
    register_hooks,
    replace_keys,
    request_backfill,
    rotate_secret,
    set_paused,
    try_connection,
)
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.settings import GenericSourceForm, WooCommerceForm, WooCommerceKeysForm
from recoup.web.keeping_screens import CheckRow, SettingsCard, SourceRow
from recoup.web.parts import Link, Timeline
from recoup.web.screens import Action
from recoup.web.shown.sources import own_cancelling
from recoup.web.views.settings import crumbs

EXAMPLE = """import base64, hashlib, hmac, json, time, urllib.request
body = json.dumps({"type": "order.created", "data": {
    "id": "1001", "status": "pending", "currency": "PLN", "total": "149.00",
    "placed_at": "2026-11-22T10:15:00+01:00", "updated_at": "2026-11-22T10:15:00+01:00",
    "customer": {"email": "anna@example.com", "name": "Anna Nowak"},
    "items": [{"product_id": "cream", "name": "Cream", "unit_price": "149.00"}]}}).encode()
stamp, key = str(int(time.time())), base64.b64decode("SECRET".removeprefix("whsec_"))
sign = base64.b64encode(hmac.digest(key, b"evt_1." + stamp.encode() + b"." + body, hashlib.sha256)).decode()
headers = {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": "v1," + sign}
urllib.request.urlopen(urllib.request.Request("ADDRESS", body, headers))"""

_KINDS = {"woocommerce": "WooCommerce", "generic": "Webhook", "csvfile": "CSV"}
_STATES = {"active": "ok", "paused": "waiting", "broken": "failed"}
ONCE = "secret_shown_once"


def _row(source: Source, seat: Seat, today: int = 0) -> SourceRow:
    return SourceRow(
        name=source.name,
        kind=_KINDS.get(source.kind, source.kind),
        url=reverse("web:source", args=[seat.shop.slug, source.pk]),
        state=_STATES[source.state],
        state_label=source.get_state_display(),
        last_at=source.last_news_at,
        today=today,
    )


@staff(Right.MANAGE_SHOP)
def sources(request: StaffRequest, seat: Seat) -> HttpResponse:
    """List the sources, and what else could be connected."""
    day_ago = request.now - timedelta(days=1)
    rows = list(Source.objects.filter(shop=seat.shop).order_by("name", "id"))
    today = {
        source.pk: InboxItem.objects.filter(
            shop_id=seat.shop.pk, source_kind="shop", source_id=source.pk, received_at__gte=day_ago
        ).count()
        for source in rows
    }
    slug = seat.shop.slug
    context = {
        "crumb_links": crumbs(seat),
        "rows": [_row(source, seat, today[source.pk]) for source in rows],
        "kinds": [
            SettingsCard(
                "WooCommerce",
                _("Orders, payments and products, by webhooks and REST."),
                reverse("web:connect_woocommerce", args=[slug]),
                "store",
            ),
            SettingsCard(
                _("Any other shop"),
                _("A signed webhook: carts, orders and payments. Ten lines of code."),
                reverse("web:connect_generic", args=[slug]),
                "webhook",
            ),
            SettingsCard(
                _("A file"),
                _("Orders from a CSV file: history for your reports. Nobody is written to."),
                reverse("web:import", args=[slug]),
                "file-up",
            ),
        ],
        "quarantined": inbox.quarantined(seat.shop.pk).count(),
        "intake_url": reverse("web:intake", args=[slug]),
    }
    return render(request, "web/settings/sources.html", context)


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def connect_woocommerce(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Connect a WooCommerce shop: try the keys, make its webhooks, and ask for its history."""
    form = WooCommerceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        source = _try_woocommerce(seat, form, request)
        if source is not None:
            messages.success(
                request, _("Connected. New orders are watched from now on; the history is being read.")
            )
            return redirect("web:source", seat.shop.slug, source.pk)
    context = {
        "heading": _("Connect WooCommerce"),
        "lead": _("Recoup makes the webhooks in your shop itself and reads what they lose."),
        "crumb_links": crumbs(
            seat, Link(_("Sources of orders"), reverse("web:sources", args=[seat.shop.slug]))
        ),
        "form": form,
        "units": {"history": _("days")},
        "save_label": _("Connect"),
    }
    return render(request, "web/settings/form.html", context, status=422 if form.errors else 200)


def _try_woocommerce(seat: Seat, form: WooCommerceForm, request: StaffRequest) -> Source | None:
    given = form.cleaned_data
    who = Actor("person", seat.user.pk)
    wanted = Connection(
        kind="woocommerce",
        name=given["base_url"].split("//")[-1].strip("/"),
        base_url=given["base_url"],
        credentials=form.keys,
    )
    if _has_troubles(seat, wanted, form):
        return None
    try:
        source = connect_source(seat.shop, wanted, now=request.now, actor=who)
    except AlreadyConnected:
        known = find_connected(seat.shop, wanted)
        if known is None:
            raise
        source = known
        replace_keys(source, form.keys, now=request.now, actor=who)
    _make_hooks(request, source, who)
    if given["history"]:
        request_backfill(
            source, since=request.now - timedelta(days=given["history"]), now=request.now, actor=who
        )
    return source


def _has_troubles(seat: Seat, wanted: Connection, form: WooCommerceKeysForm) -> bool:
    """Try what was typed, and say at the form what is wrong with it."""
    try:
        troubles = try_connection(seat.shop, wanted)
    except (SourceUnavailable, SourceRefused) as trouble:
        troubles = [str(trouble)]
    for reason in troubles:
        form.add_error(None, reason_words(reason))
    return bool(troubles)


def _make_hooks(request: StaffRequest, source: Source, who: Actor) -> None:
    """Make the webhooks, or mend them; a shop that refuses them is read by polls until it is told again."""
    try:
        register_hooks(source, now=request.now, actor=who)
    except (SourceUnavailable, SourceRefused) as trouble:
        messages.error(request, _("Its webhooks could not be made: %s") % reason_words(str(trouble)))


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def source_keys(request: StaffRequest, seat: Seat, source_id: int) -> HttpResponse:
    """Give a WooCommerce source new keys, after those of its shop were revoked or replaced; they are tried first."""
    one = get_object_or_404(Source.objects.filter(shop=seat.shop), pk=source_id)
    if one.kind != "woocommerce":
        return redirect("web:source", seat.shop.slug, one.pk)
    form = WooCommerceKeysForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = Connection(one.kind, one.name, one.base_url, form.keys)
        if not _has_troubles(seat, wanted, form):
            who = Actor("person", seat.user.pk)
            replace_keys(one, form.keys, now=request.now, actor=who)
            messages.success(request, _("The new keys work. What was missed meanwhile is being read."))
            _make_hooks(request, one, who)
            return redirect("web:source", seat.shop.slug, one.pk)
    context = {
        "heading": _("New keys"),
        "lead": _("To %(shop)s. Its orders, webhooks and history stay as they are.") % {"shop": one.base_url},
        "crumb_links": crumbs(
            seat,
            Link(_("Sources of orders"), reverse("web:sources", args=[seat.shop.slug])),
            Link(one.name, reverse("web:source", args=[seat.shop.slug, one.pk])),
        ),
        "form": form,
        "units": {},
        "save_label": _("Try and keep them"),
    }
    return render(request, "web/settings/form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def connect_generic(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Connect any other shop by the signed webhook."""
    form = GenericSourceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        source = connect_source(
            seat.shop,
            Connection(kind="generic", name=form.cleaned_data["name"]),
            now=request.now,
            actor=Actor("person", seat.user.pk),
        )
        request.session[ONCE] = source.pk
        return redirect("web:source", seat.shop.slug, source.pk)
    context = {
        "heading": _("Connect any other shop"),
        "lead": _("Your shop posts signed JSON; the next page has the address, the secret and an example."),
        "crumb_links": crumbs(
            seat, Link(_("Sources of orders"), reverse("web:sources", args=[seat.shop.slug]))
        ),
        "form": form,
        "units": {},
        "save_label": _("Connect"),
    }
    return render(request, "web/settings/form.html", context, status=422 if form.errors else 200)


@staff(Right.MANAGE_SHOP)
def source(request: StaffRequest, seat: Seat, source_id: int) -> HttpResponse:
    """Show one source: its address, how it fares, what it can and cannot do."""
    one = get_object_or_404(Source.objects.filter(shop=seat.shop), pk=source_id)
    shown = request.session.pop(ONCE, None) == one.pk
    context = {
        "source": _row(one, seat),
        "crumb_links": crumbs(
            seat, Link(_("Sources of orders"), reverse("web:sources", args=[seat.shop.slug]))
        ),
        "lead": ""
        if platform(one.kind).capabilities.carts
        else _("This source reports no carts, so there are no cart reminders for it."),
        "hook_url": hook_address(one) if platform(one.kind).capabilities.webhooks else "",
        "secret": one.secret if shown else "",
        "checks": _checks(one),
        "facts": _facts(one),
        "actions": _actions(one, seat),
        "example": EXAMPLE.replace("ADDRESS", hook_address(one)) if one.kind == "generic" else "",
        "cancelling": own_cancelling(seat, one, request.now),
        "events": Timeline([]),
        "dialogs": [],
    }
    return render(request, "web/settings/source.html", context)


def _checks(one: Source) -> list[CheckRow]:
    if one.trouble:
        return [CheckRow(_("Connection"), "failed", _("Needs attention"), reason_words(one.trouble))]
    if one.last_news_at is None and one.kind != "csvfile":
        return [
            CheckRow(
                _("First report"),
                "waiting",
                _("Waiting"),
                _("Place a test order in your shop; it appears here in seconds."),
            )
        ]
    return [CheckRow(_("Connection"), "ok", _("In order"))]


def _facts(one: Source) -> list[tuple[str, Any]]:
    can = platform(one.kind).capabilities
    history = history_state(one)
    rows: list[tuple[str, Any]] = [
        (
            _("Watches orders since"),
            humane.day(one.live_since, get_current_timezone(), get_language() or "en"),
        ),
        (_("Carts"), _("reported") if can.carts else _("not reported")),
        (_("Asked before a reminder"), _("yes") if can.asks else _("no")),
    ]
    if can.coupons:
        rows.append(
            (
                _("Personal offers"),
                _(
                    "by coupons of the shop. Put on unpaid orders by themselves; for carts filled in by the link from"
                    " WooCommerce 10 on, in an older shop typed by the buyer. The keys need the right to write."
                ),
            )
        )
    if one.base_url:
        rows.insert(0, (_("Shop"), one.base_url))
    if history is not None:
        state = _("done") if history.get("is_done") else _("being read")
        rows.append((_("History"), f"{state} ({history.get('rows', 0)})"))
    return rows


def _actions(one: Source, seat: Seat) -> list[Action]:
    url = reverse("web:source_change", args=[seat.shop.slug, one.pk])
    is_paused = one.state == Source.State.PAUSED
    found = [
        Action(
            _("Resume") if is_paused else _("Pause"),
            icon="play" if is_paused else "pause",
            url=url,
            is_post=True,
            fields=[("do", "resume" if is_paused else "pause")],
        )
    ]
    if one.kind == "woocommerce":
        keys = reverse("web:source_keys", args=[seat.shop.slug, one.pk])
        found.append(Action(_("New keys"), icon="key-round", url=keys))
    if platform(one.kind).capabilities.webhooks:
        found.append(
            Action(_("New secret"), icon="key-round", url=url, is_post=True, fields=[("do", "secret")])
        )
    return found


@require_POST
@staff(Right.MANAGE_SHOP)
def source_change(request: StaffRequest, seat: Seat, source_id: int) -> HttpResponse:
    """Pause or resume a source, or give it a new secret; the old one is accepted until the next change."""
    one = get_object_or_404(Source.objects.filter(shop=seat.shop), pk=source_id)
    who = Actor("person", seat.user.pk)
    match request.POST.get("do"):
        case "pause" | "resume" as wish:
            set_paused(one, is_paused=wish == "pause", now=request.now, actor=who)
        case "secret":
            rotate_secret(one, now=request.now, actor=who)
            request.session[ONCE] = one.pk
            _make_hooks(request, one, who)
        case _:
            raise Http404
    return redirect("web:source", seat.shop.slug, one.pk)
