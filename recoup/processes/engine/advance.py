"""One step of one enrolment, as a pure function."""

from datetime import datetime

from recoup.processes.engine.aside import BACK_FLAG, go_on, is_aside, place_of, without_others
from recoup.processes.engine.codes import Code, Flag, Priority, State, is_final
from recoup.processes.engine.compiled import Graph, Move
from recoup.processes.engine.records import CallOff, Enrolment, Facts, Outcome
from recoup.processes.engine.swapping import lost_at

MOST_INSTANT_NODES = 100

_make = tuple.__new__
_COMPLETED = int(State.COMPLETED)
_WAITING = int(State.WAITING)
_TIMER = int(Priority.TIMER)
_GOAL_BITS = 0xFF0
_NOT_HELD = ~Flag.HELD.value


def advance(graph: Graph, enrolment: Enrolment, facts: Facts, now: datetime) -> Outcome:
    """Run an enrolment through every block that is due, until one waits or it ends.

    Goals come first, on everything that is known by now: a late worker never acts against a payment. Timers
    fire at their own logical instant however late the worker is, and at equal instants facts win over timers.
    """
    if is_final(enrolment.state):
        return Outcome(enrolment, (), ())
    move = Move(enrolment)
    if not _meet_goal(graph, move, facts, enrolment.entered_at):
        if is_aside(move.variables) and _is_called_back(graph, move, facts):
            move.variables = without_others(move.variables)
            move.flags &= _NOT_HELD
            if move.due_at is not None:
                move.effects.append(CallOff(move.step_no, move.node, move.at))
            _run_nodes(graph, move, facts, now, _stand_again(graph, move, facts, now, move.node))
        else:
            _run_nodes(graph, move, facts, now, graph.runs[move.node](move, facts, now))
    return _finish(graph, enrolment, move)


def _meet_goal(graph: Graph, move: Move, facts: Facts, entered_at: datetime) -> bool:
    """End the move at the earliest goal that was met and that no block has taken, or where the reason to be there went."""
    found: int | None = None
    found_at: datetime | None = None
    for goal in graph.goals:
        at = goal.read(facts)
        if at is None or (found_at is not None and at >= found_at) or move.flags & goal.bit:
            continue
        if _is_taken_by_block(graph, move, facts, goal.bit, at):
            continue
        found, found_at = goal.code, at
    if graph.wants is not None:
        at = lost_at(graph, facts, entered_at)
        if at is not None and (found_at is None or at < found_at):
            found, found_at = Code.LEFT_PRODUCT, at
    if found is None or found_at is None:
        return False
    move.at = max(found_at, move.node_at)
    move.log(found)
    move.state = State.EXITED
    return True


def _is_taken_by_block(graph: Graph, move: Move, facts: Facts, bit: int, at: datetime) -> bool:
    """Tell whether the present block listens to this goal's event and would answer yes to it."""
    node, node_at, due_at, flags = move.node, move.node_at, move.due_at, move.flags
    if move.variables is not None and is_aside(move.variables):
        # The block that they come back to takes it then.
        node, node_at, due_at = place_of(move.variables)
        flags |= move.variables.get(BACK_FLAG, 0)
    shield = graph.shields[node] if node < len(graph.shields) else None
    if shield is None or graph.goals[shield.goal].bit != bit:
        return False
    if shield.read is not None:
        answered_at = shield.read(facts, None if shield.takes_earlier else node_at)
        if answered_at is None:
            return False
        at = answered_at
    is_in_time = at <= (due_at or shield.deadline(flags, node_at, facts))
    return is_in_time and (shield.takes_earlier or at >= node_at)


def _is_called_back(graph: Graph, move: Move, facts: Facts) -> bool:
    """Tell whether what happened is a yes of the block that somebody is away from: they do nothing more before it."""
    for goal in graph.goals:
        at = None if move.flags & goal.bit else goal.read(facts)
        if at is not None and _is_taken_by_block(graph, move, facts, goal.bit, at):
            return True
    return False


def _stand_again(graph: Graph, move: Move, facts: Facts, now: datetime, following: int) -> int:
    """Go on after an added block. What was over meanwhile is over when they come back: what follows counts from then."""
    since, told = move.at, len(move.steps)
    go_on(graph, move, following)
    following = graph.runs[move.node](move, facts, now)
    move.at = max(move.at, since)
    move.steps[told:] = [step._replace(at=max(step.at, since)) for step in move.steps[told:]]
    return following


def _run_nodes(graph: Graph, move: Move, facts: Facts, now: datetime, following: int) -> None:
    runs = graph.runs
    instant_nodes = 0
    while following >= 0:
        if move.at > move.node_at:
            instant_nodes = 0
        elif instant_nodes >= MOST_INSTANT_NODES:
            move.log(Code.FAILED_LOOP)
            move.state = State.FAILED
            return
        instant_nodes += 1
        if is_aside(move.variables):
            following = _stand_again(graph, move, facts, now, following)
            continue
        move.node = following
        move.node_at = move.at
        move.due_at = None
        following = runs[move.node](move, facts, now)


def _finish(graph: Graph, was: Enrolment, move: Move) -> Outcome:
    if move.state >= _COMPLETED:
        move.due_at = move.run_at = None
        mask = 0
    elif move.flags & _GOAL_BITS:
        taken = sum(goal.wake for goal in graph.goals if move.flags & goal.bit)
        mask = graph.masks[move.node] & ~taken
    else:
        mask = graph.masks[move.node]
    enrolment = _make(
        Enrolment,
        (
            was.id, was.shop_id, was.process_id, was.version_id, was.contact_id, was.case_id,
            was.subject_kind, was.subject_id, move.state, move.node, move.step_no, was.entered_at,
            move.node_at, move.anchor_shift, move.due_at, move.run_at, mask, _TIMER,
            move.last_message_step, 0, move.flags, move.variables,
        ),
    )  # fmt: skip
    return _make(Outcome, (enrolment, tuple(move.steps), tuple(move.effects)))
