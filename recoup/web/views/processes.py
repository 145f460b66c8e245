"""Processes: what happens by itself, its picture with live counts, and its switches (J9)."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recoup.accounts.roles import Right
from recoup.analytics.process_figures import process_numbers
from recoup.processes.actions import ProcessMoveNotAllowed
from recoup.processes.actions import set_status as switch
from recoup.processes.bulk.adding import OPEN_DOORS
from recoup.processes.drafts import has_changes
from recoup.processes.engine.codes import Code
from recoup.processes.models import Process
from recoup.processes.queries import counts_of, newest_decisions, processes_of
from recoup.shops.access import Seat
from recoup.shops.sources import has_cart_source
from recoup.web import listing
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.parts import Link, Timeline
from recoup.web.picture_file import svg_of
from recoup.web.shown import processes as shown
from recoup.web.shown.moving import behind_of
from recoup.web.shown.timeline import step_event as shown_step
from recoup.web.words import steps

_IDLE = {Process.Status.DRAFT, Process.Status.STOPPED}


@staff(Right.SEE_PROCESSES)
def processes(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Show the processes of the shop."""
    found, numbers = list(processes_of(seat.shop)), process_numbers(seat.shop)
    has_carts = has_cart_source(seat.shop)
    context = {
        "rows": [
            shown.process_row(seat, one, numbers.get(one.pk, shown.NOTHING), are_carts_reported=has_carts)
            for one in found
        ],
        "lead_shown": listing.is_first_visit(request, "processes"),
        "new_url": place(seat, "process_new") if seat.may(Right.EDIT_PROCESSES) else "",
        "dialogs": [
            dialog
            for one in found
            for dialog in shown.process_dialogs(seat, one, numbers.get(one.pk, shown.NOTHING), found)
        ],
    }
    return render(request, "web/processes.html", context)


def _get(seat: Seat, process_id: int) -> Process:
    rows = Process.objects.filter(shop=seat.shop).select_related("current_version", "message_source")
    return get_object_or_404(rows, pk=process_id)


@staff(Right.SEE_PROCESSES)
def process(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Show a process."""
    return _show(request, seat, _get(seat, process_id))


@require_safe
@staff(Right.SEE_PROCESSES)
def picture(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:  # noqa: ARG001 - the shape of a view
    """Give the picture of what happens now as a file, in the reader's language."""
    one = _get(seat, process_id)
    nodes = shown.process_nodes(seat, one)
    if not nodes:
        raise Http404("Not published yet.")
    name = str(steps.process_name(one))
    answer = HttpResponse(svg_of(nodes, name, get_language() or "en"), content_type="image/svg+xml")
    file_name = slugify(name) or f"process-{one.pk}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{file_name}.svg"'
    return answer


def _show(request: StaffRequest, seat: Seat, one: Process, *, status: int = 200) -> HttpResponse:
    numbers = process_numbers(seat.shop).get(one.pk, shown.NOTHING)
    context = {
        "process": shown.process_page(seat, one, numbers),
        "nodes": shown.process_nodes(seat, one),
        "crumb_links": [
            Link(_("Processes"), place(seat, "processes")),
            Link(steps.process_name(one), ""),
        ],
        "decisions": Timeline(
            [shown_step(seat, line) for line in newest_decisions(one) if line.code not in (Code.YES, Code.NO)]
        ),
        "decisions_url": "",
        "draft_url": _draft_url(seat, one),
        "picture_url": place(seat, "process_picture", one.pk),
        "add_url": listing.with_query(place(seat, "process_add_new"), {"process": one.pk})
        if seat.may(Right.EDIT_PROCESSES) and one.status in OPEN_DOORS and one.current_version_id
        else "",
        "why_url": place(seat, "why"),
        "process_id": one.pk,
        "behind": behind_of(seat, one) if seat.may(Right.EDIT_PROCESSES) else None,
        "is_waiting_to_run": one.current_version_id is not None and one.status in _IDLE,
        "dialogs": shown.process_dialogs(seat, one, numbers, processes_of(seat.shop)),
    }
    return render(request, "web/process.html", context, status=status)


def _draft_url(seat: Seat, one: Process) -> str:
    """Return where changes wait that nobody has published."""
    if not seat.may(Right.EDIT_PROCESSES) or not has_changes(one):
        return ""
    return place(seat, "process_edit", one.pk)


@require_POST
@staff(Right.EDIT_PROCESSES)
def set_status(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Switch a process on, pause it, or stop it."""
    one, to = _get(seat, process_id), request.POST.get("status", "")
    if to not in Process.Status.values:
        to = ""
    inside = counts_of(one)["active"]
    try:
        switch(one, to, actor=actor_of(seat), now=request.now)
    except ProcessMoveNotAllowed:
        messages.warning(request, _("Somebody has switched it meanwhile. Look again, then choose."))
        return _show(request, seat, _get(seat, process_id), status=409)
    words = {
        Process.Status.LIVE: _("It runs."),
        Process.Status.PAUSED: _("It is paused. Nothing is sent until it goes on."),
        Process.Status.DRAINING: ngettext(
            "Nobody enters any more. %(count)d case inside goes on to its end.",
            "Nobody enters any more. %(count)d cases inside go on to their end.",
            inside,
        )
        % {"count": inside},
        Process.Status.STOPPED: ngettext(
            "It is stopped. %(count)d case inside was ended and its planned reminders called off.",
            "It is stopped. %(count)d cases inside were ended and their planned reminders called off.",
            inside,
        )
        % {"count": inside}
        if inside
        else _("It is stopped. Nobody was inside."),
    }
    messages.success(request, words.get(Process.Status(to), _("It runs in test mode: nothing leaves.")))
    return see_other(place(seat, "process", one.pk))
