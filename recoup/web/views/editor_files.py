"""New processes: from nothing, from a ready one, from a copy (J1, J11)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.processes import drafts
from recoup.processes.drafts import NameRefused
from recoup.processes.graph.editing import Raw
from recoup.processes.queries import processes_of
from recoup.processes.shipped import SHIPPED, shipped_process
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.processes import NewProcessForm
from recoup.web.parts import Link, Words
from recoup.web.views.editor import get_process
from recoup.web.views.editor_forms import name_refused
from recoup.web.words import steps


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def new(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Make a process that is not published yet."""
    form = NewProcessForm(request.POST or None, starts=_starts(seat))
    if request.method == "POST" and form.is_valid():
        start = _start(seat, form.cleaned_data["start"])
        try:
            made = drafts.create_process(
                seat.shop, name=form.cleaned_data["name"], start=start, actor=actor_of(seat), now=request.now
            )
        except NameRefused as refused:
            form.add_error("name", name_refused(refused.code))
        else:
            return see_other(place(seat, "process_edit", made.pk))
    context = {
        "crumb_links": [Link(_("Processes"), place(seat, "processes")), Link(_("New process"), "")],
        "form": form,
        "import_url": place(seat, "process_import"),
    }
    return render(request, "web/process_new.html", context, status=422 if form.errors else 200)


def _starts(seat: Seat) -> list[tuple[str, Words]]:
    ready = {
        "unpaid_order": _("Ready: reminders of an order that stays unpaid"),
        "abandoned_cart": _("Ready: reminders of a cart that was left"),
    }
    own = [
        (f"process:{one.pk}", _("A copy of “%(name)s”") % {"name": steps.process_name(one)})
        for one in processes_of(seat.shop)
    ]
    return [
        ("nothing", _("Nothing: put the steps in yourself")),
        *((f"shipped:{key}", ready.get(key, key)) for key in SHIPPED),
        *own,
    ]


def _start(seat: Seat, chosen: str) -> Raw | None:
    kind, _colon, key = chosen.partition(":")
    if kind == "shipped":
        return shipped_process(key).as_json()
    return drafts.draft_of(get_process(seat, int(key))).doc if kind == "process" else None
