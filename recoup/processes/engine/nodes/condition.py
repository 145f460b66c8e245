"""If: a question about the facts as they are now."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from recoup.processes.engine.codes import Code
from recoup.processes.engine.compiled import CompiledNode, Move
from recoup.processes.engine.nodes.base import (
    Kind,
    NodeDocument,
    NodeId,
    Strict,
    Summary,
    Surroundings,
    Trouble,
    Workshop,
)
from recoup.processes.engine.records import Facts
from recoup.processes.engine.wording import gettext_noop
from recoup.segments.fields import FIELDS
from recoup.segments.to_python import compile_test
from recoup.segments.tree import Condition, comparisons, needs_of


class IfPorts(Strict):
    """Where it goes on."""

    yes: NodeId
    no: NodeId


class TakenFrom(Strict):
    """The saved segment that a condition was taken from, and of which day that was. For people: the condition decides."""

    id: Annotated[int, Field(ge=1, le=2**63 - 1)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    of: date


class IfDocument(NodeDocument):
    """A fork that does not wait."""

    t: Literal["if"]
    condition: Condition = Field(alias="if")
    segment: TakenFrom | None = None
    out: IfPorts


def _check(document: IfDocument, around: Surroundings) -> Iterator[Trouble]:
    for comparison in comparisons(document.condition):
        fact = FIELDS.get(comparison.f)
        if fact is None:
            yield Trouble("if", "unknown_fact", {"field": comparison.f})
        elif around.subject not in fact.subjects:
            yield Trouble("if", "fact_of_other_subject", {"field": comparison.f})


def _build(document: IfDocument, shop: Workshop) -> CompiledNode:
    holds = compile_test(document.condition)
    yes, no = shop.node_map[document.out.yes], shop.node_map[document.out.no]

    def run(move: Move, facts: Facts, now: datetime) -> int:
        if holds(facts, move.at):
            move.log(Code.YES)
            return yes
        move.log(Code.NO)
        return no

    return CompiledNode(run, needs=int(needs_of(document.condition)))


def _summarise(document: IfDocument) -> Summary:
    facts = tuple(dict.fromkeys(comparison.f for comparison in comparisons(document.condition)))
    values: dict[str, object] = {"facts": facts, "condition": document.condition}
    if document.segment is not None:
        values["segment"] = document.segment.model_dump(mode="json")
    return Summary("process.node.if", values)


KIND = Kind(IfDocument, _build, _check, _summarise, words={"if": gettext_noop("Does this apply?")})
