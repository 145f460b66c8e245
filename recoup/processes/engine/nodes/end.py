"""End: nothing more will happen."""

from datetime import datetime
from typing import Literal

from recoup.processes.engine.codes import Code, State
from recoup.processes.engine.compiled import ENDED, CompiledNode, Move
from recoup.processes.engine.nodes.base import Kind, NodeDocument, Summary, Workshop, no_trouble
from recoup.processes.engine.records import Facts
from recoup.processes.engine.wording import gettext_noop


class EndDocument(NodeDocument):
    """The end of the way."""

    t: Literal["end"]


def _build(document: EndDocument, shop: Workshop) -> CompiledNode:
    def run(move: Move, facts: Facts, now: datetime) -> int:
        move.log(Code.COMPLETED)
        move.state = State.COMPLETED
        return ENDED

    return CompiledNode(run)


def _summarise(document: EndDocument) -> Summary:
    return Summary("process.node.end", {})


KIND = Kind(EndDocument, _build, no_trouble, _summarise, words={"end": gettext_noop("End")})
