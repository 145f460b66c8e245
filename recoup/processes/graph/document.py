"""The format of a process as JSON, version 1. Blocks have stable ids; ways between them are named ports."""

import json
from collections.abc import Collection
from functools import reduce
from hashlib import blake2b
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, FiniteFloat, StringConstraints, model_validator

from recoup.processes.engine.codes import MOST_GOALS, SubjectKind
from recoup.processes.engine.entry import Reentry
from recoup.processes.engine.nodes.base import ForwardSpan, NodeDocument, NodeId, Strict, refuse
from recoup.processes.engine.nodes.condition import TakenFrom
from recoup.processes.engine.nodes.enrol import ProcessId
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.engine.nodes.tag import TagNames
from recoup.processes.graph.entries import ABOUT, ENTRIES
from recoup.processes.graph.examples import MOST_EXAMPLES, Example
from recoup.segments.tree import Condition

SCHEMA = 1
MOST_NODES = 100
MOST_TOUR_STEPS = 8
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
_REMARKS: Any = {  # what changes nothing for anybody who is inside
    "layout": True,
    "examples": True,
    "tour": True,
    "entry": {"segment"},
    "nodes": {"__all__": {"note", "segment"}},
}

if TYPE_CHECKING:
    Node = NodeDocument
else:
    Node = Annotated[reduce(or_, (kind.document for kind in KINDS.values())), Field(discriminator="t")]


FailureClass = Literal["soft", "hard", "user", "auth", "technical", "fraud", "config", "unknown"]
EndName = Literal[
    "completed", "goal_paid", "goal_cancelled", "goal_superseded", "goal_converted", "goal_emptied", "goal_case_closed"
]  # fmt: skip


class Entry(Strict):
    """Who enters, how often, and from which instant the hours count.

    `anchor` makes the first wait count from the placing of the order or the last activity in the cart.
    Somebody who enters later than that wait would be over starts it at once, and everything after it shifts.
    `tags` are those of which any one lets somebody in who is tagged so, `failures` the causes of a failed payment (none
    chosen is every cause), `process` the one at whose end somebody enters, by the `outcomes` if any are chosen.
    `about` is needed where the entry leaves open what the process is about. `swapped` says what becomes of somebody when the
    product for which they were let in is taken out of the order.
    """

    on: Literal[
        "order.placed",
        "order.unpaid",
        "cart.abandoned",
        "payment.failed",
        "order.paid",
        "tag.set",
        "process.ended",
        "manual",
    ]
    about: Literal["contact", "order", "cart"] | None = None
    tags: TagNames = Field(default_factory=list)
    failures: Annotated[list[FailureClass], Field(max_length=8)] = Field(default_factory=list)
    process: ProcessId | None = None
    outcomes: Annotated[list[EndName], Field(max_length=7)] = Field(default_factory=list)
    first: NodeId
    condition: Condition | None = Field(default=None, alias="if")
    segment: TakenFrom | None = None  # of the condition beside the products
    reentry: Reentry = Reentry.PER_SUBJECT
    again_after: ForwardSpan | None = None
    group: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    anchor: Literal["entered", "placed_at", "last_activity_at"] = "entered"
    swapped: Literal["end", "go_on"] = "end"

    @model_validator(mode="after")
    def _has_its_span(self) -> "Entry":
        if (self.reentry is Reentry.AGAIN_AFTER) != (self.again_after is not None):
            raise refuse("again_after_without_span")
        if self.about is not None and ABOUT[self.about] not in ENTRIES[self.on].subjects:
            raise refuse("entry_about_other", about=self.about)
        if (self.on == "tag.set") != bool(self.tags):
            raise refuse("entry_and_tags")
        if self.failures and self.on != "payment.failed":
            raise refuse("entry_and_failures")
        if (self.on == "process.ended") != (self.process is not None) or (self.outcomes and not self.process):
            raise refuse("entry_and_process")
        return self

    def takes(self, marks: Collection[str]) -> bool:
        """Tell whether news with these marks is meant, such as a tag of several or a cause of a failed payment."""
        if self.process is not None and f"process:{self.process}" not in marks:
            return False
        chosen = {tag.casefold() for tag in self.tags} | set(self.failures) | set(self.outcomes)
        return not chosen or not chosen.isdisjoint(marks)

    @property
    def subject(self) -> SubjectKind:
        """Return what the process is about."""
        return ENTRIES[self.on].subjects[0] if self.about is None else ABOUT[self.about]


class GoalEvent(Strict):
    """An event that ends the process for somebody, wherever they stand."""

    on: Literal[
        "order.paid",
        "order.cancelled",
        "cart.converted",
        "cart.emptied",
        "contact.ordered_again",
        "case.closed",
    ]


Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class TourStep(Strict):
    """A step of the guided tour. `at` is a block, `entry` or `goals`; the texts are written in each language."""

    at: NodeId
    title: dict[Locale, Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]]
    text: dict[Locale, Words]

    @model_validator(mode="after")
    def _says_something(self) -> "TourStep":
        if not self.title or self.title.keys() != self.text.keys():
            raise refuse("tour_without_words")
        return self


class ProcessDocument(Strict):
    """A whole process. `examples` say what it has to do; `layout` and `tour` are for people and change nothing."""

    format: Literal[1] = Field(alias="schema")
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
    entry: Entry
    goals: list[GoalEvent] = Field(default_factory=list, max_length=MOST_GOALS)
    nodes: dict[NodeId, Node] = Field(min_length=1, max_length=MOST_NODES)
    layout: dict[NodeId, tuple[FiniteFloat, FiniteFloat]] = Field(default_factory=dict)
    examples: list[Example] = Field(default_factory=list, max_length=MOST_EXAMPLES)
    tour: list[TourStep] = Field(default_factory=list, max_length=MOST_TOUR_STEPS)

    def as_json(self, *, is_bare: bool = False) -> dict[str, Any]:
        """Return the document as plain values without what equals a default; a bare one is what happens and no more."""
        plain: dict[str, Any] = self.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude=_REMARKS if is_bare else None
        )
        return plain


def doc_hash(document: ProcessDocument) -> bytes:
    """Return the fingerprint of what a process does; notes, examples and the places of its boxes do not change it."""
    text = json.dumps(
        document.as_json(is_bare=True), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return blake2b(text.encode(), digest_size=32).digest()


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the format."""
    return ProcessDocument.model_json_schema(by_alias=True)
