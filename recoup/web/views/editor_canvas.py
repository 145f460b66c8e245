"""What the canvas of a process reads: the draft in the person's words, and what can be put in."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from recoup.accounts.roles import Right
from recoup.core.assets import asset_url
from recoup.processes import drafts
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest, staff
from recoup.web.shown import canvas as shown
from recoup.web.shown.editor import shape_of
from recoup.web.shown.tour import tour_of
from recoup.web.views.editor import get_process
from recoup.web.words.canvas import canvas_words


@require_safe
@staff(Right.EDIT_PROCESSES)
def canvas(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:  # noqa: ARG001 - the shape of a view
    """Give the draft with all that its canvas needs."""
    process = get_process(seat, process_id)
    state = drafts.draft_of(process)
    return JsonResponse(
        {
            "state": shown.canvas_of(seat, process, state),
            "kinds": shown.kinds_of(seat, process),
            "urls": shown.urls_of(seat, process),
            "words": canvas_words(),
            "sprite": asset_url("icons.svg"),
            "tour": [
                {"at": step.at, "title": step.title, "text": step.text, "place": step.place}
                for step in tour_of(process, state.doc, shape_of(seat.shop, state.doc))
            ],
        }
    )
