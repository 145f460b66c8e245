"""Calls that changed nothing: why, and trying them again. Nothing that passed the signature is lost or out of sight."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.core import inbox
from recoup.core.models import InboxItem
from recoup.payments.models import OperatorAccount
from recoup.shops.access import Seat
from recoup.shops.models import Source
from recoup.shops.reasons import words as reason_words
from recoup.web.doors import StaffRequest, staff
from recoup.web.keeping_screens import IntakeRow
from recoup.web.listing import Address
from recoup.web.parts import Filters, Link, Pager
from recoup.web.views.settings import crumbs, note

SHOWN = 50
LONGEST_BODY = 20_000  # characters shown of a body
_VIEWS = {
    "": (InboxItem.State.QUARANTINED, gettext_lazy("Could not be read")),
    "conflict": (InboxItem.State.CONFLICT, gettext_lazy("Same id, other content")),
    "unused": (InboxItem.State.UNUSED, gettext_lazy("Not used")),
    "aside": (InboxItem.State.PUT_ASIDE, gettext_lazy("Left by us")),
}


@staff(Right.MANAGE_INTAKE)
def intake(request: StaffRequest, seat: Seat) -> HttpResponse:
    """List what changed nothing, newest first: what could not be read, or one of the other views."""
    address = Address(request)
    view = address.one_of("v", _VIEWS)
    state = _VIEWS[view][0]
    all_items = inbox.not_applied(seat.shop.pk, state)
    cursor = address.number("c")
    found = list((all_items.filter(pk__lt=cursor) if cursor else all_items)[: SHOWN + 1])
    names = {
        "shop": dict(Source.objects.filter(shop=seat.shop).values_list("pk", "name")),
        "operator": dict(OperatorAccount.objects.filter(shop=seat.shop).values_list("pk", "name")),
    }
    slug = seat.shop.slug
    rows = [
        IntakeRow(
            id=item.pk,
            url="",
            source=names[item.source_kind].get(item.source_id, ""),
            topic=item.topic or _("not named"),
            reason=reason_words(item.reason),
            at=item.received_at,
            raw=inbox.body_text(item)[:LONGEST_BODY],
            retry_url=""
            if state == InboxItem.State.CONFLICT
            else reverse("web:intake_retry", args=[slug, item.pk]),
            ignore_url="" if view else reverse("web:intake_aside", args=[slug, item.pk]),
        )
        for item in found[:SHOWN]
    ]
    total = all_items.count()
    context = {
        "crumb_links": crumbs(seat),
        "filters": Filters(
            [Link(name, address.url(v=key), key == view) for key, (_state, name) in _VIEWS.items()]
        ),
        "rows": rows,
        "pager": Pager(
            summary=ngettext("%(n)s report", "%(n)s reports", total) % {"n": total},
            newer_url=address.url(v=view) if cursor else "",
            older_url=address.url(v=view, c=str(found[SHOWN - 1].pk)) if len(found) > SHOWN else "",
        ),
        "retry_all_url": "" if view else reverse("web:intake_retry_all", args=[slug]),
        "is_of_all": not view,
    }
    return render(request, "web/settings/intake.html", context)


@require_POST
@staff(Right.MANAGE_INTAKE)
def retry(request: StaffRequest, seat: Seat, item_id: int) -> HttpResponse:
    """Let one be tried again; the worker does it within a second."""
    if not inbox.retry(item_id, shop_id=seat.shop.pk, now=request.now):
        raise Http404
    note(seat, request, "core.inbox.retried", item=item_id)
    messages.success(request, _("It is being tried again."))
    return redirect("web:intake", seat.shop.slug)


@require_POST
@staff(Right.MANAGE_INTAKE)
def retry_all(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Let all of them be tried again."""
    ids = list(inbox.quarantined(seat.shop.pk).values_list("pk", flat=True))
    done = sum(inbox.retry(pk, shop_id=seat.shop.pk, now=request.now) for pk in ids)
    note(seat, request, "core.inbox.retried", items=done)
    messages.success(
        request,
        ngettext("%(n)s report is being tried again.", "%(n)s reports are being tried again.", done)
        % {"n": done},
    )
    return redirect("web:intake", seat.shop.slug)


@require_POST
@staff(Right.MANAGE_INTAKE)
def aside(request: StaffRequest, seat: Seat, item_id: int) -> HttpResponse:
    """Put one aside: it stays as it came and is not shown any more."""
    if not inbox.put_aside(item_id, shop_id=seat.shop.pk, now=request.now):
        raise Http404
    note(seat, request, "core.inbox.put_aside", item=item_id)
    return redirect("web:intake", seat.shop.slug)
