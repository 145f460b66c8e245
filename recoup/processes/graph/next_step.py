"""What will happen next to one enrolment, for a sentence such as "Reminder 2 of 3 tomorrow 10:00, unless paid".

Found by running the engine itself ahead on unchanged facts, so it cannot differ from what will be done.
"""

from dataclasses import dataclass
from datetime import datetime

from recoup.processes.engine.advance import advance
from recoup.processes.engine.codes import Flag, State, is_final
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.nodes.order_status import StatusEffect
from recoup.processes.engine.nodes.send import SendDocument
from recoup.processes.engine.nodes.until import UntilDocument
from recoup.processes.engine.records import CallOff, Effect, Enrolment, Facts, SendEffect
from recoup.processes.graph.document import ProcessDocument

FURTHEST = 50


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next thing that a person would notice. `unless` are keys of words, the most important first."""

    word: str
    at: datetime | None = None
    ordinal: int = 0
    total: int = 0
    channel: str = ""
    template: str = ""
    status: str = ""
    unless: tuple[str, ...] = ()


def describe_next(graph: Graph, enrolment: Enrolment, facts: Facts, now: datetime) -> NextStep:
    """Tell what comes next if nothing is heard of the person before."""
    if is_final(enrolment.state):
        return NextStep("process.next.over")
    if enrolment.state == State.PAUSED:
        return NextStep("process.next.paused")
    unless = [goal.name for goal in graph.goals if not enrolment.flags & goal.bit]
    if _is_being_sent(graph, enrolment):
        return _about_message("process.next.sending", graph, enrolment.node, enrolment.node_at, tuple(unless))
    return _look_ahead(graph, enrolment, facts, now, unless)


def _is_being_sent(graph: Graph, enrolment: Enrolment) -> bool:
    node = graph.document.nodes[graph.node_id(enrolment.node)]
    return isinstance(node, SendDocument) and enrolment.due_at is not None


def _look_ahead(
    graph: Graph, enrolment: Enrolment, facts: Facts, now: datetime, unless: list[str]
) -> NextStep:
    """Advance on unchanged facts until something would be noticed; questions on the way join `unless`."""
    for _ in range(FURTHEST):
        node = graph.document.nodes[graph.node_id(enrolment.node)]
        if isinstance(node, UntilDocument) and node.on.e not in unless:
            unless.append(node.on.e)
        ahead, steps, effects = advance(graph, enrolment, facts, max(enrolment.run_at or now, now))
        effects = tuple(effect for effect in effects if not isinstance(effect, CallOff))
        if effects:
            return _about_effect(graph, effects[0], facts, now, tuple(unless))
        if is_final(ahead.state):
            return NextStep("process.next.end", steps[-1].at)
        if facts.held_since is not None and ahead.flags & Flag.HELD:
            return _about_message("process.next.held", graph, ahead.node, None, tuple(unless))
        enrolment = ahead
    return NextStep("process.next.end")


def _about_effect(
    graph: Graph, effect: Effect, facts: Facts, now: datetime, unless: tuple[str, ...]
) -> NextStep:
    keys = tuple(f"process.unless.{event}" for event in unless)
    if effect.is_suppressed:
        return NextStep("process.next.suppressed", unless=keys)
    if not isinstance(effect, SendEffect):
        kind = graph.document.nodes[graph.node_id(effect.node)].t
        status = effect.status if isinstance(effect, StatusEffect) else ""
        return NextStep(f"process.next.{kind}", max(effect.at, now), status=status, unless=keys)
    if effect.purpose == "thanks":
        return NextStep(
            "process.next.thanks",
            max(effect.planned_at, now),
            channel=effect.channel,
            template=effect.template,
        )
    is_promised = facts.paused_until is not None and facts.paused_until == effect.planned_at
    word = "process.next.promised" if is_promised else "process.next.reminder"
    return _about_message(word, graph, effect.node, max(effect.planned_at, now), unless)


def _about_message(
    word: str, graph: Graph, node: int, at: datetime | None, unless: tuple[str, ...]
) -> NextStep:
    document: ProcessDocument = graph.document
    name = graph.node_id(node)
    send = document.nodes[name]
    assert isinstance(send, SendDocument)
    ordinals = _ordinals(document)
    return NextStep(
        word,
        at,
        ordinal=ordinals[name],
        total=max(ordinals.values()),
        channel=send.channel,
        template=send.template,
        unless=tuple(f"process.unless.{event}" for event in unless),
    )


def _ordinals(document: ProcessDocument) -> dict[str, int]:
    """Number the messages: one more than the fewest that lie before each."""
    before = {document.entry.first: 0}
    open_ends = [document.entry.first]
    while open_ends:
        name = open_ends.pop(0)
        behind = before[name] + isinstance(document.nodes[name], SendDocument)
        for target in document.nodes[name].ports.values():
            if behind < before.get(target, behind + 1):
                before[target] = behind
                open_ends.append(target)
    return {name: before[name] + 1 for name, node in document.nodes.items() if isinstance(node, SendDocument)}
