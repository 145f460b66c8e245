"""Reminders rest while payment is promised or a person handles the order (E8, E12)."""

from datetime import timedelta

from recoup.processes.engine.codes import Code, State
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind
from tests.processes.worlds import (
    ORDER,
    PLACED,
    SEND_TWICE,
    arrival,
    graph_of,
    hours,
    only,
    paid,
    sent_at,
    shop_with,
    told,
)

FAR = PLACED + timedelta(days=60)
FIRST = PLACED + hours(24)
PROMISED = PLACED + timedelta(days=3)


def promise(at_hours: float, until: object = PROMISED) -> Change:
    """Return the setting of a promised date."""
    at = PLACED + hours(at_hours)
    return Change(at, ORDER, 1, ChangeKind.PROMISED, at, until)  # type: ignore[arg-type]


def hold(at_hours: float, kind: ChangeKind = ChangeKind.HELD) -> Change:
    """Return the taking, or giving back, of an order by a person."""
    at = PLACED + hours(at_hours)
    return Change(at, ORDER, 1, kind, at)


def test_promise_puts_the_reminder_off_until_its_date_and_then_the_next_step_comes() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED), promise(2)]).run(FAR)

    assert sent_at(store) == [("first", PROMISED), ("second", PROMISED + hours(48))]
    assert told(store)[:2] == [("n2", Code.DEFERRED_PROMISE, FIRST), ("n2", Code.QUEUED, PROMISED)]


def test_promise_that_is_over_before_the_reminder_changes_nothing() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED), promise(2, PLACED + hours(20))]).run(FAR)

    assert [at for _, at in sent_at(store)] == [FIRST, FIRST + hours(48)]
    assert [code for _, code, _ in told(store)] == [Code.QUEUED, Code.QUEUED, Code.COMPLETED]


def test_promise_is_prolonged_and_leaves_one_line() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    later = PROMISED + timedelta(days=2)

    Simulator(store, [arrival(PLACED), promise(2), promise(50, later)]).run(FAR)

    assert sent_at(store)[0] == ("first", later)
    assert [code for _, code, _ in told(store)][:2] == [Code.DEFERRED_PROMISE, Code.QUEUED]


def test_promise_that_is_taken_back_lets_the_reminder_go_at_once() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED), promise(2), promise(60, None)]).run(FAR)

    assert sent_at(store)[0] == ("first", PLACED + hours(60))


def test_order_in_somebodys_hands_is_not_reminded_for_weeks_and_strands_nobody() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED), hold(2)]).run(PLACED + timedelta(days=30))

    enrolment = only(store)
    assert (enrolment.state, enrolment.node) == (State.WAITING, 2)
    assert enrolment.run_at is not None
    assert told(store) == [("n2", Code.DEFERRED_HELD, FIRST)]


def test_order_given_back_is_reminded_at_once() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    back = 24 * 20 + 5

    Simulator(store, [arrival(PLACED), hold(2), hold(back, ChangeKind.RELEASED)]).run(FAR)

    assert sent_at(store)[0] == ("first", PLACED + hours(back))


def test_payment_ends_what_was_put_off() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    paid_at = PLACED + hours(48)

    Simulator(store, [arrival(PLACED), promise(2), paid(paid_at)]).run(FAR)

    assert sent_at(store) == []
    assert told(store)[-1] == ("n2", Code.GOAL_PAID, paid_at)


def test_thanks_are_not_held() -> None:
    nodes = {
        "n1": {"t": "send", "template": "thanks", "purpose": "thanks", "out": {"done": "n2"}},
        "n2": {"t": "end"},
    }
    store = shop_with(graph_of(nodes))

    Simulator(store, [hold(-1), arrival(PLACED), hold(0)]).run(FAR)

    assert sent_at(store) == [("thanks", PLACED)]
