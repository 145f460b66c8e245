"""The mail server: settings, a test, and whether mailboxes trust the domain."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.core import attention
from recoup.integrations.smtp import own_mailbox
from recoup.integrations.smtp.channel import smtp_settings
from recoup.integrations.smtp.diagnose import DNS_WORDS, test_connection
from recoup.integrations.smtp.dns import Finding, State, check_domain
from recoup.messaging.models import Lane, MailAccount, Template
from recoup.messaging.previews import send_test
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.settings import MailForm
from recoup.web.keeping_screens import CheckRow
from recoup.web.views.settings import crumbs, note
from recoup.web.views.trials import send_and_tell

_LOOKS = {"good": "ok", "weak": "warning", "missing": "failed", "wrong": "failed", "unknown": "unknown"}


def account_of(seat: Seat) -> MailAccount:
    """Return the shop's mail account, a fresh one if there is none."""
    return MailAccount.objects.filter(shop=seat.shop).first() or MailAccount(shop=seat.shop)


@require_http_methods(["GET", "POST"])
@staff(Right.MANAGE_SHOP)
def mail(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show and change the mail server. A lane that had stopped over it starts again."""
    account = account_of(seat)
    form = MailForm(request.POST or None, instance=account)
    if request.method == "POST" and form.is_valid():
        form.save()
        Lane.objects.filter(shop=seat.shop, channel="email").update(
            in_trouble_since=None, trouble="", backoff_seconds=0, next_at=None
        )
        note(seat, request, "messaging.mail.changed", fields=sorted(set(form.changed_data) - {"password"}))
        messages.success(request, _("Saved. Send a test to see whether it works."))
        return redirect("web:mail", seat.shop.slug)
    return render(
        request, "web/settings/mail.html", _context(seat, form, account), status=422 if form.errors else 200
    )


def _context(seat: Seat, form: MailForm, account: MailAccount) -> dict[str, Any]:
    return {
        "heading": _("Mail server"),
        "lead": _("Reminders go out over your own mail server, in your own name."),
        "crumb_links": crumbs(seat),
        "form": form,
        "units": {},
        "form_parts": {"from_name": _("Sender"), "host": _("Server"), "dkim_selectors": _("Signature")},
        "test_url": reverse("web:mail_test", args=[seat.shop.slug]),
        "test_to": seat.user.email,
        "check_url": reverse("web:mail_check", args=[seat.shop.slug]),
        "checks": _rows(account.check_result),
        "checked_at": account.checked_at,
    }


def _rows(result: dict[str, Any]) -> list[CheckRow]:
    labels = {
        "ok": _("In order"),
        "warning": _("Could be better"),
        "failed": _("Needs work"),
        "unknown": _("Not known"),
    }
    return [
        CheckRow(
            row["title"],
            row["state"],
            labels[row["state"]],
            str(DNS_WORDS.get(row["code"], row["detail"])),
            row["record"],
        )
        for row in result.get("rows", [])
    ]


@require_POST
@staff(Right.MANAGE_SHOP)
def mail_check(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Try the server and read the domain's records now; the result is kept."""
    account = account_of(seat)
    if account.pk is None or not account.host:
        messages.error(request, _("Fill in the mail server first."))
        return redirect("web:mail", seat.shop.slug)
    rows = _connection_rows(account)
    domain = account.from_email.rpartition("@")[2]
    if domain:
        selectors = [name.strip() for name in account.dkim_selectors.split(",") if name.strip()]
        report = check_domain(domain, selectors)
        rows += [_finding(one) for one in (report.spf, *report.dkim, report.dmarc)]
    account.checked_at, account.check_result = request.now, {"rows": rows}
    account.save(update_fields=["checked_at", "check_result"])
    return redirect("web:mail", seat.shop.slug)


def _connection_rows(account: MailAccount) -> list[dict[str, str]]:
    if own_mailbox.is_foreign(account):
        detail = _("The demo never talks to a foreign mail server.")
        return [{"title": _("Server"), "state": "failed", "code": "", "detail": detail, "record": ""}]
    return [
        {
            "title": _("Server") + f" ({step.name})",
            "state": "ok" if step.is_good else "failed",
            "code": "",
            "detail": " ".join(part for part in (str(step.message), step.detail) if part),
            "record": "",
        }
        for step in test_connection(smtp_settings(account)).steps
    ]


def _finding(found: Finding) -> dict[str, str]:
    return {
        "title": f"{found.name.upper()} – {found.host}",
        "state": _LOOKS.get(found.state.value, "unknown") if isinstance(found.state, State) else "unknown",
        "code": found.code,
        "detail": found.code,
        "record": found.record,
    }


@require_POST
@staff(Right.MANAGE_SHOP)
def mail_test(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Send the first reminder to an address of one's own; it counts nowhere."""
    template = Template.objects.filter(shop=seat.shop, key="order_reminder_1").first()
    if template is None:
        messages.error(request, _("There is no text to send. Install the shipped texts under Texts."))
        return redirect("web:mail", seat.shop.slug)
    to = request.POST.get("to", "")
    if send_and_tell(
        request, template.channel, lambda: send_test(template, seat.shop.locale, to, now=request.now)
    ):
        attention.settle("messaging.line_trouble", shop_id=seat.shop.pk, key="email", now=request.now)
    return redirect("web:mail", seat.shop.slug)
