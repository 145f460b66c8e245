"""What comes next, in words with its time."""

from datetime import UTC, datetime, timedelta

from recoup.processes.engine.codes import Code
from recoup.processes.graph.next_step import NextStep, describe_next
from recoup.processes.graph.wording import WORDS
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, Lane
from tests.processes.engine.test_until import opened_chain
from tests.processes.worlds import (
    ORDER,
    PLACED,
    SEND_TWICE,
    arrival,
    graph_of,
    hours,
    only,
    order_facts,
    paid,
    shipped_graph,
    shop_with,
)

UNLESS = (
    "process.unless.order.paid",
    "process.unless.order.cancelled",
    "process.unless.contact.ordered_again",
    "process.unless.case.closed",
)


def next_of(store: MemoryStore) -> NextStep:
    """Tell what comes next for the one enrolment of a shop."""
    enrolment = only(store)
    return describe_next(
        store.graphs[enrolment.version_id], enrolment, store.facts_of(enrolment), store.clock
    )


def test_second_reminder_tomorrow_unless_paid() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(50))

    assert next_of(store) == NextStep(
        "process.next.reminder", PLACED + hours(72), 2, 3, "email", "order_reminder_2", unless=UNLESS
    )


def test_somebody_who_has_just_entered_is_told_of_the_first_reminder() -> None:
    store = shop_with(shipped_graph("unpaid_order"), PLACED)
    store.enter(arrival(PLACED + hours(1), order_facts(is_offline_method=True)))

    step = next_of(store)

    assert (step.word, step.at, step.ordinal) == ("process.next.reminder", PLACED + hours(120), 1)


def test_wait_for_a_time_of_day_is_looked_through() -> None:
    nodes = dict(SEND_TWICE) | {"n3": {"t": "wait", "for": "P1D", "at": "10:00", "out": {"next": "n4"}}}
    store = shop_with(graph_of(nodes))
    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(25))

    assert next_of(store).at == datetime(2026, 11, 5, 9, 0, tzinfo=UTC)


def test_question_on_the_way_joins_what_may_prevent_it() -> None:
    store = shop_with(opened_chain())
    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(2))

    step = next_of(store)

    assert (step.at, step.ordinal, step.total) == (PLACED + timedelta(days=1), 2, 2)
    assert step.unless == ("process.unless.order.paid", "process.unless.message.opened")


def test_message_on_its_way_held_promised_and_over() -> None:
    graph = graph_of(dict(SEND_TWICE))
    sending, held, promised, over = (shop_with(graph) for _ in range(4))
    at, date = PLACED + hours(1), PLACED + timedelta(days=3)
    Simulator(sending, [arrival(PLACED)], lane=Lane(lag=hours(5))).run(PLACED + hours(25))
    Simulator(held, [arrival(PLACED), Change(at, ORDER, 1, ChangeKind.HELD, at)]).run(PLACED + hours(2))
    Simulator(promised, [arrival(PLACED), Change(at, ORDER, 1, ChangeKind.PROMISED, at, date)]).run(at)
    Simulator(over, [arrival(PLACED), paid(at)]).run(PLACED + hours(2))

    assert next_of(sending).word == "process.next.sending"
    assert next_of(sending).at == PLACED + hours(24)
    assert (next_of(held).word, next_of(held).at) == ("process.next.held", None)
    assert (next_of(promised).word, next_of(promised).at) == ("process.next.promised", date)
    assert next_of(over) == NextStep("process.next.over")


def test_somebody_put_off_is_still_told_of_the_same_reminder() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    at = PLACED + hours(1)
    Simulator(store, [arrival(PLACED), Change(at, ORDER, 1, ChangeKind.HELD, at)]).run(PLACED + hours(90))

    assert (next_of(store).word, next_of(store).ordinal) == ("process.next.held", 1)


def test_control_group_thanks_status_end_and_pause_have_their_words() -> None:
    control = shop_with(graph_of(dict(SEND_TWICE)), PLACED)
    control.enter(arrival(PLACED, holdout_bp=9_999))
    words = {next_of(control).word}
    for node in (
        {"t": "send", "template": "x", "purpose": "thanks", "out": {"done": "n2"}},
        {"t": "order_status", "to": "unpaid", "out": {"next": "n2"}},
        {"t": "wait", "for": "P1D", "out": {"next": "n2"}},
    ):
        store = shop_with(graph_of({"n1": node, "n2": {"t": "end"}}), PLACED)
        store.enter(arrival(PLACED))
        words.add(next_of(store).word)
    store.pause(7)
    Simulator(store).run(PLACED)
    words.add(next_of(store).word)

    expected = {"suppressed", "thanks", "order_status", "end", "paused"}
    assert words == {f"process.next.{word}" for word in expected}
    assert words <= set(WORDS)


def test_what_is_told_is_what_then_happens() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    told = []
    Simulator(store, [arrival(PLACED + hours(2))]).run(PLACED + hours(2))
    for _ in range(3):
        step = next_of(store)
        told.append((step.template, step.at))
        Simulator(store).run(step.at or PLACED)

    assert told == [(message.effect.template, message.sent_at) for message in store.sent()]
    assert only(store).step_no == 5
    assert store.ledger[-1][1].outcome == Code.COMPLETED
