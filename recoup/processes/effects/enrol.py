"""Whoever is put into another process comes to its door like anybody else; the ledger tells who was turned away."""

from datetime import datetime

from django.db import connection

from recoup.core.arrays import numbers
from recoup.processes.effects.base import Asked, Carrier
from recoup.processes.engine.codes import Code, Flag, SubjectKind
from recoup.processes.engine.entry import chain_of, key_of
from recoup.processes.entering import KINDS, Arrival, let_in

_TEST = int(Flag.TEST)


def _carry_out(asked: Asked, now: datetime) -> None:
    arrivals = [
        Arrival(
            door="",
            shop_id=enrolment.shop_id,
            contact_id=enrolment.contact_id,
            kind=KINDS[SubjectKind(enrolment.subject_kind)],
            subject_id=enrolment.subject_id,
            at=effect.at,
            case_id=enrolment.case_id,
            event_id=key_of("enrol", enrolment.id, effect.step_no),
            process_id=effect.process,
            chain=chain_of(enrolment) + 1,
            is_test=bool(enrolment.flags & _TEST),
        )
        for enrolment, effect in asked
    ]
    came_in = set(let_in(arrivals))
    refused = [one for number, one in enumerate(asked) if number not in came_in]
    if not refused:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE processes_step_log l SET outcome = %s FROM unnest(%s::bigint[], %s::int[]) AS r (id, step_no)"
            " WHERE l.enrolment_id = r.id AND l.step_no = r.step_no",
            [
                int(Code.SKIPPED_NOT_ENROLLED),
                numbers(enrolment.id for enrolment, _ in refused),
                numbers(effect.step_no for _, effect in refused),
            ],
        )


CARRIER = Carrier(_carry_out)
