"""The store in memory refuses what the tables refuse, and one bad row stops nobody."""

from datetime import timedelta
from typing import Any

import pytest

from recoup.processes.engine.advance import advance
from recoup.processes.engine.batch import Batch, advance_all, run_batch
from recoup.processes.engine.codes import Code, Priority, State, Wake
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.endings import stop
from recoup.processes.engine.records import Outcome, Step
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.reading import read_document
from recoup.processes.memory import MemoryStore
from recoup.processes.memory_rows import BrokenPromise
from recoup.processes.simulator import Simulator
from tests.processes.worlds import (
    PLACED,
    SEND_TWICE,
    arrival,
    document,
    graph_of,
    hours,
    only,
    order_facts,
    paid,
    sent_at,
    shop_with,
    told,
)

FAR = PLACED + timedelta(days=60)


def entered() -> MemoryStore:
    """Return a shop with one enrolment at its first wait."""
    store = shop_with(graph_of(dict(SEND_TWICE)))
    Simulator(store, [arrival(PLACED)]).run(PLACED)
    return store


@pytest.mark.parametrize(
    ("changes", "steps", "message"),
    [
        ({"run_at": None}, (), "stranded"),
        ({"state": State.COMPLETED.value}, (), "stranded"),
        ({"step_no": 2}, (Step(2, 1, Code.YES, PLACED),), "gap"),
        ({"step_no": 1}, (), "gap"),
        ({"step_no": 2}, (Step(1, 1, 20, FAR), Step(2, 1, 20, PLACED)), "time runs back"),
    ],
)
def test_store_refuses_what_no_table_would_take(changes: dict[str, Any], steps: Any, message: str) -> None:
    store = entered()
    bad = Outcome(only(store)._replace(**changes), steps, ())

    with pytest.raises(BrokenPromise, match=message):
        store.save([bad], PLACED)


def test_same_outcome_saved_twice_is_refused() -> None:
    store = entered()
    enrolment = only(store)
    outcome = advance(store.graphs[enrolment.version_id], enrolment, store.facts_of(enrolment), FAR)
    store.save([outcome], FAR)

    with pytest.raises(BrokenPromise):
        store.save([outcome], FAR)


def poisoned_graph() -> Graph:
    """Return a graph whose first block raises for one order."""
    graph = graph_of(dict(SEND_TWICE))
    healthy = graph.runs[1]

    def run(move: Any, facts: Any, now: Any) -> int:
        if facts.order.method == "poison":
            raise ZeroDivisionError
        return healthy(move, facts, now)

    object.__setattr__(graph, "runs", (graph.runs[0], run, *graph.runs[2:]))
    return graph


def test_one_poisoned_enrolment_is_put_off_and_failed_and_stops_nobody() -> None:
    store = shop_with(poisoned_graph())
    bad = arrival(PLACED, order_facts(method="poison"), subject_id=1, contact_id=1)
    news = [bad, arrival(PLACED, subject_id=2, contact_id=2)]

    simulator = Simulator(store, news)
    simulator.run(PLACED + timedelta(minutes=84))
    still = store.enrolments[1]
    simulator.run(FAR)

    assert (still.state, still.attempt, still.run_at) == (State.READY, 4, PLACED + timedelta(minutes=85))
    assert (store.enrolments[1].state, store.enrolments[2].state) == (State.FAILED, State.COMPLETED)
    assert [type(error) for _, error in simulator.errors] == [ZeroDivisionError] * 5
    assert [Code(step.outcome) for owner, step in store.ledger if owner == 1] == [Code.FAILED_ERROR]


def test_block_that_is_not_in_the_version_is_an_error_of_that_row() -> None:
    store = entered()
    lost = only(store)._replace(node=0)
    due = [(store.graphs[lost.version_id], lost, store.facts_of(lost))]

    batch = advance_all(due, PLACED)  # type: ignore[arg-type]

    assert isinstance(batch, Batch)
    assert [type(error) for _, error in batch.errors] == [LookupError]


def test_ring_without_a_wait_that_slipped_through_is_stopped() -> None:
    ask = {"t": "if", "if": {"f": "order.is_paid", "op": "=", "v": True}}
    nodes = {"n1": ask | {"out": {"yes": "n3", "no": "n2"}}, "n2": ask | {"out": {"yes": "n3", "no": "n1"}}}
    graph = compile_graph(read_document(document(nodes | {"n3": {"t": "end"}})))
    store = shop_with(graph)

    Simulator(store, [arrival(PLACED)]).run(FAR)

    assert only(store).state == State.FAILED
    assert store.ledger[-1][1].outcome == Code.FAILED_LOOP
    assert len(store.ledger) == 102


def test_hundred_blocks_in_a_row_are_no_ring() -> None:
    ask = {"t": "if", "if": {"f": "order.is_paid", "op": "=", "v": True}}
    nodes = {f"n{n}": ask | {"out": {"yes": f"n{n + 1}", "no": f"n{n + 1}"}} for n in range(1, 100)}
    store = shop_with(graph_of(nodes | {"n100": {"t": "end"}}))

    Simulator(store, [arrival(PLACED)]).run(FAR)

    assert only(store).state == State.COMPLETED


def test_long_sleep_over_many_rounds_is_no_ring_either() -> None:
    nodes = {
        "n1": {"t": "wait", "for": "P1D", "max_rounds": 20, "out": {"next": "n2", "over": "n3"}},
        "n2": {"t": "send", "template": "again", "out": {"done": "n4"}},
        "n3": {"t": "end"},
    }
    for number in range(4, 12):  # more than a hundred blocks in all rounds together
        way = {"yes": f"n{number + 1}", "no": f"n{number + 1}"} if number < 11 else {"yes": "n1", "no": "n1"}
        nodes[f"n{number}"] = {"t": "if", "if": {"f": "order.is_paid", "op": "=", "v": True}, "out": way}
    store = shop_with(graph_of(nodes))

    asleep = [(PLACED + hours(1), PLACED + timedelta(days=300))]
    Simulator(store, [arrival(PLACED)], asleep=asleep).run(PLACED + timedelta(days=400))

    assert only(store).state == State.COMPLETED
    assert sent_at(store) == []


def test_woken_go_before_timers() -> None:
    graph = graph_of(dict(SEND_TWICE))
    store = shop_with(graph)
    Simulator(store, [arrival(PLACED, subject_id=n, contact_id=n) for n in (1, 2)]).run(PLACED + hours(3))
    store.clock = PLACED + hours(25)
    store.apply(paid(store.clock, subject_id=2))

    picked = [due.enrolment.subject_id for due in store.pick(1, store.clock)]

    assert picked == [2]
    assert store.enrolments[2].prio == Priority.WOKEN


def test_wake_reaches_only_those_who_listen() -> None:
    store = entered()

    assert store.wake([(1, 1, Wake.REPLIED.value), (1, 2, Wake.PAID.value)], PLACED) == 0  # type: ignore[list-item]
    assert store.wake([(1, 1, Wake.PAID.value)], PLACED) == 1  # type: ignore[list-item]


def test_paused_process_keeps_everybody_where_they_stand_and_loses_nobody() -> None:
    store = entered()
    store.pause(7)
    Simulator(store).run(PLACED + hours(30))
    paused = only(store)
    store.resume(7)
    Simulator(store).run(FAR)

    assert (paused.state, paused.run_at, paused.due_at) == (State.PAUSED, None, PLACED + hours(24))
    assert sent_at(store)[0] == ("first", PLACED + hours(30))
    assert only(store).state == State.COMPLETED


def test_stopped_enrolment_sends_nothing_more_and_stopping_twice_is_one_line() -> None:
    store = entered()
    store.clock = PLACED + hours(5)
    store.stop(1, Code.STOPPED_BY_HAND)
    store.stop(1, Code.STOPPED_BY_HAND)
    Simulator(store).run(FAR)

    assert told(store) == [("n1", Code.STOPPED_BY_HAND, PLACED + hours(5))]
    assert (store.messages, only(store).state) == ({}, State.CANCELLED)
    assert advance(store.graphs[70], only(store), store.facts_of(only(store)), FAR) == Outcome(
        only(store), (), ()
    )
    assert stop(only(store), Code.STOPPED_ERASED, FAR).steps == ()


def test_preview_plays_the_next_day_of_living_enrolments_and_leaves_them_alone() -> None:
    store = entered()
    preview = shop_with(store.graphs[70], store.clock)
    preview.adopt(only(store), store.facts_of(only(store)))

    Simulator(preview).run(PLACED + hours(24))

    assert sent_at(preview) == [("first", PLACED + hours(24))]
    assert (only(store).node, store.messages) == (1, {})


def test_batch_of_nothing_does_nothing() -> None:
    assert run_batch(shop_with(graph_of(dict(SEND_TWICE)))) == 0
