"""Publishing a draft: what changes, for whom it does not, and who will enter from now on (J8, J9)."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.processes import drafts
from recoup.processes.drafts import DraftChanged, Lock, NameRefused, PublishPreview
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.shown import editor as shown
from recoup.web.shown.changes import change_words
from recoup.web.views.editor import crumbs, get_process, show
from recoup.web.views.editor_forms import name_refused

_RUNS = {Process.Status.LIVE, Process.Status.TEST, Process.Status.PAUSED}


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
        version = drafts.publish_draft(process, lock=lock, actor=actor_of(seat), now=request.now)
    except DraftChanged as changed:
        return show(request, seat, process, changed=changed)
    except InvalidProcess:
        return _show(request, seat, process, status=422)
    except NameRefused as refused:
        return _show(request, seat, process, status=422, refused=name_refused(refused.code))
    if before is not None and version.pk == before.pk:
        messages.success(request, _("Nothing had changed, so there is no new version."))
    elif process.status in _RUNS:
        messages.success(request, _("Version %(number)d is published.") % {"number": version.number})
    else:
        words = _("Version %(number)d is published. It does not run yet: switch it on when you are ready.")
        messages.warning(request, words % {"number": version.number})
    return see_other(place(seat, "process", process.pk))


def _show(
    request: StaffRequest, seat: Seat, process: Process, *, status: int = 200, refused: str = ""
) -> HttpResponse:
    state = drafts.draft_of(process)
    preview = drafts.preview_of_publish(process, state.doc)
    shape = shown.shape_of(seat.shop, state.doc)
    before = shown.shape_of(seat.shop, preview.before) if preview.before is not None else None
    outline = shown.outline_of(seat, process, shape, preview.problems)
    context: dict[str, Any] = {
        "crumb_links": crumbs(seat, process, is_deeper=True),
        "title": _("Publish version %(number)d") % {"number": preview.number},
        "changes": change_words(replace(preview.changes, noted=()), before, shape),
        "inside": _inside(preview),
        "entry": outline.entry,
        "problems": outline.summary,
        "edit_url": place(seat, "process_edit", process.pk),
        "lock": str(state.lock),
        "runs": process.status in _RUNS,
        "refused": refused,
    }
    return render(request, "web/process_publish.html", context, status=status)


def _inside(preview: PublishPreview) -> list[str]:
    return [
        ngettext(
            "%(count)d person is on version %(number)d and stays on it.",
            "%(count)d people are on version %(number)d and stay on it.",
            count,
        )
        % {"count": count, "number": number}
        for number, count in preview.inside
    ]
