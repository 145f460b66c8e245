"""Small graphs, facts and simulated shops for the tests of processes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.entry import Candidate
from recoup.processes.engine.records import Enrolment, Facts
from recoup.processes.facts import contact_facts
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.validation import load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.shipped import shipped_process
from recoup.processes.worlds import Arrival, Change, ChangeKind
from recoup.segments.facts import CartFacts, ContactFacts, OrderFacts

PLACED = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)  # a Monday
ORDER, CART, CONTACT = int(SubjectKind.ORDER), int(SubjectKind.CART), int(SubjectKind.CONTACT)
PROCESS, VERSION = 7, 70


def hours(count: float) -> timedelta:
    """Return a span of hours."""
    return timedelta(hours=count)


def order_facts(
    placed_at: datetime = PLACED,
    *,
    zone: str = "Europe/Warsaw",
    country: str = "",
    total: str = "120.00",
    **changes: Any,
) -> Facts:
    """Return an unpaid order by card."""
    due = Decimal(total)
    order = OrderFacts(placed_at, due, due, "PLN", "card", False, "soft", "unpaid")
    return Facts(
        order=order._replace(**changes), contact=contact_facts(zone, "pl", country, "Europe/Warsaw", "PL")
    )


def cart_facts(last_activity_at: datetime = PLACED) -> Facts:
    """Return a cart with two things in it."""
    cart = CartFacts(last_activity_at, Decimal("80.00"), "PLN", 2)
    return Facts(cart=cart, contact=ContactFacts("Europe/Warsaw", "pl", "Europe/Warsaw"))


def document(nodes: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a raw document on unpaid orders with the goal that reminders need."""
    return {
        "schema": 1,
        "name": "Test",
        "entry": {"on": "order.unpaid", "first": "n1"},
        "goals": [{"on": "order.paid"}],
        "nodes": dict(nodes),
    } | changes


def graph_of(nodes: Mapping[str, Any], **changes: Any) -> Graph:
    """Return a compiled graph."""
    return compile_graph(load_process(document(nodes, **changes)))


def shipped_graph(key: str) -> Graph:
    """Return a compiled shipped process."""
    return compile_graph(shipped_process(key))


def candidate(
    entered_at: datetime, *, subject_kind: int = ORDER, subject_id: int = 1, contact_id: int = 11
) -> Candidate:
    """Return somebody at the door."""
    return Candidate(
        shop_id=1,
        process_id=PROCESS,
        version_id=VERSION,
        contact_id=contact_id,
        subject_kind=subject_kind,
        subject_id=subject_id,
        event_id=subject_id,
        entered_at=entered_at,
    )


def arrival(entered_at: datetime, facts: Facts | None = None, *, holdout_bp: int = 0, **who: int) -> Arrival:
    """Return the entering of an order that was placed then, or of the given facts."""
    return Arrival(entered_at, candidate(entered_at, **who), facts or order_facts(), holdout_bp)


def paid(at: datetime, *, learnt_at: datetime | None = None, subject_id: int = 1) -> Change:
    """Return the payment of an order."""
    return Change(learnt_at or at, ORDER, subject_id, ChangeKind.PAID, at)


def shop_with(graph: Graph, start: datetime = PLACED - timedelta(days=30)) -> MemoryStore:
    """Return a simulated shop with one process."""
    store = MemoryStore(start)
    store.graphs[VERSION] = graph
    return store


def only(store: MemoryStore) -> Enrolment:
    """Return the one enrolment of a shop."""
    (enrolment,) = store.enrolments.values()
    return enrolment


def told(store: MemoryStore) -> list[tuple[str, Code, datetime]]:
    """Return the ledger as block, outcome and logical instant."""
    return [(line.node_id, Code(line.outcome), line.at) for line in store.journal()]


def sent_at(store: MemoryStore) -> list[tuple[str, datetime]]:
    """Return what went out: the text and the instant."""
    return [(message.effect.template, message.sent_at) for message in store.sent() if message.sent_at]


SEND_TWICE: Sequence[tuple[str, Any]] = (
    ("n1", {"t": "wait", "for": "PT24H", "out": {"next": "n2"}}),
    ("n2", {"t": "send", "template": "first", "out": {"done": "n3"}}),
    ("n3", {"t": "wait", "for": "PT48H", "out": {"next": "n4"}}),
    ("n4", {"t": "send", "template": "second", "out": {"done": "n5"}}),
    ("n5", {"t": "end"}),
)
