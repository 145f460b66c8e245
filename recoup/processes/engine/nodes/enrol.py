"""Enrol: put the same order, cart or person into another process, and go on without waiting for it."""

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from recoup.processes.engine.codes import Code
from recoup.processes.engine.compiled import CompiledNode, Move
from recoup.processes.engine.nodes.base import Kind, NextPort, NodeDocument, Summary, Workshop, no_trouble
from recoup.processes.engine.records import Facts
from recoup.processes.engine.wording import gettext_noop

ProcessId = Annotated[int, Field(ge=1, le=2**63 - 1)]


class EnrolEffect(NamedTuple):
    """Somebody to be put into another process; its rules may turn them away, and then the line says so."""

    step_no: int
    node: int
    at: datetime
    process: int
    is_suppressed: bool


class EnrolDocument(NodeDocument):
    """Another process, past what it begins with. How often it lets somebody in, and its exclusive group, decide there."""

    t: Literal["enrol"]
    process: ProcessId
    out: NextPort


def _build(document: EnrolDocument, shop: Workshop) -> CompiledNode:
    following, process = shop.node_map[document.out.next], document.process

    def run(move: Move, facts: Facts, now: datetime) -> int:
        is_holdout = move.is_holdout
        step_no = move.log(Code.SUPPRESSED if is_holdout else Code.ENROLLED)
        move.effects.append(EnrolEffect(step_no, shop.number, move.at, process, is_holdout))
        return following

    return CompiledNode(run)


def _summarise(document: EnrolDocument) -> Summary:
    return Summary("process.node.enrol", {"process": document.process})


KIND = Kind(
    EnrolDocument,
    _build,
    no_trouble,
    _summarise,
    soon=gettext_noop("Goes on in another process as well"),
    words={"enrol": gettext_noop("Put into another process")},
)
