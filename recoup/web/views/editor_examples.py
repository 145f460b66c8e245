"""Examples of a process in its editor: what it does now is right, or the example goes."""

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from recoup.accounts.roles import Right
from recoup.processes import drafts
from recoup.processes.examples import as_it_is, run_examples
from recoup.processes.graph.document import ProcessDocument
from recoup.shops.access import Seat
from recoup.web.doors import StaffRequest, staff
from recoup.web.views.editor import get_process, keep


@require_POST
@staff(Right.EDIT_PROCESSES)
def examples(request: StaffRequest, seat: Seat, process_id: int) -> HttpResponse:
    """Take what the process does now as right, or remove an example."""
    process = get_process(seat, process_id)
    doc = drafts.draft_of(process).doc
    known = doc.get("examples", [])
    number = request.POST.get("number", "")
    if not (number.isascii() and number.isdecimal() and len(number) < 4 and int(number) < len(known)):
        raise Http404
    changed = list(known)
    if request.POST.get("to") == "remove":
        del changed[int(number)]
    elif drafts.problems_of(process, doc):
        raise Http404  # it cannot be played through as it is, so the page offers nothing to press
    else:
        changed[int(number)] = as_it_is(run_examples(ProcessDocument.model_validate(doc))[int(number)])
    return keep(request, seat, process, {**doc, "examples": changed})
