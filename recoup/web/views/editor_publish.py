"""Publishing a draft: what changes, for whom it does not, and who will enter from now on (J8, J9)."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.processes import drafts
from recoup.processes.drafts import DraftChanged, Lock, NameRefused
from recoup.processes.files import sent_texts
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.models import Process, ProcessVersion
from recoup.processes.moving.ahead import AT_ONCE
from recoup.processes.moving.plan import Plan, PlanRefused
from recoup.processes.publishing import PublishPreview, preview_of_publish
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.moving import MovingForm
from recoup.web.shown import editor as shown
from recoup.web.shown import moving
from recoup.web.shown.changes import change_words
from recoup.web.views.editor import crumbs, get_process, show
from recoup.web.views.editor_forms import name_refused
from recoup.web.views.moving import (
    also_rows,
    ask_look,
    asked_look,
    initial_of,
    look_context,
    people_inside,
    refusal_words,
)
from recoup.web.words.days import day_warning
from recoup.web.words.held import held_lines
from recoup.web.words.reach import warnings_of_texts

_RUNS = {Process.Status.LIVE, Process.Status.TEST, Process.Status.PAUSED, Process.Status.DRAINING}


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def publish(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Show what publishing would do, or do it."""
    process = get_process(seat, process_id)
    if request.method != "POST":
        return _show(request, seat, process)
    lock = Lock.read(request.POST.get("lock", ""))
    before = process.current_version
    try:
        plan = _plan(process, request)
        if request.POST.get("do") == "look":
            return _look(request, seat, process, plan)
        version = drafts.publish_draft(process, lock=lock, actor=actor_of(seat), now=request.now, plan=plan)
    except DraftChanged as changed:
        return show(request, seat, process, changed=changed)
    except (InvalidProcess, NameRefused, PlanRefused) as refused:
        return _show(request, seat, process, status=422, refused=_refusal(refused))
    _tell(request, process, version, before)
    return see_other(place(seat, "process", process.pk))


def _refusal(refused: InvalidProcess | NameRefused | PlanRefused) -> str:
    """Return why nothing was published; the problems of a draft are shown each at its place."""
    if isinstance(refused, NameRefused):
        return name_refused(refused.code)
    return refusal_words(refused) if isinstance(refused, PlanRefused) else ""


def _tell(
    request: StaffRequest, process: Process, version: ProcessVersion, before: ProcessVersion | None
) -> None:
    if before is not None and version.pk == before.pk:
        messages.success(request, _("Nothing had changed, so there is no new version."))
    elif process.status in _RUNS:
        messages.success(request, _("Version %(number)d is published.") % {"number": version.number})
    else:
        words = _("Version %(number)d is published. It does not run yet: switch it on when you are ready.")
        messages.warning(request, words % {"number": version.number})


def _plan(process: Process, request: StaffRequest) -> Plan:
    """Return what was chosen for those inside; without a choice they stay."""
    doc = drafts.draft_of(process).doc
    wants_more = any(name.startswith("also_") for name in request.POST)
    if (request.POST.get("how") != "move" and not wants_more) or drafts.problems_of(process, doc):
        return Plan()
    form, inside = _moving_form(process, doc, request)
    if not form.is_valid():
        raise PlanRefused("stays" if "how" in form.errors else "lost_block")
    return form.plan(inside.defaults)


def _moving_form(
    process: Process, doc: dict[str, Any], request: StaffRequest, initial: dict[str, Any] | None = None
) -> tuple[MovingForm, moving.Inside]:
    inside = moving.inside_of(process, None, doc)
    posted = request.POST if request.method == "POST" else None
    form = MovingForm(
        posted,
        blocks=inside.blocks,
        targets=moving.titles_of(doc),
        passed=inside.passed,
        initial=initial or {},
    )
    return form, inside


def _look(request: StaffRequest, seat: Seat, process: Process, plan: Plan) -> HttpResponse:
    """Show what would go out with this plan; nothing is published."""
    state = drafts.draft_of(process)
    if people_inside(process) <= AT_ONCE:
        return _show(request, seat, process, plan=plan)
    return ask_look(seat, process, state.doc, plan, request, place(seat, "process_publish", process.pk))


def _show(
    request: StaffRequest,
    seat: Seat,
    process: Process,
    *,
    status: int = 200,
    refused: str = "",
    plan: Plan | None = None,
) -> HttpResponse:
    state = drafts.draft_of(process)
    preview = preview_of_publish(process, state.doc, now=request.now)
    changes = preview.changes.without_remarks()
    shape = shown.shape_of(seat.shop, state.doc)
    before = shown.shape_of(seat.shop, preview.before) if preview.before is not None else None
    outline = shown.outline_of(seat, process, shape, preview.problems)
    context: dict[str, Any] = {
        "crumb_links": crumbs(seat, process, is_deeper=True),
        "title": _("Publish version %(number)d") % {"number": preview.number},
        "changes": change_words(changes, before, shape),
        "inside": _inside(preview),
        "entry": outline.entry,
        "problems": outline.summary,
        "edit_url": place(seat, "process_edit", process.pk),
        "lock": str(state.lock),
        "runs": process.status in _RUNS,
        "refused": refused,
        "warnings": warnings_of_texts(seat.shop, sent_texts(state.doc), now=request.now),
        "held": held_lines(preview.ways, shape.named(), shape.texts),
        "dated": _dated(seat, shape),
    }
    if not preview.problems and preview.inside and changes:
        context |= _about_those_inside(request, seat, process, state.doc, plan)
    return render(request, "web/process_publish.html", context, status=status)


def _about_those_inside(
    request: StaffRequest, seat: Seat, process: Process, doc: dict[str, Any], plan: Plan | None
) -> dict[str, Any]:
    look = asked_look(seat, process, request)
    form, inside = _moving_form(process, doc, request, initial_of(look))
    try:
        found = look_context(seat, process, doc, plan or Plan(), request, people_inside(process))
    except PlanRefused as refusal:
        found = {"refused": refusal_words(refusal)}
    return {
        **found,
        "form": form,
        "rows": [(field, inside.words(field.name.removeprefix("at_"))) for field in form.at_blocks()],
        "also": also_rows(form, inside),
        "is_movable": inside.is_movable,
    }


def _dated(seat: Seat, shape: shown.Shape) -> list[str]:
    """Return the steps whose texts speak of a day, while nothing keeps them to it."""
    return [
        f"{title}: {sentence}"
        for name, title in shape.named().items()
        for sentence in day_warning(seat.shop, shape.doc["nodes"][name])
    ]


def _inside(preview: PublishPreview) -> list[str]:
    return [
        ngettext(
            "%(count)d person is on version %(number)d.",
            "%(count)d people are on version %(number)d.",
            count,
        )
        % {"count": count, "number": number}
        for number, count in preview.inside
    ]
