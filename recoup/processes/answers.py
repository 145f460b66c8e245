"""What people and servers have answered to blocks that wait for it: read by one more statement, only where one waits."""

from collections.abc import Sequence

from django.db import connection

from recoup.processes.engine.batch import Due
from recoup.processes.engine.codes import Code, Wake
from recoup.processes.engine.records import Answer
from recoup.processes.known import with_known
from recoup.processes.offering import with_offers
from recoup.processes.purchases import with_purchases
from recoup.processes.swapped import with_swaps
from recoup.processes.visiting import with_visits

_AWAITED = (Wake.TASK_DONE | Wake.WEBHOOK_ANSWERED).value
_TASKS = """
    SELECT enrolment_id, step_no, node, state, closed_at FROM desk_task
    WHERE enrolment_id = ANY(%s) AND state <> 'open'
"""
_CALLS = """
    SELECT enrolment_id, step_no, node, state, answered_at FROM processes_webhookcall
    WHERE enrolment_id = ANY(%s) AND state <> 'waiting'
"""


def with_rest(due: Sequence[Due]) -> list[Due]:
    """Add what only some versions ask for: what people have bought, what conditions ask about, what was answered, visits."""
    return with_visits(with_swaps(with_offers(with_answers(with_known(with_purchases(due))))))


def with_answers(due: Sequence[Due]) -> list[Due]:
    """Add the answers to the facts of those who stand in a block that waits for one."""
    waiting = [one.enrolment.id for one in due if one.graph.masks[one.enrolment.node] & _AWAITED]
    if not waiting:
        return list(due)
    found: dict[int, dict[int, Answer]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_TASKS, [waiting])
        for enrolment_id, step_no, node, state, closed_at in cursor.fetchall():
            code = Code.TASK_DONE if state == "done" else Code.TASK_DROPPED
            found.setdefault(enrolment_id, {})[step_no] = Answer(node, int(code), closed_at)
        cursor.execute(_CALLS, [waiting])
        for enrolment_id, step_no, node, state, answered_at in cursor.fetchall():
            code = Code.YES if state == "done" else Code.FAILED_WEBHOOK
            found.setdefault(enrolment_id, {})[step_no] = Answer(node, int(code), answered_at)
    return [
        one._replace(facts=one.facts._replace(answers=found[one.enrolment.id]))
        if one.enrolment.id in found
        else one
        for one in due
    ]
