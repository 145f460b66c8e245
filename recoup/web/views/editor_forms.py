"""The forms of the editor: a step, the way in, what ends it, the name.

What two people type at once is compared and never lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.messaging.shipped import READY_KEYS
from recoup.messaging.templates import install_shipped
from recoup.processes import drafts
from recoup.processes.drafts import DraftChanged, DraftState, Lock, NameRefused
from recoup.processes.files import sent_texts
from recoup.processes.graph import editing
from recoup.processes.graph.editing import EditRefused, Raw, Way, ports_of, ways_of
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.texts_used import keys_of_texts
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.blocks.base import BlockForm, GrowingForm
from recoup.web.forms.blocks.entry import EntryForm, GoalsForm
from recoup.web.forms.blocks.name import NameForm
from recoup.web.forms.blocks.table import FORMS
from recoup.web.parts import Words
from recoup.web.picture import ICONS
from recoup.web.shown import editor as shown
from recoup.web.shown.changes import differences
from recoup.web.views import editor_panel as panel
from recoup.web.views.editor import changed_words, crumbs, get_process, refusal, say_what_went, whoever
from recoup.web.words import blocks as block_words
from recoup.web.words.days import day_warning
from recoup.web.words.reach import warnings_of_texts

Make = Callable[[QueryDict | None, Raw, bool], GrowingForm]


@dataclass(frozen=True, slots=True)
class Page:
    """What a form of the editor is about."""

    process: Process
    title: Words
    icon: str
    make: Make  # from what was typed, a document, and whether it is only shown again
    apply: Callable[[Any, Raw], Raw]  # the checked form and the draft to the new draft
    help: Words = ""
    block: str = ""  # the step that is marked in the outline afterwards
    save: Words = ""
    more: Words = ""  # a button that adds a row
    extra: dict[str, Any] | None = None


def _answer(request: StaffRequest, seat: Seat, page: Page) -> HttpResponse:
    """Show a form of the editor, or keep what was typed."""
    state = drafts.draft_of(page.process)
    if request.method != "POST":
        return _render(request, seat, page, page.make(None, state.doc, False), state.lock)
    lock = Lock.read(request.POST.get("lock", ""))
    if lock != state.lock:
        return _conflict(request, seat, page, DraftChanged(state, drafts.document_seen(page.process, lock)))
    if asks_again(request.POST):
        return _render(request, seat, page, page.make(request.POST, state.doc, True), lock)
    form = page.make(request.POST, state.doc, False)
    if form.is_valid():
        try:
            return _keep(request, seat, page, form, state)
        except DraftChanged as changed:
            return _conflict(request, seat, page, changed)
        except EditRefused as refused:
            form.add_error(None, refusal(refused.code))
        except NameRefused as refused:
            form.add_error("name", name_refused(refused.code))
        except InvalidProcess as invalid:
            for problem in invalid.problems:
                form.add_error(None, block_words.problem(problem, {}, {}))
    return _render(request, seat, page, form, lock, status=422)


def name_refused(code: str) -> str:
    """Return why a process cannot have a name."""
    words = {
        "missing": _("Give it a name."),
        "too_long": _("Use at most 120 characters."),
        "taken": _("Another process has this name."),
    }
    return words[code]


def asks_again(posted: QueryDict) -> bool:
    """Tell whether something was searched for or a row was asked for: then nothing is saved yet."""
    searched = any(name.endswith("_q") and str(value).strip() for name, value in posted.items())
    is_wanted = bool(posted.get("new_fact") or posted.get("segment"))
    return "again" in posted or "more" in posted or is_wanted or searched


def _keep(
    request: StaffRequest, seat: Seat, page: Page, form: GrowingForm, state: DraftState
) -> HttpResponse:
    doc = page.apply(form, state.doc)
    with transaction.atomic():
        install_shipped(seat.shop, now=request.now, keys=sorted(sent_texts(doc) & set(READY_KEYS)))
        kept = drafts.save_draft(page.process, doc, lock=state.lock, actor=actor_of(seat), now=request.now)
    say_what_went(request, state.doc, kept.doc)
    new = sorted(set(kept.doc["nodes"]) - set(state.doc["nodes"]), key=lambda name: (len(name), name))
    mark = page.block or next(
        (name for name in new if kept.doc["nodes"][name]["t"] != "end"), *new[:1] or [""]
    )
    if panel.is_asked(request):
        return panel.kept(request, seat, page.process, mark)
    return see_other(place(seat, "process_edit", page.process.pk) + (f"#step-{mark}" if mark else ""))


def _render(
    request: StaffRequest,
    seat: Seat,
    page: Page,
    form: GrowingForm,
    lock: Lock,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = {
        "crumb_links": crumbs(seat, page.process, is_deeper=True),
        "back_url": place(seat, "process_edit", page.process.pk),
        "page": page,
        "form": form,
        "form_url": request.get_full_path(),
        "lock": str(lock),
        "problems": _problems(seat, page) if page.block and request.method == "GET" else [],
        **(page.extra or {}),
        **more,
    }
    template = "web/process_editor_panel.html" if panel.is_asked(request) else "web/process_editor_form.html"
    return render(request, template, context, status=status)


def _problems(seat: Seat, page: Page) -> list[str]:
    """Return what keeps this part from being published."""
    doc = drafts.draft_of(page.process).doc
    shape = shown.shape_of(seat.shop, doc)
    named = shape.named()
    return [
        block_words.problem(one, named, shape.texts)
        for one in drafts.problems_of(page.process, doc)
        if shown.place_of(one) == page.block
    ]


def _conflict(request: StaffRequest, seat: Seat, page: Page, changed: DraftChanged) -> HttpResponse:
    """Show what another person did beside what was typed; saving again puts the one on top of the other."""
    try:
        now: GrowingForm | None = page.make(None, changed.now.doc, False)
        typed = page.make(request.POST, changed.now.doc, False)
    except Http404:  # the step is gone: what was typed is shown to be copied
        now, typed = None, page.make(request.POST, changed.before, False)
    return _render(
        request,
        seat,
        page,
        typed,
        changed.now.lock,
        409,
        other=whoever(changed.now.changed_by),
        others=changed_words(seat, changed),
        differences=differences(now, typed),
        is_gone=now is None,
    )


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def block(request: StaffRequest, seat: Seat, process_id: int, block: str) -> HttpResponse:
    """Change a step."""
    process = get_process(seat, process_id)
    used = drafts.used_ids(process)
    doc = drafts.draft_of(process).doc
    if block not in doc["nodes"]:
        doc = drafts.document_seen(process, Lock.read(request.POST.get("lock", "")))
    raw = _block_of(doc, block)
    named = shown.shape_of(seat.shop, doc).named()

    def make(data: QueryDict | None, doc: Raw, again: bool) -> GrowingForm:
        raw = _block_of(doc, block)
        around = shown.around(seat.shop, shown.shape_of(seat.shop, doc), block)
        return FORMS[raw["t"]](data, raw=raw, around=around, again=again)

    page = Page(
        process=process,
        title=named[block],
        icon=ICONS[raw["t"]],
        make=make,
        apply=lambda form, doc: editing.change(doc, block, form.to_raw(), form.ways(), used),
        help=FORMS[raw["t"]].help,
        block=block,
        more=_("Another way") if raw["t"] == "split" else "",
        extra=_around_a_step(seat, process, doc, block)
        | {
            "warnings": [
                *warnings_of_texts(seat.shop, keys_of_texts(raw), now=request.now),
                *day_warning(seat.shop, raw),
            ]
        },
    )
    return _answer(request, seat, page)


def _block_of(doc: Raw, block: str) -> Raw:
    if block not in doc["nodes"]:
        raise Http404
    found: Raw = doc["nodes"][block]
    return found


def _around_a_step(seat: Seat, process: Process, doc: Raw, block: str) -> dict[str, Any]:
    """Return what else can be done with a step: taken out, or copied to another way."""
    shape = shown.shape_of(seat.shop, doc)
    named = shape.named()
    ways = [
        (f"{way.block}.{way.port}", f"{named[way.block]}: {shown.way_label(doc, way)}")
        for way, target in sorted(ways_of(doc).items(), key=lambda one: shape.numbers.get(one[0].block, 0))
        if way.block and target != block
    ]
    return {
        "block": block,
        "remove_url": place(seat, "process_edit_remove", process.pk)
        if doc["nodes"][block]["t"] != "end"
        else "",
        "copy_url": place(seat, "process_edit_copy", process.pk)
        if ways and ports_of(doc["nodes"][block])
        else "",
        "move_url": place(seat, "process_edit_move", process.pk),
        "copy_ways": ways,
    }


@staff(Right.EDIT_PROCESSES)
def insert(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Choose what to put on a way."""
    process, at = get_process(seat, process_id), request.GET.get("at", "")
    doc = drafts.draft_of(process).doc
    context = {
        "crumb_links": crumbs(seat, process, is_deeper=True),
        "where": _where(seat, doc, at),
        "kinds": shown.kind_links(seat, process, at),
        "back_url": place(seat, "process_edit", process.pk),
    }
    return render(request, "web/process_editor_kinds.html", context)


def _where(seat: Seat, doc: Raw, at: str) -> str:
    way = shown.read_way(at)
    if way not in ways_of(doc) or not way.block:
        return _("At the beginning")
    named = shown.shape_of(seat.shop, doc).named()
    if len(ports_of(doc["nodes"][way.block])) == 1:
        return _("After %(step)s") % {"step": named[way.block]}
    return _("After %(step)s: %(way)s") % {"step": named[way.block], "way": shown.way_label(doc, way)}


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def new(request: StaffRequest, seat: Seat, process_id: int, kind: str) -> HttpResponse:
    """Put a step on a way, with all that it needs: a half step is never saved."""
    process, at = get_process(seat, process_id), request.GET.get("at", "")
    if kind not in FORMS:
        raise Http404
    used, way = drafts.used_ids(process), shown.read_way(at)

    def make(data: QueryDict | None, doc: Raw, again: bool) -> GrowingForm:
        around = shown.around(seat.shop, shown.shape_of(seat.shop, doc))
        return FORMS[kind](data, raw={"t": kind}, around=around, again=again)

    def put_in(form: BlockForm, doc: Raw) -> Raw:
        ways = form.ways_before(_kind_at(doc, way))
        return editing.insert(doc, way, form.to_raw(), ways, used)[0]

    page = Page(
        process=process,
        title=block_words.KINDS[kind][0],
        icon=ICONS[kind],
        make=make,
        apply=put_in,
        help=FORMS[kind].help,
        save=_("Put in"),
        more=_("Another way") if kind == "split" else "",
        extra={"where": _where(seat, drafts.draft_of(process).doc, at)},
    )
    return _answer(request, seat, page)


def _kind_at(doc: Raw, way: Way) -> str:
    """Return the kind of block that a way leads to; nothing if there is no such way."""
    target = ways_of(doc).get(way)
    return str(doc["nodes"][target]["t"]) if target is not None else ""


def _whole(request: StaffRequest, seat: Seat, page: Page, kind: type[GrowingForm], part: str) -> HttpResponse:
    """Answer for a form that is about the whole process."""

    def make(data: QueryDict | None, doc: Raw, again: bool) -> GrowingForm:
        around = shown.around(seat.shop, shown.shape_of(seat.shop, doc))
        return kind(data, raw=doc[part] if part else doc, around=around, again=again)

    return _answer(request, seat, replace(page, make=make))


def _never(data: QueryDict | None, doc: Raw, again: bool) -> GrowingForm:
    raise NotImplementedError


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def entry(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Change who enters."""
    page = Page(
        process=get_process(seat, process_id),
        title=_("Who enters"),
        icon="zap",
        make=_never,
        apply=lambda form, doc: editing.set_entry(doc, form.to_raw()),
        help=_("Others who do the same enter too, not only the person you have in mind."),
        block="entry",
    )
    return _whole(request, seat, page, EntryForm, "entry")


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def goals(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Change what ends the process for somebody."""
    page = Page(
        process=get_process(seat, process_id),
        title=_("What ends it"),
        icon="goal",
        make=_never,
        apply=lambda form, doc: editing.set_goals(doc, form.cleaned_data["goals"]),
        block="goals",
    )
    return _whole(request, seat, page, GoalsForm, "")


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def name(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Give the process another name."""
    page = Page(
        process=get_process(seat, process_id),
        title=_("Name of the process"),
        icon="pencil",
        make=_never,
        apply=lambda form, doc: editing.rename(doc, " ".join(form.cleaned_data["name"].split())),
    )
    return _whole(request, seat, page, NameForm, "")
