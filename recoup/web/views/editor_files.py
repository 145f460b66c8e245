"""New processes: from a ready one, from a copy, from nothing (J1, J11)."""

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recoup.accounts.roles import Right
from recoup.messaging.templates import install_shipped
from recoup.processes import drafts
from recoup.processes.drafts import NameRefused
from recoup.processes.files import sent_texts
from recoup.processes.graph.editing import Raw
from recoup.processes.models import Process
from recoup.processes.shipped import READY, shipped_process
from recoup.shops.access import Seat
from recoup.web.answers import actor_of, place, see_other
from recoup.web.doors import StaffRequest, staff
from recoup.web.forms.processes import NewProcessForm
from recoup.web.parts import Link
from recoup.web.shown.gallery import copies_of, gallery, groups_of
from recoup.web.views.editor import get_process
from recoup.web.views.editor_forms import name_refused
from recoup.web.words.ready import READY as READY_WORDS
from recoup.web.words.ready import TITLES

_TRIES = 20


@require_http_methods(["GET", "POST"])
@staff(Right.EDIT_PROCESSES)
def new(request: StaffRequest, seat: Seat) -> HttpResponse:
    """Make a process that is not published yet."""
    shown = [*gallery(), groups_of(copies_of(seat.shop))]
    starts = [(card.value, card.name) for group in shown for card in group.cards]
    form = NewProcessForm(request.POST or None, starts=starts)
    if request.method == "POST" and form.is_valid():
        try:
            made = _make(request, seat, form.cleaned_data["start"], form.cleaned_data["name"])
        except NameRefused as refused:
            form.add_error("name", name_refused(refused.code))
        else:
            return see_other(place(seat, "process_edit", made.pk))
    context = {
        "crumb_links": [Link(_("Processes"), place(seat, "processes")), Link(_("New process"), "")],
        "form": form,
        "groups": shown,
        "chosen": form["start"].value(),
        "import_url": place(seat, "process_import"),
    }
    return render(request, "web/process_new.html", context, status=422 if form.errors else 200)


def _make(request: StaffRequest, seat: Seat, chosen: str, name: str) -> Process:
    kind, _colon, key = chosen.partition(":")
    if kind == "shipped":
        return _make_ready(request, seat, key, name)
    start = drafts.draft_of(get_process(seat, int(key))).doc if kind == "process" else None
    return _create(request, seat, name, start)


def _create(request: StaffRequest, seat: Seat, name: str, start: Raw | None) -> Process:
    return drafts.create_process(seat.shop, name=name, start=start, actor=actor_of(seat), now=request.now)


def _make_ready(request: StaffRequest, seat: Seat, key: str, name: str) -> Process:
    """Make a process from a ready one, with those of its texts that the shop does not have; the others stay as they are."""
    assert key in READY
    start = shipped_process(key).as_json()
    for block, title in TITLES.get(key, {}).items():
        start["nodes"][block]["title"] = str(title)
    with transaction.atomic():
        install_shipped(seat.shop, now=request.now, keys=sorted(sent_texts(start)))
        if name:
            return _create(request, seat, name, start)
        own = str(READY_WORDS[key].name)
        for number in range(1, _TRIES):
            try:
                return _create(request, seat, own if number == 1 else f"{own} {number}", start)
            except NameRefused as refused:
                if refused.code != "taken":
                    raise
        raise NameRefused("taken")
