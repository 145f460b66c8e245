"""The editor of processes: a nested list of steps; every change is kept at once and can be taken back (J2, J9)."""

from collections.abc import Callable, Set

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.processes import drafts
from recoup.processes.drafts import DraftChanged, DraftState, Lock, NothingToUndo
from recoup.processes.graph import editing
from recoup.processes.graph.editing import EditRefused, Raw
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.parts import Confirm, Link, Words
from recoup.web.shown import editor as shown
from recoup.web.shown.changes import change_words
from recoup.web.shown.examples import example_lines
from recoup.web.shown.people import clerk_names
from recoup.web.shown.tour import tour_of
from recoup.web.views import editor_panel as panel
from recoup.web.words import steps

_REFUSALS: dict[str, Words] = {
    "last_block": gettext_lazy("This is the last step; a process needs one."),
    "end_needed": gettext_lazy("Every way needs its end. Lead the way elsewhere instead."),
    "too_many_blocks": gettext_lazy("A process holds at most 100 steps."),
    "no_such_block": gettext_lazy("That step is not there any more."),
    "no_such_way": gettext_lazy("That way is not there any more."),
    "into_itself": gettext_lazy("That way belongs to what would be moved. Choose one outside of it."),
    "stands_there": gettext_lazy("That step stands there already."),
}


def refusal(code: str) -> str:
    """Return why an edit cannot be done."""
    return str(_REFUSALS[code])


def get_process(seat: Seat, process_id: int) -> Process:
    """Return a process of the seat's shop; another one is not there."""
    rows = Process.objects.filter(shop=seat.shop).select_related("current_version", "message_source", "shop")
    return get_object_or_404(rows, pk=process_id)


def crumbs(seat: Seat, process: Process, *, is_deeper: bool = False) -> list[Link]:
    """Return the way to a page of the editor."""
    found = [
        Link(_("Processes"), place(seat, "processes")),
        Link(steps.process_name(process), place(seat, "process", process.pk)),
    ]
    if is_deeper:
        return [*found, Link(_("Edit"), place(seat, "process_edit", process.pk))]
    return [*found, Link(_("Edit"), "")]


def whoever(actor_id: int | None) -> str:
    """Return the name of who changed a draft."""
    return clerk_names([actor_id]).get(actor_id or 0, "") or _("Somebody")


def changed_words(seat: Seat, changed: DraftChanged) -> list[str]:
    """Return what another person did to the draft meanwhile."""
    after = shown.shape_of(seat.shop, changed.now.doc)
    before = shown.shape_of(seat.shop, changed.before)
    return change_words(changed.changes, before, after)


@staff(Right.EDIT_PROCESSES)
def edit(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Show the draft."""
    return show(request, seat, get_process(seat, process_id))


def show(
    request: StaffRequest, seat: Seat, process: Process, *, changed: DraftChanged | None = None
) -> HttpResponse:
    """Show the draft; with `changed`, what another person did while one looked at it."""
    if changed is not None and panel.is_asked(request):
        lines, other = changed_words(seat, changed), whoever(changed.now.changed_by)
        return panel.conflict(seat, process, other=other, lines=lines)
    state = drafts.draft_of(process)
    shape = shown.shape_of(seat.shop, state.doc)
    problems = drafts.problems_of(process, state.doc)
    context = {
        "process": process,
        "name": state.doc["name"] if state.doc["name"] != process.name else steps.process_name(process),
        "crumb_links": crumbs(seat, process),
        "outline": shown.outline_of(seat, process, shape, problems),
        "examples": example_lines(seat.shop, state.doc, problems),
        "examples_url": place(seat, "process_edit_examples", process.pk),
        "state": state,
        "editor": _first_person(state),
        "urls": {
            name: place(seat, f"process_edit_{name}", process.pk)
            for name in ("name", "step", "discard", "remove", "copy")
        },
        "publish_url": place(seat, "process_publish", process.pk),
        "try_url": place(seat, "backtest_new", process.pk),
        "export_url": place(seat, "process_export", process.pk),
        "others": changed_words(seat, changed) if changed is not None else [],
        "other": whoever(changed.now.changed_by) if changed is not None else "",
        "dialogs": [_discard_dialog(seat, process, state)],
        "view": _view(request),
        "canvas_url": place(seat, "process_canvas", process.pk),
        "counts_url": place(seat, "process_counts", process.pk),
        "tour": tour_of(process, state.doc, shape),
    }
    return render(request, "web/process_editor.html", context, status=409 if changed is not None else 200)


def _view(request: StaffRequest) -> str:
    """Return which editor was asked for: canvas, outline, or whichever the window has room for."""
    asked = request.GET.get("view", "")
    if asked in ("canvas", "outline"):
        return asked
    return "outline" if request.COOKIES.get("recoup_editor") == "outline" else ""


def _first_person(state: DraftState) -> str:
    return whoever(state.changed_by) if state.is_stored else ""


def _discard_dialog(seat: Seat, process: Process, state: DraftState) -> Confirm:
    is_new = process.current_version is None
    effects: list[Words] = (
        [_("It was never published, so nothing of it is left.")]
        if is_new
        else [_("The published version stays as it is and goes on running.")]
    )
    return Confirm(
        id="discard",
        title=_("Delete this process?") if is_new else _("Throw the changes away?"),
        url=place(seat, "process_edit_discard", process.pk),
        button=_("Delete the process") if is_new else _("Throw the changes away"),
        effects=effects,
        hidden=[("lock", str(state.lock))],
        tone="error",
    )


def keep(request: StaffRequest, seat: Seat, process: Process, doc: Raw) -> HttpResponse:
    """Keep an edited document that was asked for by a button of the outline."""
    lock = Lock.read(request.POST.get("lock", ""))
    before = drafts.draft_of(process)
    try:
        state = drafts.save_draft(process, doc, lock=lock, actor=actor_of(seat), now=request.now)
    except DraftChanged as changed:
        return show(request, seat, process, changed=changed)
    say_what_went(request, before.doc, state.doc)
    return _back(request, seat, process)


def _back(request: StaffRequest, seat: Seat, process: Process, refused: str = "") -> HttpResponse:
    """Lead back to the draft, or answer the canvas."""
    if panel.is_asked(request):
        return panel.refused(refused) if refused else panel.kept(request, seat, process)
    if refused:
        messages.warning(request, refused)
    return see_other(place(seat, "process_edit", process.pk))


def _edited(
    request: StaffRequest, seat: Seat, process_id: int, edit_doc: Callable[[Raw, Set[str]], Raw]
) -> HttpResponse:
    """Keep what an edit makes of the draft, or say why it cannot be done."""
    process = get_process(seat, process_id)
    try:
        doc = edit_doc(drafts.draft_of(process).doc, drafts.used_ids(process))
    except EditRefused as refused:
        return _back(request, seat, process, refusal(refused.code))
    return keep(request, seat, process, doc)


def say_what_went(request: StaffRequest, before: Raw, after: Raw) -> None:
    """Tell how many steps went with an edit."""
    gone = len(set(before["nodes"]) - set(after["nodes"]))
    if gone > 1:
        messages.success(
            request, _("Saved. %(count)d steps are taken out; Undo brings them back.") % {"count": gone}
        )


@require_POST
@staff(Right.EDIT_PROCESSES)
def remove(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Take a step out."""
    block = request.POST.get("block", "")
    return _edited(request, seat, process_id, lambda doc, used: editing.remove(doc, block, used))


@require_POST
@staff(Right.EDIT_PROCESSES)
def copy(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Lead a way to a copy of a step and of what only it leads to."""
    block, way = request.POST.get("block", ""), shown.read_way(request.POST.get("at", ""))
    return _edited(request, seat, process_id, lambda doc, used: editing.copy_branch(doc, block, way, used))


@require_POST
@staff(Right.EDIT_PROCESSES)
def move(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Put a step and what only it leads to on another way."""
    block, way = request.POST.get("block", ""), shown.read_way(request.POST.get("at", ""))
    return _edited(request, seat, process_id, lambda doc, used: editing.move_branch(doc, block, way, used))


@require_POST
@staff(Right.EDIT_PROCESSES)
def lead(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Lead a way to another step; without one, to an end of its own."""
    to, way = request.POST.get("to", ""), shown.read_way(request.POST.get("at", ""))
    return _edited(request, seat, process_id, lambda doc, used: editing.rewire(doc, way, to, used))


@require_POST
@staff(Right.EDIT_PROCESSES)
def step(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Take the last change back, or take it again."""
    process, lock = get_process(seat, process_id), Lock.read(request.POST.get("lock", ""))
    steps_asked = 1 if request.POST.get("to") == "redo" else -1
    try:
        drafts.move_draft(process, steps=steps_asked, lock=lock, actor=actor_of(seat), now=request.now)
    except DraftChanged as changed:
        return show(request, seat, process, changed=changed)
    except NothingToUndo:
        return _back(request, seat, process, _("There is no such change."))
    return _back(request, seat, process)


@require_POST
@staff(Right.EDIT_PROCESSES)
def discard(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Throw the draft away; a process that was never published goes with it."""
    process, lock = get_process(seat, process_id), Lock.read(request.POST.get("lock", ""))
    try:
        is_left = drafts.discard_draft(process, lock=lock, actor=actor_of(seat), now=request.now)
    except DraftChanged as changed:
        return show(request, seat, process, changed=changed)
    if is_left:
        messages.success(request, _("The changes are thrown away."))
        return see_other(place(seat, "process", process_id))
    messages.success(request, _("The process is deleted."))
    return see_other(place(seat, "processes"))
