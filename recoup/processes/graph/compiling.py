"""From a valid document to what the engine runs."""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from recoup.processes.engine.codes import SubjectKind, Wake, goal_bit
from recoup.processes.engine.compiled import CompiledNode, Goal, Graph, Move
from recoup.processes.engine.entry import Candidate, EntryKeys, entry_keys
from recoup.processes.engine.happenings import SUBJECT_EVENTS
from recoup.processes.engine.nodes.base import Workshop
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.engine.nodes.wait import WaitDocument
from recoup.processes.engine.records import Facts
from recoup.processes.engine.times import parse_span
from recoup.processes.graph.document import Entry, ProcessDocument, doc_hash
from recoup.processes.graph.entries import ENTRIES
from recoup.segments.to_python import compile_test
from recoup.segments.tree import All, comparisons, needs_of


def number_nodes(document: ProcessDocument, previous: Mapping[str, int] | None = None) -> dict[str, int]:
    """Give every block a small number, from 1.

    Blocks of earlier versions keep theirs, also those that were deleted: no number and no id is ever used
    again.
    """
    numbers = dict(previous or {})
    following = max(numbers.values(), default=0) + 1
    for name in sorted(document.nodes, key=lambda name: (len(name), name)):
        if name not in numbers:
            numbers[name] = following
            following += 1
    return numbers


def before_end_of(document: ProcessDocument, name: str) -> str | None:
    """Return the block of the offer before whose end everybody has waited who comes to a block, if there is one."""
    found: set[str | None] = {None} if name == document.entry.first else set()
    for node in document.nodes.values():
        if name in node.ports.values():
            found.add(node.before_end_of if isinstance(node, WaitDocument) else None)
    return found.pop() if len(found) == 1 else None


def compile_graph(
    document: ProcessDocument,
    *,
    salt: int = 0,
    node_map: Mapping[str, int] | None = None,
    knows_at_once: bool = False,
) -> Graph:
    """Compile a document that `load_process` has accepted. `salt` and `node_map` are those of the process.

    :param knows_at_once: for made-up people, whose visits need not be weighed: deadlines pass to the second.
    """
    numbers = number_nodes(document, node_map)
    goals = tuple(_goal(number, goal.on) for number, goal in enumerate(document.goals))
    goal_mask = sum(goal.wake for goal in goals)
    nodes: list[CompiledNode | None] = [None] * (max(numbers.values()) + 1)
    for name, node in document.nodes.items():
        workshop = Workshop(
            node_id=name,
            number=numbers[name],
            node_map=numbers,
            goals={goal.name: (index, goal.bit) for index, goal in enumerate(goals)},
            anchor=_ANCHORS[document.entry.anchor],
            salt=salt,
            knows_at_once=knows_at_once,
            before_end_of=numbers.get(before_end_of(document, name) or ""),
        )
        nodes[numbers[name]] = KINDS[node.t].build(node, workshop)
    if document.entry.swapped == "end" and wanted_products(document.entry) is not None:
        goal_mask |= Wake.ORDER_CHANGED.value
    event_mask = goal_mask
    needs = int(needs_of(document.entry.condition)) if document.entry.condition is not None else 0
    for compiled in nodes:
        if compiled is not None:
            event_mask |= compiled.mask
            needs |= compiled.needs
    return Graph(
        document=document,
        node_map=numbers,
        nodes=tuple(nodes),
        runs=tuple(node.run if node is not None else _dropped for node in nodes),
        masks=tuple(goal_mask | (node.mask if node is not None else 0) for node in nodes),
        shields=tuple(node.shield if node is not None else None for node in nodes),
        goals=goals,
        goal_mask=goal_mask,
        event_mask=event_mask,
        first=numbers[document.entry.first],
        salt=salt,
        doc_hash=doc_hash(document),
        is_anchored=document.entry.anchor != "entered",
        admits=_admission(document.entry),
        needs=needs,
        wants=wanted_products(document.entry),
        ends_without=document.entry.swapped == "end",
        looks_again=ENTRIES[document.entry.on].looks_again,
    )


def _goal(number: int, name: str) -> Goal:
    event = SUBJECT_EVENTS[name]
    return Goal(name, goal_bit(number), event.wake.value, event.goal_code.value, event.read)


def keys_for(graph: Graph, candidate: Candidate, *, group: str = "") -> EntryKeys | None:
    """Return the keys under which somebody enters this process, or nothing if it is too soon."""
    entry: Entry = graph.document.entry
    span = parse_span(entry.again_after) if entry.again_after is not None else None
    pause = None if span is None else timedelta(days=span.days) + span.exact
    return entry_keys(candidate, entry.reentry, again_after=pause, group=group or entry.group)


def _admission(entry: Entry) -> Callable[[Facts, datetime], bool]:
    return compile_test(entry.condition) if entry.condition is not None else _everybody


def wanted_products(entry: Entry) -> Callable[[Collection[str]], bool] | None:
    """Return what tells whether an order holds the products that an entry asks for, or nothing if it asks for none.

    Only what is asked of products alone counts, beside whatever else must hold.
    """
    condition = entry.condition
    if condition is None or entry.subject is not SubjectKind.ORDER:
        return None
    parts = condition.all if isinstance(condition, All) else [condition]
    tests = [compile_test(part) for part in parts if all(one.f == _PRODUCTS for one in comparisons(part))]
    if not tests:
        return None
    return lambda products: all(test(_Seen(_Goods(products)), _NO_INSTANT) for test in tests)


class _Goods(NamedTuple):
    """An order of which nothing but its products is known."""

    products: Collection[str]


class _Seen(NamedTuple):
    """What a question about products looks at."""

    order: Any
    cart: Any = None
    contact: Any = None
    details: Any = None
    person: Any = None


_PRODUCTS = "order.products"
_NO_INSTANT = datetime(2000, 1, 1, tzinfo=UTC)  # products are asked for without one


def _everybody(facts: Facts, at: datetime) -> bool:  # noqa: ARG001 - the shape of a condition
    return True


def _dropped(move: Move, facts: Facts, now: datetime) -> int:  # noqa: ARG001 - the shape of a block
    raise LookupError(f"node {move.node} is not in this version")


_ANCHORS: dict[str, Callable[[Facts], datetime | None]] = {
    "entered": lambda _: None,
    "placed_at": lambda facts: facts.order and facts.order.placed_at,
    "last_activity_at": lambda facts: facts.cart and facts.cart.last_activity_at,
}
