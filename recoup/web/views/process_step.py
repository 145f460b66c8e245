"""The rows behind the numbers of a step: who stands there now, and who went through it lately."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from recoup.accounts.roles import Right
from recoup.processes.at_blocks import EVERYWHERE, Number, count_at_block, counts_at_blocks, list_at_block
from recoup.shops.access import Seat
from recoup.web import listing
from recoup.web.answers import place
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address, with_query
from recoup.web.parts import Filters, Link
from recoup.web.shown import at_blocks as shown
from recoup.web.shown.processes import block_title
from recoup.web.views.editor import get_process
from recoup.web.words import steps


@require_safe
@staff(Right.SEE_PROCESSES)
def counts(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Give the numbers of the blocks of a process."""
    process = get_process(seat, process_id)
    return JsonResponse(shown.counts_of(seat, process, counts_at_blocks(process, now=request.now)))


@require_safe
@staff(Right.SEE_PROCESSES)
def step(request: StaffRequest, seat: Seat, process_id: int, block: str) -> HttpResponse:
    """List those whom a number of a step counts."""
    process, address = get_process(seat, process_id), Address(request)
    number: Number = "passed" if address.get("v") == "passed" else "here"
    page = list_at_block(process, block, number, cursor=address.get("c"), now=request.now)
    count = count_at_block(process, block, number, most=listing.wants_exact(address), now=request.now)
    views = [
        Link(_("Here now"), address.url(v="", c=""), number == "here"),
        Link(_("Went through in the last 30 days"), address.url(v="passed", c=""), number == "passed"),
    ]
    context = {
        "crumb_links": [
            Link(_("Processes"), place(seat, "processes")),
            Link(steps.process_name(process), place(seat, "process", process.pk)),
            Link(_("Step"), ""),
        ],
        "title": block_title(process, block) or _("A step of an earlier version"),
        "filters": Filters(views),
        "rows": shown.rows_of(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
    }
    return render(request, "web/process_step.html", context)


@require_safe
@staff(Right.SEE_PROCESSES)
def inside(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """List all that wait in a process: orders, carts and people."""
    process, address = get_process(seat, process_id), Address(request)
    page = list_at_block(process, EVERYWHERE, "here", cursor=address.get("c"), now=request.now)
    most = listing.wants_exact(address)
    count = count_at_block(process, EVERYWHERE, "here", most=most, now=request.now)
    cases = with_query(place(seat, "recovery"), {"process": process.pk})
    context = {
        "crumb_links": [
            Link(_("Processes"), place(seat, "processes")),
            Link(steps.process_name(process), place(seat, "process", process.pk)),
            Link(_("Waiting in it"), ""),
        ],
        "title": _("Waiting in “%(name)s”") % {"name": steps.process_name(process)},
        "filters": Filters([Link(_("All"), address.path, True), Link(_("Their cases in Recovery"), cases)]),
        "rows": shown.rows_of(seat, page.rows),
        "pager": listing.pager(address, page, count, _counted),
    }
    return render(request, "web/process_step.html", context)


def _counted(number: int, shown_number: str) -> str:
    return ngettext("%(n)s in the list", "%(n)s in the list", number) % {"n": shown_number}
