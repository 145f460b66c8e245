"""Checks: whether this installation is well, and whether it is the one that may send (R19, R48)."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.core.clock import real_now
from recoup.core.installation import confirm_place, get_installation
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest, staff
from recoup.web.health import troubles
from recoup.web.keeping_screens import CheckRow
from recoup.web.reach import Reach, reach_public_address
from recoup.web.views.settings import crumbs, note


@staff(Right.MANAGE_SHOP)
def checks(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show what was found just now."""
    found = troubles(now=real_now())
    installation = get_installation()
    rows = [
        _row(
            _("Public address"),
            address_trouble(),
            settings.PUBLIC_URL,
        ),
        _row(
            _("Worker"),
            _("Restart it: recoup run, or recoup worker.")
            if any(code.startswith(("loop_silent", "worker_missing")) for code in found)
            else "",
            _("Every part of it has reported within the last minutes."),
        ),
        _row(
            _("Messages leave in time"),
            _("Look at the mail server and at Messages.") if "messages_late" in found else "",
            _("No message waits longer than it should."),
        ),
        _row(
            _("News is read in time"),
            _("Look at the sources of orders.") if "inbox_late" in found else "",
            _("What shops and operators report is applied at once."),
        ),
        _row(
            _("Free disk space"),
            _("Free some space; sending stops before the disk is full.") if "disk_low" in found else "",
            _("There is room for more."),
        ),
        _row(
            _("This copy may send"),
            _("It was restored or moved. Confirm only when no other copy is running.")
            if installation.silenced_at
            else "",
            _("It is the one that was confirmed, not a restored copy."),
        ),
    ]
    context = {
        "heading": _("Checks"),
        "crumb_links": crumbs(seat),
        "checks": rows,
        "is_silenced": installation.silenced_at is not None,
        "address_url": reverse("public_address"),
        "confirm_url": reverse("web:confirm_place", args=[seat.shop.slug]),
    }
    return render(request, "web/settings/all_checks.html", context)


def address_trouble() -> str:
    """Return in words why buyers would not reach us at the public address; empty when they do."""
    match reach_public_address().by:
        case Reach.US:
            return ""
        case Reach.UNSET:
            return _("Nobody has said it yet.")
        case Reach.NOBODY:
            return _(
                "Nobody answers there. Look at the name in DNS, the certificate and the proxy before Recoup."
            )
        case Reach.OTHERS:
            return _("Another server answers there. Correct the address or DNS.")


def _row(title: str, trouble: str, detail: str = "") -> CheckRow:
    label = _("Needs attention") if trouble else _("In order")
    return CheckRow(title, "failed" if trouble else "ok", label, trouble or detail)


@require_POST
@staff(Right.MANAGE_SHOP)
def confirm(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Let this copy send: an owner says that no other one runs."""
    confirm_place(now=real_now())
    note(seat, request, "core.installation.confirmed")
    messages.success(request, _("This copy sends again."))
    return redirect("web:checks", seat.shop.slug)
