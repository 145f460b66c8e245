"""Goal: the way ends here because something was reached."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from recoup.processes.engine.codes import State
from recoup.processes.engine.compiled import ENDED, CompiledNode, Move
from recoup.processes.engine.happenings import SUBJECT_EVENTS
from recoup.processes.engine.nodes.base import Kind, NodeDocument, Summary, Surroundings, Trouble, Workshop
from recoup.processes.engine.records import Facts
from recoup.processes.engine.wording import gettext_noop


class GoalDocument(NodeDocument):
    """An end that counts as this goal."""

    t: Literal["goal"]
    on: Literal[
        "order.paid",
        "order.cancelled",
        "cart.converted",
        "cart.emptied",
        "contact.ordered_again",
        "case.closed",
    ]


def _check(document: GoalDocument, around: Surroundings) -> Iterator[Trouble]:
    if around.subject not in SUBJECT_EVENTS[document.on].subjects:
        yield Trouble("on", "event_of_other_subject", {"event": document.on})


def _build(document: GoalDocument, shop: Workshop) -> CompiledNode:
    code = SUBJECT_EVENTS[document.on].goal_code

    def run(move: Move, facts: Facts, now: datetime) -> int:
        move.log(code)
        move.state = State.EXITED
        return ENDED

    return CompiledNode(run)


def _summarise(document: GoalDocument) -> Summary:
    return Summary("process.node.goal", {"event": document.on})


KIND = Kind(GoalDocument, _build, _check, _summarise, words={"goal": gettext_noop("Goal reached")})
