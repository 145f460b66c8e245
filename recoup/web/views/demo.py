"""The demo's clock and mailbox; both are 404 anywhere else."""

from datetime import timedelta
from email import message_from_bytes, policy

from django.apps import apps
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.core import installation
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest, signed_in, staff
from recoup.web.frames import framed_mail
from recoup.web.parts import Pager
from recoup.web.views.personal import way_back

LONGEST_STEP = 60 * 24 * 31  # minutes
SHOWN = 50


@require_POST
@signed_in
def advance_clock(request: HttpRequest) -> HttpResponse:
    """Move the demo's clock forward by `minutes`; the worker does what falls due."""
    if not settings.IS_DEMO:
        raise Http404
    text = request.POST.get("minutes", "")
    minutes = int(text) if text.isascii() and text.isdigit() else 0
    if not 0 < minutes <= LONGEST_STEP:
        messages.error(request, _("The clock goes forward by a minute up to a month."))
        return redirect(way_back(request))
    installation.move_trade_clock(timedelta(minutes=minutes))
    messages.success(request, _("The clock was moved. What has become due is being done now."))
    return redirect(way_back(request))


@staff(Right.SEE_PROCESSES)
def mailbox(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show what the mailbox has caught, newest first."""
    if not settings.IS_DEMO:
        raise Http404
    before = request.GET.get("before", "")
    found = apps.get_model("demo", "CaughtMail").objects.order_by("-id").defer("content")
    if before.isascii() and before.isdigit() and len(before) < 19:
        found = found.filter(pk__lt=int(before))
    mails = list(found[: SHOWN + 1])
    here = reverse("web:demo_mailbox", args=[seat.shop.slug])
    pager = Pager(
        newer_url=here if before else "",
        older_url=f"{here}?before={mails[SHOWN - 1].pk}" if len(mails) > SHOWN else "",
    )
    rows = [
        {
            "url": reverse("web:demo_mail", args=[seat.shop.slug, mail.pk]),
            "subject": mail.subject,
            "recipient": mail.recipient,
            "sender": mail.sender,
            "at": mail.caught_at,
        }
        for mail in mails[:SHOWN]
    ]
    return render(request, "web/demo/mailbox.html", {"rows": rows, "pager": pager})


@staff(Right.SEE_PROCESSES)
def mail(request: StaffRequest, seat: Seat, mail_id: int) -> HttpResponse:
    """Show one mail as the buyer sees it."""
    if not settings.IS_DEMO:
        raise Http404
    caught = get_object_or_404(apps.get_model("demo", "CaughtMail"), pk=mail_id)
    context = {
        "mail": caught,
        "frame_url": reverse("web:demo_mail_frame", args=[seat.shop.slug, mail_id]),
        "list_url": reverse("web:demo_mailbox", args=[seat.shop.slug]),
        "text": _part(bytes(caught.content), "plain"),
    }
    return render(request, "web/demo/mail.html", context)


@staff(Right.SEE_PROCESSES)
def mail_frame(request: StaffRequest, seat: Seat, mail_id: int) -> HttpResponse:  # noqa: ARG001 - shape of a view
    """Answer the mail's HTML under a policy of its own, for a sandboxed frame. Its links open in a new tab."""
    if not settings.IS_DEMO:
        raise Http404
    caught = get_object_or_404(apps.get_model("demo", "CaughtMail"), pk=mail_id)
    return framed_mail(_part(bytes(caught.content), "html"))


def _part(content: bytes, kind: str) -> str:
    message = message_from_bytes(content, policy=policy.default)
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""
