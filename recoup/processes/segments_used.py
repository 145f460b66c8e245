"""Where processes name saved segments, and the deletion of one that none names (T92)."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from recoup.core.activity import Actor
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.segments_used import segments_in, without_segments
from recoup.processes.models import Process, ProcessDraft
from recoup.segments.actions import delete_segment
from recoup.segments.models import Segment
from recoup.segments.tree import ConditionRefused, read_condition
from recoup.shops.models import Shop

_OVER = (Process.Status.DRAFT, Process.Status.STOPPED)


@dataclass(frozen=True, slots=True)
class Place:
    """A block, or the entry, of a draft or of the version that a process runs."""

    process: Process
    at: str
    is_draft: bool
    doc: Raw


class SegmentUsed(Exception):
    """Processes name the segment: where."""

    def __init__(self, places: list[Place]) -> None:
        super().__init__(len(places))
        self.places = places


def places_of(segment: Segment) -> list[Place]:
    """Return where drafts, and the versions that processes run, name a segment: each block once, as it is in the draft."""
    rows = Process.objects.filter(shop_id=segment.shop_id).select_related("current_version")
    drafts = dict(ProcessDraft.objects.filter(shop_id=segment.shop_id).values_list("process_id", "doc"))
    found: list[Place] = []
    for process in rows.order_by("name", "id"):
        docs: list[tuple[Raw, bool]] = [(drafts[process.pk], True)] if process.pk in drafts else []
        if process.current_version is not None and process.status not in _OVER:
            docs.append((process.current_version.doc, False))
        seen: set[str] = set()
        for doc, is_draft in docs:
            for used in segments_in(doc):
                if used.id == segment.pk and used.at not in seen:
                    seen.add(used.at)
                    found.append(Place(process, used.at, is_draft, doc))
    return found


def delete_unused_segment(segment: Segment, *, actor: Actor, now: datetime) -> None:
    """Delete a segment that no process names.

    :raises SegmentUsed: with the places.
    """
    with transaction.atomic():
        places = places_of(segment)
        if places:
            raise SegmentUsed(places)
        delete_segment(segment, actor=actor, now=now)


def fitting_segments(shop: Shop, subject: SubjectKind) -> list[Segment]:
    """Return the segments whose conditions can be asked in a process about a subject, by name."""
    return [one for one in Segment.objects.filter(shop=shop).order_by("name", "id") if _fits(one, subject)]


def _fits(segment: Segment, subject: SubjectKind) -> bool:
    try:
        read_condition(segment.condition, subject)
    except ConditionRefused:
        return False
    return True


def of_this_shop(shop: Shop, doc: Raw) -> Raw:
    """Return a document from elsewhere without the segments that this shop does not have by key and name."""
    return without_segments(doc, set(Segment.objects.filter(shop=shop).values_list("id", "name")))
