"""Going aside: whoever has passed the place of an added block does it too, and then stands again where they stood.

Where somebody came from stands among the variables of the enrolment while they are away; the instants of the block are kept,
so that the way they were on goes on as if nothing had been between, and no block of it is done a second time.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from recoup.processes.engine.codes import Flag, Wake
from recoup.processes.engine.compiled import Graph, Move

# Among the variables of an enrolment: the block to come back to, its instants in microseconds since 1970, the message that
# is under way from there, the flags of its instant, and the blocks that are to be done before, 16 bits each.
BACK, BACK_AT, BACK_DUE, BACK_STEP, BACK_FLAG, THEN = (
    "back",
    "back_at",
    "back_due",
    "back_step",
    "back_flag",
    "then",
)
KEYS = (BACK, BACK_AT, BACK_DUE, BACK_STEP, BACK_FLAG, THEN)
BITS = 16
_OF_INSTANT = (Flag.ANCHORED | Flag.DATED | Flag.HELD).value
_SETTLED = Wake.MESSAGE_SETTLED.value
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class Place(NamedTuple):
    """Where somebody stood before they went aside."""

    node: int
    at: datetime
    due_at: datetime | None


def is_aside(variables: Mapping[str, int] | None) -> bool:
    """Tell whether somebody is away from their place."""
    return variables is not None and BACK in variables


def instant_of(at: datetime) -> int:
    """Return an instant as it stands among the variables."""
    return (at - _EPOCH) // _TICK


def place_of(variables: Mapping[str, int]) -> Place:
    """Return where somebody who is away comes back to."""
    due = variables.get(BACK_DUE)
    return Place(
        variables[BACK], _EPOCH + variables[BACK_AT] * _TICK, None if due is None else _EPOCH + due * _TICK
    )


def going_aside(
    variables: Mapping[str, int] | None,
    *,
    node: int,
    node_at: datetime,
    due_at: datetime | None,
    own_message: int | None,
    flags: int,
    then: Sequence[int],
) -> dict[str, int]:
    """Return the variables of somebody who leaves a place to do something, and then blocks in their order.

    :param own_message: the step of the message that is under way from the place, if there is one.
    """
    found = {**(variables or {}), BACK: node, BACK_AT: instant_of(node_at)}
    if due_at is not None:
        found[BACK_DUE] = instant_of(due_at)
    if own_message is not None:
        found[BACK_STEP] = own_message
    if kept := flags & _OF_INSTANT:
        found[BACK_FLAG] = kept
    if then:
        found[THEN] = sum(one << BITS * index for index, one in enumerate(then))
    return found


def blocks_left(variables: Mapping[str, int]) -> list[int]:
    """Return the blocks that somebody who is away does after the present one, before they come back."""
    then, found = variables.get(THEN, 0), []
    while then:
        found.append(then & (1 << BITS) - 1)
        then >>= BITS
    return found


def without_place(variables: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """Return variables without a place to come back to."""
    if not is_aside(variables):
        return variables
    return {key: value for key, value in (variables or {}).items() if key not in KEYS} or None


def without_others(variables: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """Return variables without the blocks that were to be done before standing again at the place."""
    return {key: value for key, value in (variables or {}).items() if key != THEN} or None


def go_on(graph: Graph, move: Move, following: int) -> None:
    """Let somebody who was aside do the next block that was meant, or stand again where they stood.

    Where a later version has not got that block any more, they go on as the added one leads. What was put off at a message
    that has not been queued is planned for when they come back.
    """
    variables = dict(move.variables or {})
    then = variables.pop(THEN, 0)
    while then:
        number, then = then & (1 << BITS) - 1, then >> BITS
        if _has(graph, number):
            move.variables = {**variables, THEN: then} if then else variables
            _enter(move, number)
            return
    move.variables = without_place(variables)
    place = place_of(variables)
    if not _has(graph, place.node):
        _enter(move, following)
        return
    is_unsent = place.due_at is None and sends(graph, place.node)
    node_at = max(place.at, move.at) if is_unsent else place.at
    move.node, move.node_at, move.due_at = place.node, node_at, place.due_at
    move.last_message_step = variables.get(BACK_STEP, move.last_message_step)
    move.flags |= variables.get(BACK_FLAG, 0)


def sends(graph: Graph, number: int) -> bool:
    """Tell whether a block sends messages: no other waits for the end of one."""
    return bool(graph.masks[number] & _SETTLED)


def _has(graph: Graph, number: int) -> bool:
    return number < len(graph.nodes) and graph.nodes[number] is not None


def _enter(move: Move, number: int) -> None:
    move.node, move.node_at, move.due_at = number, move.at, None
