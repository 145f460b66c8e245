"""The visits of people to pages of ours, for the processes that ask for them: read by one more statement."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from recoup.messaging.tracking import SLOT
from recoup.processes.engine.batch import Due
from recoup.processes.engine.codes import SubjectKind, Wake
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import PageVisit

# About an order or cart, whoever came with its link; about a person, whatever their link was about.
_SEEN = (
    "JOIN messaging_pagevisit v ON v.shop_id = e.shop_id AND v.at >= e.entered_at - %(slot)s::interval"
    " AND v.noted_at IS NOT NULL"
)
_EACH = "CROSS JOIN LATERAL (VALUES (v.at), (v.last_at)) t (at)"
_CAME = f"""
    WITH e AS (SELECT id, shop_id, contact_id, subject_kind, subject_id, entered_at FROM processes_enrolment
        WHERE id = ANY(%(ids)s))
    SELECT e.id, t.at, v.page FROM e {_SEEN} AND v.subject_kind = e.subject_kind AND v.subject_id = e.subject_id {_EACH}
    WHERE NOT v.is_machine AND t.at >= e.entered_at AND e.subject_kind <> {int(SubjectKind.CONTACT)}
    UNION ALL SELECT e.id, t.at, v.page FROM e {_SEEN} AND v.contact_id = e.contact_id {_EACH}
    WHERE NOT v.is_machine AND t.at >= e.entered_at AND e.subject_kind = {int(SubjectKind.CONTACT)}
    ORDER BY 1, 2, 3
"""  # noqa: S608 - text and numbers of this program


def asks_for_visits(graph: Graph) -> bool:
    """Tell whether a version looks at whether people come to pages of ours."""
    return bool(graph.event_mask & Wake.VISITED.value)


def with_visits(due: Sequence[Due]) -> list[Due]:
    """Add the visits since they entered to the facts of the enrolments whose versions ask for them."""
    asking = [one.enrolment.id for one in due if asks_for_visits(one.graph)]
    if not asking:
        return list(due)
    found: dict[int, list[PageVisit]] = {}
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"ids": asking, "slot": SLOT}
        cursor.execute(_CAME, values)
        for enrolment_id, at, page in cursor.fetchall():
            found.setdefault(enrolment_id, []).append(PageVisit(at, page))
    return [
        one._replace(facts=one.facts._replace(visits=tuple(found[one.enrolment.id])))
        if one.enrolment.id in found
        else one
        for one in due
    ]
