"""Calls that could not be applied: why, and trying them again. Nothing that passed the signature is ever lost."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.core import inbox
from recoup.payments.models import OperatorAccount
from recoup.shops.access import Seat
from recoup.shops.models import Source
from recoup.shops.reasons import words as reason_words
from recoup.web.doors import StaffRequest, staff
from recoup.web.keeping_screens import IntakeRow
from recoup.web.parts import Filters, Pager
from recoup.web.views.settings import crumbs, note

SHOWN = 100
LONGEST_BODY = 20_000  # characters shown of a body


@staff(Right.MANAGE_INTAKE)
def intake(request: StaffRequest, seat: Seat) -> HttpResponse:
    """List what is quarantined, newest first."""
    names = {
        "shop": dict(Source.objects.filter(shop=seat.shop).values_list("pk", "name")),
        "operator": dict(OperatorAccount.objects.filter(shop=seat.shop).values_list("pk", "name")),
    }
    items = list(inbox.quarantined(seat.shop.pk)[:SHOWN])
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
            retry_url=reverse("web:intake_retry", args=[slug, item.pk]),
            ignore_url=reverse("web:intake_aside", args=[slug, item.pk]),
        )
        for item in items
    ]
    total = inbox.quarantined(seat.shop.pk).count()
    context = {
        "crumb_links": crumbs(seat),
        "filters": Filters(),
        "rows": rows,
        "pager": Pager(summary=ngettext("%(n)s report", "%(n)s reports", total) % {"n": total}),
        "retry_all_url": reverse("web:intake_retry_all", args=[slug]),
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
