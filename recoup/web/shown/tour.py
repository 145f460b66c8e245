"""The guided tour of a process: it comes with the template and names blocks by their ids, so new names do it no harm."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.processes.graph.document import TourStep
from recoup.processes.graph.editing import Raw
from recoup.processes.models import Process
from recoup.processes.shipped import SHIPPED, shipped_process
from recoup.web.shown.editor import Shape


@dataclass(frozen=True, slots=True)
class Stop:
    """A step of the tour: the place that it points at, by id and in words, and what it says about it."""

    at: str
    place: str
    title: str
    text: str


def tour_of(process: Process, doc: Raw, shape: Shape) -> list[Stop]:
    """Return the tour in the reader's language; steps about blocks that were taken out are left out."""
    steps = [TourStep.model_validate(one) for one in doc.get("tour", [])]
    if not steps and process.key in SHIPPED:  # installed before its template had one
        steps = shipped_process(process.key).tour
    places = {**shape.named(), "entry": _("Who enters"), "goals": _("What ends it")}
    return [
        Stop(one.at, places[one.at], _spoken(one.title), _spoken(one.text))
        for one in steps
        if one.at in places
    ]


def _spoken(texts: Mapping[str, str]) -> str:
    language = (get_language() or "en")[:2]
    return texts.get(language) or texts.get("en") or next(iter(texts.values()))
