"""Exclusive groups: who comes into a stronger process leaves the weaker one of the same group (engine 10.5)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import connection

from recoup.core.clock import trade_now
from recoup.processes.engine.codes import Code
from recoup.processes.engine.endings import stop
from recoup.processes.engine.entry import EntryKeys
from recoup.processes.engine.records import Enrolment, Outcome
from recoup.processes.facts import enrolment_of
from recoup.processes.store_sql import facts_sql

Save = Callable[[Sequence[Outcome], datetime], None]
_saves: list[Save] = []


def end_by(save: Save) -> None:
    """Say how ends are written: the store says so, which itself lets people in and so cannot be called from here."""
    _saves[:] = [save]


# Who stands in the way of somebody that nothing else keeps out, in a process that gives way. The processes are the shop's.
_WEAKER = """
    SELECT DISTINCT e.id FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS n (shop_id, process_id, entry_key, active_key, group_key)
    JOIN processes_enrolment e ON e.shop_id = n.shop_id AND e.group_key = n.group_key AND e.state IN (1, 2, 3)
    JOIN processes_process weaker ON weaker.id = e.process_id
    JOIN processes_process stronger ON stronger.id = n.process_id
    WHERE stronger.status <> 'paused' AND (weaker.priority < stronger.priority OR weaker.status = 'paused' AND (
        e.last_message_step IS NULL OR NOT EXISTS (
            SELECT FROM messaging_message m
            WHERE m.enrolment_id = e.id AND m.state IN ('sent', 'handing', 'uncertain')))) AND NOT EXISTS (
        SELECT FROM processes_enrolment x WHERE x.process_id = n.process_id
            AND (x.entry_key = n.entry_key OR x.active_key = n.active_key))
"""


def preempt(beginnings: Sequence[tuple[Enrolment, EntryKeys]]) -> int:
    """End the enrolments that those who begin take over from, in their transaction; return how many.

    Their waiting messages are called off with them. Between processes of equal rank whoever was there first stays. A
    process that is paused takes over from none, and keeps nobody to whom it has not written yet from one that runs. Those in
    test mode have groups of their own.
    """
    grouped = [one for one in beginnings if one[1].group_key is not None]
    if not grouped:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _WEAKER,
            [
                [enrolment.shop_id for enrolment, _ in grouped],
                [enrolment.process_id for enrolment, _ in grouped],
                [keys.entry_key for _, keys in grouped],
                [keys.active_key for _, keys in grouped],
                [keys.group_key for _, keys in grouped],
            ],
        )
        ids = sorted(row[0] for row in cursor.fetchall())
        if not ids:
            return 0
        cursor.execute(
            facts_sql("e.id = ANY(%s) AND e.state IN (1, 2, 3) ORDER BY e.id FOR NO KEY UPDATE"), [ids]
        )
        rows = cursor.fetchall()
    now = trade_now()
    (save,) = _saves
    save([stop(enrolment_of(row), Code.STOPPED_PREEMPTED, now) for row in rows], now)
    return len(rows)
