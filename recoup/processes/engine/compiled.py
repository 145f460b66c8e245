"""A published graph as the engine runs it: numbers for names, one closure a block."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from recoup.processes.engine.codes import Flag
from recoup.processes.engine.records import Effect, Enrolment, Facts, Step

STAY = -1  # the block waits: `due_at` and `run_at` of the move are set
ENDED = -2  # the enrolment is over: `state` of the move is set

_new_step = tuple.__new__


class Move:
    """What changes about an enrolment in one advance; blocks write here and nowhere else.

    `at` is the logical instant. A block that passes on sets it to the instant at which it was done.
    """

    __slots__ = (
        "anchor_shift", "at", "contact_id", "due_at", "effects", "flags", "last_message_step", "node",
        "node_at", "run_at", "state", "step_no", "steps", "variables",
    )  # fmt: skip

    def __init__(self, enrolment: Enrolment) -> None:
        self.contact_id: int = enrolment.contact_id
        self.at: datetime = enrolment.node_at
        self.node_at: datetime = enrolment.node_at
        self.node: int = enrolment.node
        self.due_at: datetime | None = enrolment.due_at
        self.run_at: datetime | None = None
        self.anchor_shift: timedelta | None = enrolment.anchor_shift
        self.step_no: int = enrolment.step_no
        self.last_message_step: int | None = enrolment.last_message_step
        self.flags: int = enrolment.flags
        self.variables: Mapping[str, int] | None = enrolment.variables
        self.state: int = 1
        self.steps: list[Step] = []
        self.effects: list[Effect] = []

    def log(self, code: int, arm: int | None = None) -> int:
        """Write one line of the ledger at the logical instant and return its number; `arm` says which way was taken."""
        self.step_no = number = self.step_no + 1
        self.steps.append(_new_step(Step, (number, self.node, code, self.at, arm)))
        return number

    @property
    def is_holdout(self) -> bool:
        """Tell whether effects are suppressed."""
        return bool(self.flags & Flag.HOLDOUT.value)

    @property
    def is_quiet(self) -> bool:
        """Tell whether what cannot be called back is suppressed: in the control group and in test mode."""
        return bool(self.flags & (Flag.HOLDOUT | Flag.TEST).value)


Run = Callable[[Move, Facts, datetime], int]


class Shield(NamedTuple):
    """A goal that the block itself listens to: the block takes the event and goes on by yes.

    `deadline` tells by flags, the instant of the block and facts until when it does, where that is not written down yet;
    `read` when what the block asks for happened since an instant, where that is more than the goal.
    """

    goal: int
    takes_earlier: bool
    deadline: Callable[[int, datetime, Facts], datetime]
    read: Callable[[Facts, datetime | None], datetime | None] | None = None


class CompiledNode(NamedTuple):
    """A block: what it does, which events may move it while it waits, which goal it takes over, what it asks to be read."""

    run: Run
    mask: int = 0
    shield: Shield | None = None
    needs: int = 0  # `segments.facts.Need`: facts that no batch carries anyway


class Goal(NamedTuple):
    """An event that ends the enrolment wherever it stands."""

    name: str
    bit: int  # of the enrolment's flags, once a block has taken the event
    wake: int
    code: int
    read: Callable[[Facts], datetime | None]


@dataclass(frozen=True, slots=True)
class Graph:
    """One version, compiled. `nodes` is indexed by the number of the block; dropped numbers are empty."""

    document: Any  # ProcessDocument; the engine itself never looks inside
    node_map: Mapping[str, int]
    nodes: tuple[CompiledNode | None, ...]
    runs: tuple[Run, ...]
    masks: tuple[int, ...]  # goals and the block's own events
    shields: tuple[Shield | None, ...]
    goals: tuple[Goal, ...]
    goal_mask: int
    event_mask: int  # every event that any block or goal of this version listens to
    first: int
    salt: int
    doc_hash: bytes
    is_anchored: bool
    admits: Callable[[Facts, datetime], bool]
    needs: int = 0  # of its condition of entry and of all its blocks
    # Whether an order of these products has what people are let in for; empty where no product is asked for.
    wants: Callable[[Collection[str]], bool] | None = None
    ends_without: bool = True  # when it is taken out of the order, the process ends
    looks_again: bool = False  # who comes by it later, because the goods were exchanged, is let in then

    def node_id(self, number: int) -> str:
        """Return the stable id of a block."""
        return next(name for name, known in self.node_map.items() if known == number)
