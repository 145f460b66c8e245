"""Print how many advances a second one core makes: a wait that is over, then a reminder queued.

Run `python -m bench.advance_rate`. The figure matters in proportion to the database work of a step alone.
"""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from recoup.processes.engine.advance import advance
from recoup.processes.engine.codes import State
from recoup.processes.engine.entry import Candidate, begin
from recoup.processes.engine.records import Enrolment, Facts, MessageFacts
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.shipped import shipped_process
from recoup.segments.facts import ContactFacts, OrderFacts

ROUNDS = 7
ROWS = 50_000
PLACED = datetime(2026, 11, 1, 12, tzinfo=UTC)


def main() -> None:
    """Measure what makes up nearly all work: wait to send, and settled message to next wait."""
    graph = compile_graph(shipped_process("unpaid_order"))
    order = (
        PLACED,
        Decimal(100),
        Decimal(100),
        "PLN",
        "card",
        False,
        "soft",
        "unpaid",
        None,
        None,
        None,
        None,
        None,
    )
    contact = ("Europe/Warsaw", "pl", "Europe/Warsaw")
    facts = Facts(OrderFacts(*order), None, ContactFacts(*contact))
    first = begin(graph, Candidate(1, 1, 1, 1, 1, 1, 1, PLACED + timedelta(hours=1)), holdout_bp=0)
    waiting = advance(graph, first, facts, PLACED + timedelta(hours=1)).enrolment
    due = PLACED + timedelta(hours=24)
    queued = advance(graph, waiting, facts, due).enrolment
    assert (queued.state, queued.last_message_step) == (State.WAITING, 2), queued
    sent = facts._replace(messages={2: MessageFacts(queued.node, 11, due, due)})
    report("wait to send", graph, waiting, facts, due)
    report("settled to next wait", graph, queued, sent, due)
    started = time.perf_counter()
    for _ in range(ROWS):
        tuple.__new__(Enrolment, waiting)
        parts = (tuple.__new__(OrderFacts, order), None, tuple.__new__(ContactFacts, contact), {})
        tuple.__new__(Facts, (*parts, None, None, None, None))
    print(f"records from a row: {ROWS / (time.perf_counter() - started):,.0f}/s")


def report(name: str, graph, enrolment, facts, now) -> None:
    """Print the median rate of one kind of advance."""
    rates = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(ROWS):
            advance(graph, enrolment, facts, now)
        rates.append(ROWS / (time.perf_counter() - started))
    print(f"{name}: {sorted(rates)[ROUNDS // 2]:,.0f}/s")


if __name__ == "__main__":
    main()
