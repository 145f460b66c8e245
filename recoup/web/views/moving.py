"""Those inside a process on older versions: what may become of them, what would go out, how far a move is."""

from typing import Any

from django.contrib import messages
from django.forms import BoundField
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recoup.accounts.roles import Right
from recoup.processes.models import LookAhead, Process, VersionMove
from recoup.processes.moving.ahead import AT_ONCE, Ahead, changed_by, look_ahead, request_look
from recoup.processes.moving.moves import cancel_move, request_move
from recoup.processes.moving.plan import Plan, PlanRefused
from recoup.processes.queries import counts_of
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.moving import MovingForm
from recoup.web.forms.moving import initial_of as shown_again
from recoup.web.listing import with_query
from recoup.web.parts import Link, Words
from recoup.web.shown import moving as shown
from recoup.web.words import steps

_OPEN = ("waiting", "running")


def _get(seat: Seat, process_id: int) -> Process:
    rows = Process.objects.filter(shop=seat.shop).select_related("current_version", "shop")
    return get_object_or_404(rows, pk=process_id)


def _crumbs(seat: Seat, process: Process, last: str) -> list[Link]:
    return [
        Link(_("Processes"), place(seat, "processes")),
        Link(steps.process_name(process), place(seat, "process", process.pk)),
        Link(last, ""),
    ]


def refusal_words(refused: PlanRefused) -> str:
    """Return why people cannot be moved like this."""
    words = {
        "other_subject": _("The new version is about something else, so nobody can be moved to it."),
        "stays": _("Whoever also does an added step has to be moved to the new version."),
        "lost_block": _("A step that was chosen is not there any more. Look again, then choose."),
    }
    return words.get(refused.code, _("The steps have changed meanwhile. Look again, then choose."))


def look_context(
    seat: Seat, process: Process, doc: dict[str, Any] | None, plan: Plan, request: StaffRequest, people: int
) -> dict[str, Any]:
    """Return what would go out: worked out at once for few people, by the worker for many.

    :raises PlanRefused: if the plan cannot be carried out.
    """
    look = asked_look(seat, process, request)
    if look is not None and look.doc == doc:
        if look.state in _OPEN:
            return {
                "look_value": look.done,
                "look_whole": max(look.whole, 1),
                "look_done": shown.look_progress(look),
            }
        if look.state == LookAhead.State.DONE:
            return {"ahead": shown.ahead_panel(process, Ahead.of_json(look.result))}
    if people > AT_ONCE:
        return {"is_look_wanted": True}
    return {
        "ahead": shown.ahead_panel(process, look_ahead(process, changed_by(process, doc, plan), request.now))
    }


def asked_look(seat: Seat, process: Process, request: StaffRequest) -> LookAhead | None:
    text = request.GET.get("look", "") if request.method == "GET" else ""
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        return None
    return LookAhead.objects.filter(shop=seat.shop, process=process, pk=int(text)).first()


def ask_look(
    seat: Seat, process: Process, doc: dict[str, Any] | None, plan: Plan, request: StaffRequest, url: str
) -> HttpResponse:
    """Have the worker look ahead, and lead back to the page that shows it.

    :raises PlanRefused: if the plan cannot be carried out.
    """
    look = request_look(process, doc, plan, now=request.now, user_id=seat.user.pk)
    return see_other(with_query(url, {"look": look.pk}))


def initial_of(look: LookAhead | None) -> dict[str, Any]:
    """Return the choices that a look was asked for with."""
    return shown_again(Plan.of_json(look.plan)) if look is not None else {}


def also_rows(form: MovingForm, inside: shown.Inside) -> list[tuple[BoundField, Words]]:
    """Return for each added step the field that lets those who passed do it too, and who they are."""
    return [(field, inside.who[field.name.removeprefix("also_")]) for field in form.also()]


def people_inside(process: Process) -> int:
    """Return how many people are inside, on whichever version."""
    return counts_of(process)["active"]


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def move(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Show who is on older versions, or have them moved to the current one."""
    process = _get(seat, process_id)
    version = process.current_version
    if version is None:
        return see_other(place(seat, "process", process.pk))
    inside = shown.inside_of(process, version.pk, version.doc)
    look = asked_look(seat, process, request)
    form = MovingForm(
        request.POST or None,
        blocks=inside.blocks,
        targets=shown.titles_of(version.doc),
        passed=inside.passed,
        is_moving=True,
        initial=initial_of(look),
    )
    plan, refused = Plan(inside.defaults), ""
    url = place(seat, "process_move", process.pk)
    try:
        if request.method == "POST" and form.is_valid():
            plan = form.plan(inside.defaults)
            if request.POST.get("do") != "look":
                asked = request_move(process, plan, actor=actor_of(seat), now=request.now)
                return _after(request, seat, process, asked)
            if people_inside(process) > AT_ONCE:
                return ask_look(seat, process, None, plan, request, url)
        context = look_context(seat, process, None, plan, request, people_inside(process))
    except PlanRefused as refusal:
        context, refused = {}, refusal_words(refusal)
    context |= {
        "crumb_links": _crumbs(seat, process, _("Move people")),
        "form": form,
        "rows": [(field, inside.words(field.name.removeprefix("at_"))) for field in form.at_blocks()],
        "also": also_rows(form, inside),
        "people": inside.people,
        "is_movable": inside.is_movable,
        "number": version.number,
        "back_url": place(seat, "process", process.pk),
        "refused": refused,
    }
    return render(request, "web/process_move.html", context, status=422 if refused or form.errors else 200)


def _after(request: StaffRequest, seat: Seat, process: Process, asked: VersionMove | None) -> HttpResponse:
    if asked is None:
        messages.warning(request, _("Nobody would be moved like this."))
        return see_other(place(seat, "process_move", process.pk))
    return see_other(place(seat, "process_moving", process.pk, asked.pk))


@staff(Right.EDIT_PROCESSES)
def moving(request: StaffRequest, seat: Seat, process_id: int, move_id: int) -> HttpResponse:
    """Show how far a move is, and what came of it."""
    process = _get(seat, process_id)
    rows = VersionMove.objects.filter(shop=seat.shop, process=process).select_related("version")
    one = get_object_or_404(rows, pk=move_id)
    context = {
        "crumb_links": _crumbs(seat, process, _("Move people")),
        "state": one.state,
        "number": one.version.number,
        "words": shown.move_words(one),
        "progress_value": min(one.moved + one.ended, one.whole),
        "progress_whole": max(one.whole, 1),
        "is_open": one.state in _OPEN,
        "cancel_url": place(seat, "process_moving_cancel", process.pk, one.pk),
        "back_url": place(seat, "process", process.pk),
    }
    return render(request, "web/process_moving.html", context)


@require_POST
@staff(Right.EDIT_PROCESSES)
def cancel(request: StaffRequest, seat: Seat, process_id: int, move_id: int) -> HttpResponse:
    """Leave those who have not been moved yet where they are."""
    process = _get(seat, process_id)
    one = get_object_or_404(VersionMove.objects.filter(shop=seat.shop, process=process), pk=move_id)
    if cancel_move(one, actor=actor_of(seat), now=request.now):
        messages.success(request, _("The others stay on their version."))
    else:
        messages.warning(request, _("It had ended already."))
    return see_other(place(seat, "process_moving", process.pk, one.pk))
