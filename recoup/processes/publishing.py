"""What publishing a draft would do: shown before it is done."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from recoup.processes.drafts import problems_of
from recoup.processes.graph.comparing import Changes, compare
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.problems import Problem
from recoup.processes.graph.reading import read_document
from recoup.processes.lawful import Way, unlawful, ways_met
from recoup.processes.models import Enrolment, Process, ProcessVersion


@dataclass(frozen=True, slots=True)
class PublishPreview:
    """What publishing would do. `inside` is how many people are on which version now."""

    number: int
    changes: Changes
    before: Raw | None
    problems: list[Problem]
    inside: tuple[tuple[int, int], ...]
    ways: tuple[Way, ...] = ()  # its texts, with those whom they meet; nothing while other problems stand


def preview_of_publish(process: Process, doc: Raw, *, now: datetime) -> PublishPreview:
    """Return what publishing a draft would change, and for whom it would not."""
    latest = ProcessVersion.objects.filter(process=process).order_by("-number").first()
    active = Enrolment.objects.filter(shop_id=process.shop_id, process=process, state__in=(1, 2, 3))
    counted = active.values_list("version__number").annotate(count=Count("id")).order_by("version__number")
    before = latest.doc if latest is not None else None
    problems, ways = problems_of(process, doc), list[Way]()
    changes = compare(before, doc) if before is not None else Changes(added=tuple(doc["nodes"]))
    if not problems:
        ways = ways_met(process, read_document(doc), now=now)
        problems = unlawful(process, ways) if changes.without_remarks() else []
    return PublishPreview(
        number=latest.number + 1 if latest is not None else 1,
        changes=changes,
        before=before,
        problems=problems,
        inside=tuple((int(number), int(count)) for number, count in counted),
        ways=tuple(ways),
    )
