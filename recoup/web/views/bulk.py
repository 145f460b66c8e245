"""Putting many into a process: who would come in and who not, the start, how far it is, and what came of it."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.processes.bulk.adding import (
    MOST_PREVIEWED,
    OPEN_DOORS,
    NothingToAdd,
    change_add,
    count_wanted,
    preview_add,
    request_add,
)
from recoup.processes.bulk.models import BulkAdd, BulkSkip
from recoup.processes.bulk.pace import last_comes_in_at
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.models import Process
from recoup.processes.versions import graph_of
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.listing import Address, with_query
from recoup.web.parts import Link, Words
from recoup.web.shown.cases import FILTER_KEYS as CASE_FILTERS
from recoup.web.shown.orders import FILTER_KEYS as ORDER_FILTERS
from recoup.web.shown.picking import CASES, MOST_ROWS, PickRefused, is_somebody_meant, wanted_of
from recoup.web.shown.segments import segment_rows
from recoup.web.words.steps import process_name, upcoming, word

FILTERS = {*CASE_FILTERS, *ORDER_FILTERS}
PACES = (0, 60, 200, 1000)
LOOK_EVERY, LOOK_AT_A_PACE_EVERY = 1, 15  # seconds
_REASONS: dict[str, Words] = {
    "nobody": gettext_lazy("Nobody is known to write to"),
    "no_address": gettext_lazy("No address for the channels of this process"),
    "suppressed": gettext_lazy("Wants no messages of some kind, or the address does not exist"),
    "paid": gettext_lazy("Paid already"),
    "closed": gettext_lazy("Cancelled, false or emptied"),
    "broken": gettext_lazy("An error came up here; the log says which"),
}


def reason_words(reason: str) -> str:
    """Return why somebody was skipped."""
    return str(_REASONS.get(reason) or word(f"process.refusal.{reason}"))


def _fitting(seat: Seat, about: int) -> list[Process]:
    """Return the processes that take such rows now: of the same kind, or about the person."""
    rows = Process.objects.filter(shop=seat.shop, status__in=OPEN_DOORS, current_version__isnull=False)
    return [
        one
        for one in rows.order_by("name", "id")
        if graph_of(one.current_version_id or 0).document.entry.subject in (about, SubjectKind.CONTACT)
    ]


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def add(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Choose the process and the pace, look who would come in, and start."""
    address = Address(request)
    if not is_somebody_meant(request):  # one begins with who is meant
        return see_other(with_query(place(seat, "segments"), {"process": address.number("process")}))
    try:
        wanted, name = wanted_of(request, seat)
    except PickRefused as refused:
        messages.warning(request, str(refused))
        lists = {"customers": "customers", "orders": "orders", CASES: "recovery"}
        back = place(seat, lists.get(address.get("about"), "segments"))
        return see_other(with_query(back, {k: v for k, v in address.given.items() if k in FILTERS}))
    processes = _fitting(seat, wanted.about)
    typed = request.POST
    chosen = next((one for one in processes if str(one.pk) == (typed or request.GET).get("process")), None)
    pace = next((one for one in PACES if str(one) == typed.get("pace")), 0)
    looked: Any = None
    if chosen is not None and typed.get("do") == "start":
        try:
            run = request_add(chosen, wanted, per_hour=pace, actor=actor_of(seat), now=request.now)
        except NothingToAdd:
            messages.warning(request, _("This process lets nobody in at the moment."))
        else:
            return see_other(place(seat, "process_add", run.pk))
    elif chosen is not None and request.method == "POST":
        looked = preview_add(chosen, wanted, now=request.now)
    elif request.method == "POST":
        messages.warning(request, _("Choose a process."))
    context = {
        "crumb_links": [Link(_("Processes"), place(seat, "processes")), Link(_("Move to a process"), "")],
        "name": name,
        "whole": count_wanted(seat.shop, wanted, now=request.now),
        "processes": [(one.pk, process_name(one), one == chosen) for one in processes],
        "paces": [(one, _pace(one), one == pace) for one in PACES],
        "form_url": request.get_full_path(),
        "looked": looked,
        "is_part": looked is not None and looked.looked_at >= MOST_PREVIEWED,
        "reasons": _reasons(looked.reasons()) if looked is not None else [],
    }
    return render(request, "web/process_add.html", context)


def _pace(per_hour: int) -> str:
    if not per_hour:
        return _("All at once")
    return ngettext("%(n)d an hour", "%(n)d an hour", per_hour) % {"n": per_hour}


def _reasons(found: dict[str, int]) -> list[tuple[str, int]]:
    return [(reason_words(reason), number) for reason, number in sorted(found.items())]


def _run(seat: Seat, bulk_id: int) -> BulkAdd:
    rows = BulkAdd.objects.filter(shop=seat.shop).select_related("process")
    return get_object_or_404(rows, pk=bulk_id)


@staff(Right.SEE_PROCESSES)
def adding(request: StaffRequest, seat: Seat, bulk_id: int) -> HttpResponse:
    """Show how far a bulk add is, and who was skipped and why."""
    run = _run(seat, bulk_id)
    skips = list(BulkSkip.objects.filter(bulk=run).order_by("reason", "subject_id")[:MOST_ROWS])
    titles = {row.id: row for row in segment_rows(seat, run.about, [one.subject_id for one in skips])}
    may_change = seat.may(Right.EDIT_PROCESSES)
    url = place(seat, "process", run.process_id)
    is_open = run.state in (BulkAdd.State.WAITING, BulkAdd.State.RUNNING)
    context = {
        "crumb_links": [
            Link(_("Processes"), place(seat, "processes")),
            Link(process_name(run.process), url),
            Link(_("Put in"), ""),
        ],
        "run": run,
        "is_open": is_open,
        "is_halted": run.state in (BulkAdd.State.PAUSED, BulkAdd.State.FAILED),
        "look_every": LOOK_AT_A_PACE_EVERY if run.per_hour else LOOK_EVERY,
        "until": _until(run, request.now) if is_open else "",
        "progress": _("%(done)d of %(whole)d looked at, %(added)d in")
        % {"done": run.done, "whole": max(run.whole, run.done), "added": run.added},
        "whole": max(run.whole, run.done, 1),
        "reasons": _reasons(run.reasons),
        "rows": [
            (titles[one.subject_id], reason_words(one.reason)) for one in skips if one.subject_id in titles
        ],
        "change_url": place(seat, "process_add_change", run.pk) if may_change else "",
        "back_url": url,
    }
    return render(request, "web/process_adding.html", context)


def _until(run: BulkAdd, now: datetime) -> str:
    at = last_comes_in_at(run)
    if at is None:
        return ""
    words = {"pace": _pace(run.per_hour), "when": upcoming(max(at, now), now)}
    return _("%(pace)s: the last comes in %(when)s, sooner if some are skipped.") % words


@require_POST
@staff(Right.EDIT_PROCESSES)
def change(request: StaffRequest, seat: Seat, bulk_id: int) -> HttpResponse:
    """Pause a bulk add, let it go on, or end it where it is."""
    run = _run(seat, bulk_id)
    if not change_add(run, request.POST.get("to", ""), actor=actor_of(seat), now=request.now):
        messages.warning(request, _("That cannot be done any more."))
    return see_other(place(seat, "process_add", run.pk))
