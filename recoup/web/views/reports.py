"""The list of reports."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from recoup.accounts.roles import Right
from recoup.shops.access import Seat
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.keeping_screens import SettingsCard


@staff(Right.SEE_REPORTS)
def reports(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show which reports there are."""
    recovery = SettingsCard(
        _("Recovery"),
        _("What came back: cases, reminders, money and rate, by shop, currency and period"),
        place(seat, "report"),
        "hand-coins",
    )
    late = SettingsCard(
        _("Messages after payment"),
        _("Whether a reminder ever left after its order was paid, and how late the shop tells of payments"),
        place(seat, "report") + "#proof",
        "shield-check",
    )
    brought = SettingsCard(
        _("Credited, and really brought"),
        _("What would not have come without a process, told by people who are left alone"),
        place(seat, "report") + "#brought",
        "users-round",
    )
    found = [recovery, brought, late]
    if seat.may(Right.SEE_PROCESSES):
        found.append(
            SettingsCard(
                _("By process"),
                _("What each process sends and wins back, and how many wait in it now"),
                place(seat, "processes"),
                "workflow",
            )
        )
    return render(request, "web/reports.html", {"reports": found})
