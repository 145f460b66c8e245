"""Who was not let into a process and why: the entries' part of the decision ledger (rule 6)."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from recoup.processes.engine.codes import Refusal
from recoup.processes.engine.entry import EntryKeys
from recoup.processes.engine.records import Enrolment


class Refused(NamedTuple):
    """One line: who came with what, to which process, and why they were not let in."""

    shop_id: int
    process_id: int
    version_id: int
    contact_id: int
    subject_kind: int
    subject_id: int
    code: int
    at: datetime
    other_id: int | None = None  # the enrolment that stood in the way


def record(lines: Sequence[Refused]) -> None:
    """Write down who was not let in. The same news heard twice leaves one line."""
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO processes_turned_away (shop_id, process_id, version_id, contact_id, subject_kind, subject_id,"
            " code, at, other_id)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::smallint[],"
            " %s::bigint[], %s::smallint[], %s::timestamptz[], %s::bigint[]) ON CONFLICT DO NOTHING",
            [
                list(column)
                for column in zip(*[line._replace(code=int(line.code)) for line in lines], strict=True)
            ],
        )


# Which enrolment stands in somebody's way. One of the same order or cart is this very entry, heard again: no refusal.
_IN_THE_WAY = f"""
    SELECT DISTINCT ON (n.number) n.number, w.code, w.id, w.process_id, w.subject_kind, w.subject_id FROM unnest(
        %s::int[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS n (number, shop_id, process_id, entry_key, active_key, group_key)
    CROSS JOIN LATERAL (
        SELECT 1 AS rank, {int(Refusal.INSIDE)} AS code, e.* FROM processes_enrolment e
            WHERE e.process_id = n.process_id AND e.active_key = n.active_key
        UNION ALL SELECT 2, {int(Refusal.AGAIN)}, e.* FROM processes_enrolment e
            WHERE e.process_id = n.process_id AND e.entry_key = n.entry_key
        UNION ALL SELECT 3, {int(Refusal.GROUP)}, e.* FROM processes_enrolment e
            WHERE e.shop_id = n.shop_id AND e.group_key = n.group_key
    ) w ORDER BY n.number, w.rank, w.id
"""  # noqa: S608 - numbers of this program


def record_turned_away(beginnings: Sequence[tuple[Enrolment, EntryKeys]]) -> None:
    """Write down whom the unique indexes did not let in, and which enrolment stood in their way."""
    if not beginnings:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _IN_THE_WAY,
            [
                list(range(len(beginnings))),
                [enrolment.shop_id for enrolment, _ in beginnings],
                [enrolment.process_id for enrolment, _ in beginnings],
                [keys.entry_key for _, keys in beginnings],
                [keys.active_key for _, keys in beginnings],
                [keys.group_key for _, keys in beginnings],
            ],
        )
        found = cursor.fetchall()
    lines = []
    for number, code, other_id, *place in found:
        one = beginnings[number][0]
        if place != [one.process_id, one.subject_kind, one.subject_id]:
            lines.append(
                Refused(
                    one.shop_id,
                    one.process_id,
                    one.version_id,
                    one.contact_id,
                    one.subject_kind,
                    one.subject_id,
                    code,
                    one.entered_at,
                    other_id,
                )
            )
    record(lines)
