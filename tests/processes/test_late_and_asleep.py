"""Workers that come late, machines that sleep, messages that fail."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from recoup.processes import memory_messages
from recoup.processes.engine import advance as advancing
from recoup.processes.engine.codes import Code, State
from recoup.processes.engine.compiled import Move
from recoup.processes.engine.nodes import send
from recoup.processes.engine.records import Facts
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Lane
from tests.processes.worlds import (
    PLACED,
    SEND_TWICE,
    arrival,
    graph_of,
    hours,
    only,
    paid,
    sent_at,
    shipped_graph,
    shop_with,
    told,
)

FAR = PLACED + timedelta(days=60)
FIRST, SECOND = PLACED + hours(24), PLACED + hours(72)


def test_worker_47_minutes_late_makes_the_same_decisions_at_the_same_logical_instants() -> None:
    graph = graph_of(
        {
            "n1": {"t": "wait", "for": "PT6H", "out": {"next": "n2"}},
            "n2": {
                "t": "until",
                "on": {"e": "order.cancelled"},
                "within": "P1D",
                "out": {"yes": "n4", "no": "n3"},
            },
            "n3": {"t": "order_status", "to": "not_confirmed", "out": {"next": "n4"}},
            "n4": {"t": "wait", "at": "10:00", "out": {"next": "n5"}},
            "n5": {"t": "end"},
        },
        goals=[],
    )
    in_time, late = shop_with(graph), shop_with(graph)

    Simulator(in_time, [arrival(PLACED)]).run(FAR)
    Simulator(late, [arrival(PLACED)], lag=lambda _: timedelta(minutes=47)).run(FAR)

    assert told(late) == told(in_time)
    assert [code for _, code, _ in told(late)] == [Code.NO, Code.STATUS_ASKED, Code.COMPLETED]


def test_reminder_by_a_late_worker_is_planned_for_its_own_instant() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED)], lag=lambda _: timedelta(minutes=47)).run(FIRST + hours(1))

    (message,) = store.messages.values()
    assert (message.effect.planned_at, message.queued_at) == (FIRST, FIRST + timedelta(minutes=47))
    assert message.effect.not_after == FIRST + hours(24)


def test_late_worker_sends_nothing_after_a_payment_that_came_after_the_deadline() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    paid_at = FIRST + timedelta(minutes=20)

    Simulator(store, [arrival(PLACED), paid(paid_at)], lag=lambda _: timedelta(minutes=47)).run(FAR)

    assert store.messages == {}
    assert told(store) == [("n1", Code.GOAL_PAID, paid_at)]


def test_second_reminder_comes_48_hours_after_the_first_was_really_sent() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED)], lane=Lane(lag=hours(9))).run(FAR)

    assert sent_at(store) == [("first", FIRST + hours(9)), ("second", FIRST + hours(9 + 48 + 9))]


def test_laptop_that_slept_past_the_first_reminder_spaces_the_second_from_the_real_sending() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    woke = FIRST + hours(20)

    Simulator(store, [arrival(PLACED)], asleep=[(FIRST - hours(1), woke)]).run(FAR)

    assert sent_at(store) == [("first", woke), ("second", woke + hours(48))]


def test_laptop_that_slept_for_a_week_sends_no_old_reminder_and_no_two_at_once() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    woke = PLACED + timedelta(days=7, hours=3)

    Simulator(store, [arrival(PLACED)], asleep=[(PLACED + hours(1), woke)]).run(FAR)

    assert [(node, code) for node, code, _ in told(store)] == [
        ("n1", Code.NO),
        ("n4", Code.SKIPPED_EXPIRED),
        ("n6", Code.SKIPPED_EXPIRED),
        ("n8", Code.QUEUED),
        ("n9", Code.COMPLETED),
    ]
    assert sent_at(store) == [("order_reminder_3", woke)]


def test_laptop_that_fell_asleep_over_a_queued_reminder_keeps_the_distance() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    asleep, woke = FIRST + hours(1), PLACED + timedelta(days=7, hours=3)

    Simulator(store, [arrival(PLACED)], lane=Lane(lag=hours(2)), asleep=[(asleep, woke)]).run(FAR)

    instants = [at for _, at in sent_at(store)]
    assert instants == [woke]  # the last one alone was still good; the others were skipped
    assert [message.outcome for message in store.messages.values()] == [Code.SKIPPED_EXPIRED, Code.SENT]
    assert only(store).state == State.COMPLETED


@pytest.mark.parametrize("sleeps_for", range(0, 260, 13))
def test_two_messages_are_never_closer_than_the_wait_between_them(sleeps_for: int) -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    begins = PLACED + hours(20)
    asleep = [(begins, begins + hours(sleeps_for))]

    Simulator(store, [arrival(PLACED)], asleep=asleep).run(FAR)

    instants = [at for _, at in sent_at(store)]
    assert all(later - earlier >= hours(47) for earlier, later in pairwise(instants))
    assert all(
        message.sent_at < message.effect.not_after for message in store.messages.values() if message.sent_at
    )
    assert only(store).state == State.COMPLETED


def test_without_the_real_instant_of_sending_two_messages_would_be_too_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def settle(move: Move, facts: Facts, now: datetime, done: int, failed: int) -> int:
        return (
            done
            if facts.messages[move.last_message_step or 0].settled_at
            else stay(move, facts, now, done, failed)
        )

    stay = send._settle
    monkeypatch.setattr(send, "_settle", settle)
    store = shop_with(shipped_graph("unpaid_order"))

    Simulator(store, [arrival(PLACED)], asleep=[(PLACED + hours(20), PLACED + hours(47))]).run(FAR)

    instants = [at for _, at in sent_at(store)]
    assert min(later - earlier for earlier, later in pairwise(instants)) == hours(25)


def test_payment_learnt_on_waking_wins_over_every_timer_of_the_night() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    paid_at, woke = FIRST + hours(2), FIRST + hours(10)

    Simulator(store, [arrival(PLACED), paid(paid_at)], asleep=[(FIRST - hours(1), woke)]).run(FAR)

    assert (sent_at(store), told(store)) == ([], [("n1", Code.GOAL_PAID, paid_at)])


def test_payment_at_the_instant_of_the_reminder_wins() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED), paid(FIRST)]).run(FAR)

    assert (sent_at(store), told(store)) == ([], [("n1", Code.GOAL_PAID, FIRST)])


def test_payment_while_the_message_is_queued_stops_it() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    paid_at = FIRST + hours(1)

    Simulator(store, [arrival(PLACED), paid(paid_at)], lane=Lane(lag=hours(2))).run(FAR)

    assert sent_at(store) == []
    assert told(store) == [("n2", Code.QUEUED, FIRST), ("n2", Code.GOAL_PAID, paid_at)]
    assert [message.outcome for message in store.messages.values()] == [Code.SKIPPED_STOPPED]


def test_message_that_was_not_sent_leaves_the_hours_of_the_sequence_as_they_were() -> None:
    def fate(enrolment_id: int, step_no: int, now: datetime) -> Code:
        return Code.SKIPPED_CONSENT if step_no == 1 else Code.SENT

    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED)], lane=Lane(lag=hours(3), fate=fate)).run(FAR)

    assert sent_at(store) == [("second", SECOND + hours(3))]


def test_refused_message_leaves_by_its_own_port_if_there_is_one() -> None:
    nodes = dict(SEND_TWICE)
    nodes["n2"] = {"t": "send", "template": "first", "out": {"done": "n3", "failed": "n5"}}
    outcomes = {}
    for code in (Code.FAILED_REFUSED, Code.SKIPPED_CONSENT, Code.SENT):
        store = shop_with(graph_of(nodes))

        Simulator(store, [arrival(PLACED)], lane=Lane(fate=lambda *_, code=code: code)).run(FAR)

        outcomes[code] = len(store.messages)
    assert outcomes == {Code.FAILED_REFUSED: 1, Code.SKIPPED_CONSENT: 2, Code.SENT: 2}


def test_uncertain_message_is_waited_for_until_its_time_is_over_and_never_sent_again() -> None:
    def fate(enrolment_id: int, step_no: int, now: datetime) -> Code:
        return Code.UNCERTAIN if step_no == 1 else Code.SENT

    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED)], lane=Lane(fate=fate)).run(FIRST + hours(23))
    during = only(store)
    Simulator(store, lane=Lane(fate=fate)).run(FAR)

    assert (during.node, during.run_at) == (2, FIRST + hours(24))
    assert [message.outcome for message in store.messages.values()] == [Code.UNCERTAIN, Code.SENT]
    assert sent_at(store)[1] == ("second", FIRST + hours(48))


def test_sender_that_is_down_for_days_strands_nobody() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED)], lane=Lane(lag=timedelta(days=3))).run(PLACED + timedelta(days=3))
    waiting = only(store)
    Simulator(store, lane=Lane(lag=timedelta(days=3))).run(FAR)

    assert (waiting.state, waiting.node) == (State.WAITING, 2)
    assert waiting.run_at is not None
    assert waiting.run_at > PLACED + timedelta(days=3)
    assert only(store).state == State.COMPLETED


def test_without_goal_and_last_look_a_payer_would_be_reminded(monkeypatch: pytest.MonkeyPatch) -> None:
    def played() -> list[tuple[str, datetime]]:
        store = shop_with(graph_of(dict(SEND_TWICE)))
        Simulator(store, [arrival(PLACED), paid(FIRST + hours(1))], lane=Lane(lag=hours(2))).run(FAR)
        return sent_at(store)

    protected = played()
    monkeypatch.setattr(advancing, "_meet_goal", lambda *_: False)
    by_last_look_alone = played()
    monkeypatch.setattr(memory_messages, "refusal", lambda _: None)
    unprotected = played()

    assert (protected, by_last_look_alone) == ([], [])
    assert [template for template, _ in unprotected] == ["first", "second"]
