"""What a move does with whoever stands at a block: chosen by a person, worked out once for each block of each version."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from recoup.processes.engine.aside import (
    BACK,
    BACK_AT,
    BACK_DUE,
    BACK_FLAG,
    BACK_STEP,
    going_aside,
    instant_of,
    is_aside,
    without_place,
)
from recoup.processes.engine.codes import ACTIVE_STATES, Code, Flag, Priority, State
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.endings import stop
from recoup.processes.engine.records import Enrolment, Outcome, Step
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.ways import Ways

_TO, _ALSO = "to:", "also:"
_RESTED = frozenset({"wait", "until", "send"})  # blocks that somebody can leave and come back to
_EFFECTS = frozenset({"send", "tag", "task", "webhook", "offer", "order_status", "enrol"})
_TIMED = frozenset({"wait", "until"})  # blocks whose only work is an instant, which can be worked out again
_GOALS = 0xFF0
MOST_ADDED = 4  # blocks that people do at once before they go on where they are
_DROPPED_BY_ENTERING = (Flag.HELD | Flag.DATED).value


class Choice(StrEnum):
    """What becomes of those at a block; besides, `to:` and the id of a block, and `also:` and the ids of added ones."""

    STAY = "stay"  # on their version
    SAME = "same"  # on the same block of the new version
    EXIT = "exit"  # the process ends for them


class PlanRefused(Exception):
    """A plan that cannot be carried out.

    `code` is `other_subject`, `unknown_block`, `lost_block`, `unknown_choice` or, where somebody is to do an added step and
    not to be moved, `stays`.
    """

    def __init__(self, code: str, block: str = "") -> None:
        super().__init__(f"{code} {block}")
        self.code = code
        self.block = block


def to_block(block: str) -> str:
    """Return the choice that moves people to a block."""
    return f"{_TO}{block}"


def also_blocks(blocks: Sequence[str]) -> str:
    """Return the choice that lets people do added blocks, in their order, before they go on where they are."""
    return _ALSO + "+".join(blocks)


def also_of(choice: str) -> list[str]:
    """Return the added blocks that a choice names."""
    return choice.removeprefix(_ALSO).split("+") if choice.startswith(_ALSO) else []


@dataclass(frozen=True, slots=True)
class Plan:
    """The choice for each block, by its id; whoever stands at one that is not named stays on their version.

    `recomputes` works the instants of waits and questions out again from when the block was reached; else they stay.
    """

    choices: Mapping[str, str] = field(default_factory=dict)
    recomputes: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain values."""
        return {"choices": dict(self.choices), "recomputes": self.recomputes}

    @classmethod
    def of_json(cls, plain: Mapping[str, Any]) -> "Plan":
        """Read what `as_json` wrote."""
        return cls(dict(plain["choices"]), bool(plain["recomputes"]))

    @property
    def moves_somebody(self) -> bool:
        """Tell whether anybody would leave their version."""
        return any(choice != Choice.STAY for choice in self.choices.values())


def default_choices(olds: Sequence[Raw], new: Raw) -> dict[str, str]:
    """Return what is offered first: the same block where the new version has it, else their version."""
    blocks = {name for old in olds for name in old["nodes"]}
    return {
        name: Choice.SAME.value if name in new["nodes"] else Choice.STAY.value
        for name in sorted(blocks, key=lambda name: (len(name), name))
    }


@dataclass(frozen=True, slots=True)
class Rule:
    """What a move writes for one block of one version; plain values, so that SQL reads them too.

    `action` is `keep` (the instants stay), `recompute`, `enter` (reaches `to_node` now) or `exit`. With `also` people do
    those blocks first which they have never been at, each with its mask, and then stand at `to_node` as they would without.
    """

    version_id: int
    number: int  # of the version that is left
    node: int
    action: str
    to_node: int = 0
    mask: int = 0
    wakes: bool = False  # listens to events that it did not listen to before: they may have happened
    goal_bits: tuple[int, ...] = ()  # by the goal's place in the old version, its bit in the new one
    loosens: bool = (
        False  # the wait is another one: its instant is kept and not read from the anchor or its date again
    )
    round_key: str = ""  # a bounded wait that is begun again takes its round back
    is_send: bool = False  # a message may be under way from here
    also: tuple[int, ...] = ()
    also_masks: tuple[int, ...] = ()
    # Of whoever is aside: places that are blocks of another kind now, waits whose instant is kept as with `loosens`, and
    # waits whose instant is worked out again.
    other: tuple[int, ...] = ()
    looser: tuple[int, ...] = ()
    again: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Old:
    """A version that people are moved from."""

    version_id: int
    number: int
    graph: Graph


def rules_of(plan: Plan, olds: Sequence[Old], new: Graph) -> list[Rule]:
    """Work a plan out for every block that somebody leaves.

    :raises PlanRefused: if the versions are about different things, or a choice names what is not there.
    """
    for old in olds:
        if old.graph.document.entry.subject is not new.document.entry.subject:
            raise PlanRefused("other_subject")
    rules = []
    for block, choice in plan.choices.items():
        known = [old for old in olds if block in old.graph.document.nodes]
        if not known and not any(block in old.graph.node_map for old in olds):
            raise PlanRefused("unknown_block", block)
        rules += [rule for old in known if (rule := _rule(block, choice, plan, old, new))]
    return rules


def _rule(block: str, choice: str, plan: Plan, old: Old, new: Graph) -> Rule | None:
    node = old.graph.node_map[block]
    if choice == Choice.STAY:
        return None
    if choice == Choice.EXIT:
        return Rule(old.version_id, old.number, node, "exit")
    also = _added(block, choice, old, new)
    is_same = choice == Choice.SAME or bool(also_of(choice))
    target = block if is_same else choice.removeprefix(_TO)
    if not is_same and not choice.startswith(_TO):
        raise PlanRefused("unknown_choice", block)
    if target not in new.document.nodes:
        raise PlanRefused("lost_block", block)
    was, becomes = old.graph.document.nodes[block], new.document.nodes[target]
    number = new.node_map[target]
    action = "keep" if target == block and was.t == becomes.t else "enter"
    is_timed = action == "keep" and becomes.t in _TIMED
    if is_timed and plan.recomputes:
        action = "recompute"
    bounded = getattr(was, "max_rounds", None) is not None
    blocks = new.document.nodes
    # Of whoever is aside, by the number of their place.
    other = _numbers(old, lambda name, was: name not in blocks or blocks[name].t != was.t)
    timed = [number for number in _numbers(old, lambda _, was: was.t in _TIMED) if number not in other]
    changed = _numbers(old, lambda name, was: _is_other(was, blocks.get(name, was)))
    return Rule(
        version_id=old.version_id,
        number=old.number,
        node=node,
        action=action,
        to_node=number,
        mask=new.masks[number],
        wakes=bool(new.masks[number] & ~old.graph.masks[node]),
        goal_bits=_goal_bits(old.graph, new),
        loosens=action == "keep" and is_timed and _is_other(was, becomes),
        round_key=str(node) if action == "recompute" and bounded else "",
        is_send=was.t == "send",
        also=tuple(also) if action != "enter" else (),
        also_masks=tuple(new.masks[number] for number in also) if action != "enter" else (),
        other=other,
        looser=() if plan.recomputes else tuple(one for one in timed if one in changed),
        again=tuple(timed) if plan.recomputes else (),
    )


def _numbers(old: Old, holds: Callable[[str, Any], bool]) -> tuple[int, ...]:
    """Return the numbers of those places to come back to of which something holds."""
    graph = old.graph
    return tuple(
        graph.node_map[name]
        for name, was in graph.document.nodes.items()
        if was.t in _RESTED and holds(name, was)
    )


def _is_other(was: Any, becomes: Any) -> bool:
    """Tell whether two blocks of a kind differ in more than their ways and their label."""
    beside = {"out", "label"}
    return bool(was.model_dump(exclude=beside) != becomes.model_dump(exclude=beside))


def _added(block: str, choice: str, old: Old, new: Graph) -> list[int]:
    """Return the numbers of the added blocks that a choice names, of those that people at a block of a version passed."""
    asked = also_of(choice)
    lost = [name for name in asked if name not in new.document.nodes]
    if lost:
        raise PlanRefused("lost_block", lost[0])
    passed = passed_before(block, old.graph.document, new.document) if asked else []
    return [new.node_map[name] for name in passed if name in asked]


def passed_before(block: str, old: ProcessDocument, new: ProcessDocument) -> list[str]:
    """Return the blocks with an effect that a version adds before a block of an older one, in their order.

    Only those count that nobody comes to the block but through: whoever stands there has passed their place, whichever way
    they came. Those at a block that waits for something other than time, a message or what the person does are left alone.
    """
    was, becomes = old.nodes.get(block), new.nodes.get(block)
    if was is None or becomes is None or was.t != becomes.t or was.t not in _RESTED:
        return []
    following = {name: tuple(node.ports.values()) for name, node in new.nodes.items()}
    ways, first = Ways(following), new.entry.first
    found = []
    for name, node in new.nodes.items():
        if name in old.nodes or node.t not in _EFFECTS or name == block or ways.leads(block, name):
            continue
        around = set() if first == name else Ways({**following, name: ()}).reached_from(first)
        if block not in around and ways.leads(name, block):
            found.append(name)
    return sorted(found, key=lambda name: -len(ways.reached_from(name)))[:MOST_ADDED]


def _goal_bits(old: Graph, new: Graph) -> tuple[int, ...]:
    bits = {goal.name: goal.bit for goal in new.goals}
    found = tuple(bits.get(goal.name, 0) for goal in old.goals)
    return () if found == tuple(goal.bit for goal in old.goals) else found


def apply_rule(
    enrolment: Enrolment, rule: Rule, version_id: int, now: datetime, *, had: Collection[int] = ()
) -> Outcome:
    """Move one enrolment as `sql/move.sql` does it: for the look ahead, and for the tests of the statement.

    :param had: the added blocks that the enrolment has been at.
    """
    if rule.action == "exit":
        return stop(enrolment, Code.STOPPED_MIGRATED, now)
    enters = rule.action == "enter"
    begins_again = rule.action == "recompute" and enrolment.due_at is not None
    looks = enters or begins_again or rule.wakes
    moved = enrolment._replace(
        version_id=version_id,
        node=rule.to_node,
        node_at=max(now, enrolment.node_at) if enters else enrolment.node_at,
        step_no=enrolment.step_no + 1,
        due_at=None if enters or begins_again else enrolment.due_at,
        wait_mask=rule.mask,
        attempt=0,
        flags=_flags(enrolment, rule, enters=enters),
        variables=_variables(enrolment, rule, now, begins_again=begins_again),
    )
    if looks and enrolment.state in ACTIVE_STATES and enrolment.run_at is not None:
        moved = moved._replace(
            state=State.READY.value, prio=Priority.BULK.value, run_at=min(enrolment.run_at, now)
        )
    if rule.also and not is_aside(enrolment.variables):
        moved = _aside(moved, rule, now, had)
    line = Step(moved.step_no, moved.node, Code.MIGRATED.value, moved.node_at, rule.number)
    return Outcome(moved, (line,), ())


def _aside(moved: Enrolment, rule: Rule, now: datetime, had: Collection[int]) -> Enrolment:
    """Let somebody do added blocks before they go on where they are; nothing where they have been at all of them."""
    todo = [
        (number, mask) for number, mask in zip(rule.also, rule.also_masks, strict=True) if number not in had
    ]
    if not todo:
        return moved
    variables = going_aside(
        moved.variables,
        node=moved.node,
        node_at=moved.node_at,
        due_at=moved.due_at,
        own_message=moved.last_message_step if rule.is_send and moved.due_at is not None else None,
        flags=moved.flags,
        then=[number for number, _ in todo[1:]],
    )
    number, mask = todo[0]
    moved = moved._replace(
        node=number,
        node_at=max(now, moved.node_at),
        due_at=None,
        wait_mask=mask,
        variables=variables,
        flags=moved.flags & ~_DROPPED_BY_ENTERING,
    )
    if moved.state in ACTIVE_STATES and moved.run_at is not None:
        moved = moved._replace(
            state=State.READY.value, prio=Priority.BULK.value, run_at=min(moved.run_at, now)
        )
    return moved


def _variables(
    enrolment: Enrolment, rule: Rule, now: datetime, *, begins_again: bool
) -> Mapping[str, int] | None:
    variables = enrolment.variables
    if rule.action == "enter":
        return without_place(variables)
    kept = dict(_without_round(variables, rule.round_key if begins_again else "") or {})
    place = kept.get(BACK)
    dropped: tuple[str, ...] = ()
    if place in rule.other:
        dropped = (BACK_DUE, BACK_STEP, BACK_FLAG)
        kept[BACK_AT] = max(kept[BACK_AT], instant_of(now))
    elif _is_looser(enrolment, rule):
        dropped = (BACK_FLAG,)
    elif place in rule.again and BACK_DUE in kept:
        dropped = (BACK_DUE,)
        kept = dict(_without_round(kept, str(place)) or {})
    return {key: value for key, value in kept.items() if key not in dropped} if dropped else kept or None


def _is_looser(enrolment: Enrolment, rule: Rule) -> bool:
    """Tell whether somebody comes back to another wait whose instant is kept: it is not read from the anchor again."""
    kept = enrolment.variables or {}
    return rule.action != "enter" and BACK_DUE in kept and kept.get(BACK) in rule.looser


def _flags(enrolment: Enrolment, rule: Rule, *, enters: bool) -> int:
    flags = enrolment.flags
    if rule.goal_bits and flags & _GOALS:
        kept = sum(bit for index, bit in enumerate(rule.goal_bits) if flags & (16 << index))
        flags = (flags & ~_GOALS) | kept
    if enters:
        flags &= ~_DROPPED_BY_ENTERING
    if (rule.loosens and enrolment.due_at is not None) or _is_looser(enrolment, rule):
        flags &= ~(Flag.ANCHORED | Flag.DATED).value
    return flags


def calls_off(enrolment: Enrolment, rule: Rule, step_no: int) -> bool:
    """Tell whether a move calls off what is under way from a step: of the block, or of where they come back to."""
    variables = enrolment.variables or {}
    if rule.action == "enter":
        return (rule.is_send and enrolment.due_at is not None) or BACK_STEP in variables
    is_lost = variables.get(BACK) in rule.other and variables.get(BACK_STEP) == step_no
    return rule.action == "exit" or is_lost


def _without_round(variables: Mapping[str, int] | None, key: str) -> Mapping[str, int] | None:
    rounds = (variables or {}).get(key, 0)
    if not key or not rounds:
        return variables
    return {**(variables or {}), key: rounds - 1}


def as_rows(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return rules as plain values for the statement."""
    lists = ("goal_bits", "also", "also_masks", "other", "looser", "again")
    return [{**asdict(rule), **{name: list(getattr(rule, name)) for name in lists}} for rule in rules]
