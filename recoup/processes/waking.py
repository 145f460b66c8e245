"""Waking those who wait for what a person does, in whichever order."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import connection

from recoup.processes.engine.codes import SubjectKind, Wake


def wake_carts_of(buyers: Collection[tuple[int, int]], now: datetime) -> int:
    """Wake the enrolments on carts of people (shop and contact) who have ordered since: that supersedes the cart."""
    return _wake_people(buyers, Wake.SUPERSEDED, (SubjectKind.CART,), now)


def wake_buyers(buyers: Collection[tuple[int, int]], now: datetime) -> int:
    """Wake the enrolments of people (shop and contact) that wait for them to buy something, in whichever order."""
    return _wake_people(buyers, Wake.BOUGHT, tuple(SubjectKind), now)


def wake_visitors(people: Collection[tuple[int, int]], now: datetime) -> int:
    """Wake the enrolments about people themselves (shop and contact) that wait for them to come to a page of ours."""
    return _wake_people(people, Wake.VISITED, (SubjectKind.CONTACT,), now)


def _wake_people(
    people: Collection[tuple[int, int]], event: Wake, kinds: Sequence[SubjectKind], now: datetime
) -> int:
    if not people:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH l AS (SELECT e.id FROM unnest(%s::bigint[], %s::bigint[]) AS b (shop_id, contact_id)"
            " JOIN processes_enrolment e ON e.shop_id = b.shop_id AND e.contact_id = b.contact_id"
            " WHERE e.subject_kind = ANY(%s) AND e.state IN (1, 2) AND e.wait_mask & %s <> 0"
            " ORDER BY e.id FOR NO KEY UPDATE OF e)"
            " UPDATE processes_enrolment e SET state = 2, prio = 0, run_at = least(e.run_at, %s) FROM l"
            " WHERE e.id = l.id AND e.state IN (1, 2)",
            [
                *[list(column) for column in zip(*sorted(set(people)), strict=True)],
                [int(kind) for kind in kinds],
                event.value,
                now,
            ],
        )
        return int(cursor.rowcount)
