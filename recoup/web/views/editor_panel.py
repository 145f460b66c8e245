"""Answers to the canvas: the same views, asked by its script, say what became of the draft in JSON."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, JsonResponse

from recoup.processes import drafts
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest
from recoup.web.shown.canvas import canvas_of


def is_asked(request: StaffRequest) -> bool:
    """Tell whether the canvas asks, and not a page."""
    return request.headers.get("Recoup-Canvas") == "1"


def kept(request: StaffRequest, seat: Seat, process: Process, mark: str = "") -> HttpResponse:
    """Give the draft as it is after an edit, the block that it was about, and what there is to say."""
    said = [str(one) for one in messages.get_messages(request)]
    return JsonResponse({"state": _state(seat, process), "mark": mark, "said": said})


def refused(why: str) -> HttpResponse:
    """Say why an edit was not done."""
    return JsonResponse({"refused": why}, status=422)


def conflict(seat: Seat, process: Process, *, other: str, lines: Sequence[str]) -> HttpResponse:
    """Tell what another person did meanwhile, and how the draft is now."""
    return JsonResponse({"state": _state(seat, process), "other": other, "lines": list(lines)}, status=409)


def _state(seat: Seat, process: Process) -> dict[str, object]:
    return canvas_of(seat, process, drafts.draft_of(process))
