"""Task: give somebody of the staff something to do; go on at once, or wait until it is done."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, model_validator

from recoup.processes.engine.codes import Code, Wake
from recoup.processes.engine.compiled import STAY, CompiledNode, Move
from recoup.processes.engine.happenings import latest_answer
from recoup.processes.engine.nodes.base import (
    ForwardSpan,
    Kind,
    NodeDocument,
    NodeId,
    Strict,
    Summary,
    Surroundings,
    Trouble,
    Workshop,
    refuse,
)
from recoup.processes.engine.records import Facts
from recoup.processes.engine.times import after, parse_span, zone_of
from recoup.processes.engine.wording import gettext_noop
from recoup.segments.facts import ContactFacts

# What a title may name in braces; the desk fills it in.
TITLE_WORDS = ("customer", "first_name", "phone", "email", "order", "sum", "shop")
_BRACES = re.compile(r"\{\s*([a-z_]*)\s*\}")
PRIORITIES = {"high": 0, "normal": 1, "low": 2}
ROLES = ("owner", "manager", "clerk", "marketer", "service")


class TaskEffect(NamedTuple):
    """A task to be made."""

    step_no: int
    node: int
    at: datetime
    title: str
    note: str
    due_at: datetime
    priority: int
    role: str
    person: int | None
    is_suppressed: bool


class TaskPorts(Strict):
    """`timeout` is taken when nobody has done it in time; it belongs to a block that waits."""

    done: NodeId
    timeout: NodeId | None = None


class TaskDocument(NodeDocument):
    """A task. `due` counts from the step; with `within` the block waits so long for it to be done.

    `role` or `person` say who takes it; without them it is everybody's.
    """

    t: Literal["task"]
    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    note: Annotated[str, StringConstraints(max_length=1000)] = ""
    role: Literal["owner", "manager", "clerk", "marketer", "service"] | None = None
    person: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None  # 0: nobody was chosen yet
    priority: Literal["high", "normal", "low"] = "normal"
    due: ForwardSpan = "P1D"
    within: ForwardSpan | None = None
    out: TaskPorts

    @model_validator(mode="after")
    def _fits(self) -> "TaskDocument":
        if self.role is not None and self.person is not None:
            raise refuse("task_for_two")
        if (self.within is None) != (self.out.timeout is None):
            raise refuse("task_wait_without_way")
        return self


def _check(document: TaskDocument, around: Surroundings) -> Iterator[Trouble]:
    for word in _BRACES.findall(document.title):
        if word not in TITLE_WORDS:
            yield Trouble("title", "task_unknown_word", {"word": word, "choices": ", ".join(TITLE_WORDS)})


def _build(document: TaskDocument, shop: Workshop) -> CompiledNode:
    done = shop.node_map[document.out.done]
    late = shop.node_map[document.out.timeout or document.out.done]
    due, within = parse_span(document.due), parse_span(document.within) if document.within else None
    number, priority = shop.number, PRIORITIES[document.priority]
    title, note, role, person = document.title, document.note, document.role or "", document.person

    def run(move: Move, facts: Facts, now: datetime) -> int:
        if move.due_at is not None:
            return _await(move, facts, now, number, done, late)
        is_quiet = move.is_quiet
        step_no = move.log(Code.SUPPRESSED if is_quiet else Code.TASK_MADE)
        due_at = after(
            move.at, due, zone_of(_desk_of(facts))
        )  # where the shop works, not where the buyer lives
        move.effects.append(
            TaskEffect(step_no, number, move.at, title, note, due_at, priority, role, person, is_quiet)
        )
        if within is None:
            return done
        move.node_at = move.at
        move.due_at = max(after(move.at, within, zone_of(_desk_of(facts))), move.at)
        return _await(move, facts, now, number, done, late)

    return CompiledNode(run, Wake.TASK_DONE.value if within is not None else 0)


def _desk_of(facts: Facts) -> ContactFacts | None:
    contact = facts.contact
    return None if contact is None else ContactFacts("", "", contact.shop_zone)


def _await(move: Move, facts: Facts, now: datetime, number: int, done: int, late: int) -> int:
    """Go on when the task has ended in time; in the control group and in test mode nobody has it."""
    due = move.due_at or now
    answer = None if move.is_quiet else latest_answer(facts, number)
    if answer is not None and move.node_at <= answer.at <= due:
        move.at = max(answer.at, move.node_at)
        move.log(answer.code)
        return done if answer.code == Code.TASK_DONE else late
    if due <= now:
        move.at = due
        move.log(Code.TASK_NOT_DONE)
        return late
    move.run_at = due
    return STAY


def _summarise(document: TaskDocument) -> Summary:
    word = "process.node.task.wait" if document.within is not None else "process.node.task"
    return Summary(word, {"detail": document.title, "within": document.within})


KIND = Kind(
    TaskDocument,
    _build,
    _check,
    _summarise,
    soon=gettext_noop("A task for somebody"),
    words={
        "task": gettext_noop("Give a task to somebody"),
        "task.wait": gettext_noop("A task: done within {within}?"),
    },
    texts={
        "task_for_two": gettext_noop("A task goes to one person or to a role, not to both."),
        "task_wait_without_way": gettext_noop(
            "Waiting for a task and the way for one that is not done in time belong together."
        ),
        "task_unknown_word": gettext_noop(
            "{{{word}}} means nothing in the title. These may stand there: {choices}."
        ),
    },
    waits=True,
)
