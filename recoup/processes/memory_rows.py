"""What the store in memory tells: lines of the journal, and the complaint about what no table would take."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from recoup.processes.engine.codes import ACTIVE_STATES, Code
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.nodes.task import TaskEffect
from recoup.processes.engine.nodes.webhook import WebhookEffect
from recoup.processes.engine.records import Effect, Enrolment, Step


class BrokenPromise(AssertionError):
    """The engine returned what no table would take: a stranded enrolment, a step or a message twice."""


class Line(NamedTuple):
    """A line of the journal, told without ids of the store, so that two stores can be compared."""

    process_id: int
    subject_kind: int
    subject_id: int
    step_no: int
    node_id: str
    outcome: int
    at: datetime


def journal_of(
    enrolments: Mapping[int, Enrolment], ledger: Sequence[tuple[int, Step]], graphs: Mapping[int, Graph]
) -> list[Line]:
    """Return a whole ledger in an order and in words that any store can repeat."""
    return sorted(
        Line(
            enrolment.process_id,
            enrolment.subject_kind,
            enrolment.subject_id,
            step.step_no,
            graphs[enrolment.version_id].node_id(step.node),
            step.outcome,
            step.at,
        )
        for enrolment, step in ((enrolments[number], step) for number, step in ledger)
    )


def check_step(was: Enrolment, enrolment: Enrolment, steps: Sequence[Step]) -> None:
    """Refuse what the tables refuse of one advance.

    :raises BrokenPromise: with what is wrong.
    """
    if (enrolment.state in ACTIVE_STATES) != (enrolment.run_at is not None):
        raise BrokenPromise(f"stranded: {enrolment}")
    if [step.step_no for step in steps] != list(range(was.step_no + 1, enrolment.step_no + 1)):
        raise BrokenPromise(f"gap or double in the ledger: {was.step_no} -> {steps}")
    if any(later.at < earlier.at for earlier, later in pairwise(steps)):
        raise BrokenPromise(f"time runs back: {steps}")


def last_asked(done: Sequence[tuple[int, Effect]], enrolment_id: int, node: int, code: Code) -> int:
    """Return the step at which a block asked last for what this is an answer to; 0 if it has not."""
    kind = TaskEffect if code in (Code.TASK_DONE, Code.TASK_DROPPED) else WebhookEffect
    mine = [
        one.step_no
        for owner, one in done
        if owner == enrolment_id and one.node == node and isinstance(one, kind)
    ]
    return mine[-1] if mine else 0
