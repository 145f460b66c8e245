"""What conditions ask for besides the usual facts: read by a few more statements for a batch, only where a version asks."""

from collections.abc import Sequence

from recoup.processes.engine.batch import Due
from recoup.segments.facts import NOBODY, Details, Need
from recoup.segments.reading import details_of, people_of


def with_known(due: Sequence[Due]) -> list[Due]:
    """Add more of the person and of the order or cart to the facts of the enrolments whose versions ask for it."""
    asking = [one for one in due if one.graph.needs]
    if not asking:
        return list(due)
    needs = Need(0)
    for one in asking:
        needs |= Need(one.graph.needs)
    people = people_of([(one.enrolment.shop_id, one.enrolment.contact_id) for one in asking], needs)
    details = _details(asking) if needs & Need.DETAILS else {}
    return [
        one._replace(
            facts=one.facts._replace(
                person=people.get(one.enrolment.contact_id, NOBODY),
                details=details.get((one.enrolment.subject_kind, one.enrolment.subject_id)),
            )
        )
        if one.graph.needs
        else one
        for one in due
    ]


def _details(asking: Sequence[Due]) -> dict[tuple[int, int], Details]:
    found: dict[tuple[int, int], Details] = {}
    for kind in (1, 2):  # orders and carts; a person has none
        ids = [one.enrolment.subject_id for one in asking if one.enrolment.subject_kind == kind]
        found |= {(kind, key): more for key, more in details_of(kind, ids).items()}
    return found
