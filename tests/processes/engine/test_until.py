"""A question with a deadline (D10, D13, J5, J6)."""

from datetime import datetime, timedelta

import pytest

from recoup.processes.engine.codes import MOST_GOALS, Code, Flag, State, Wake, goal_bit
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.happenings import SUBJECT_EVENTS
from recoup.processes.engine.nodes.until import WEIGHED_WITHIN
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, Lane, News, Visit
from tests.processes.worlds import (
    ORDER,
    PLACED,
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
DEADLINE = PLACED + timedelta(days=2)


def thanks_or_reminder(**question: object) -> Graph:
    """Return: paid within two days? yes, thanks; no, a reminder."""
    until = {"t": "until", "on": {"e": "order.paid"}, "within": "PT48H", "out": {"yes": "n2", "no": "n4"}}
    return graph_of(
        {
            "n1": until | question,
            "n2": {"t": "send", "template": "thanks", "purpose": "thanks", "out": {"done": "n3"}},
            "n3": {"t": "goal", "on": "order.paid"},
            "n4": {"t": "send", "template": "reminder", "out": {"done": "n5"}},
            "n5": {"t": "end"},
        }
    )


def test_payment_within_the_window_is_a_yes_at_once() -> None:
    store = shop_with(thanks_or_reminder())
    paid_at = PLACED + hours(3)

    Simulator(store, [arrival(PLACED), paid(paid_at)]).run(FAR)

    assert sent_at(store) == [("thanks", paid_at)]
    assert told(store) == [
        ("n1", Code.YES, paid_at),
        ("n2", Code.QUEUED, paid_at),
        ("n3", Code.GOAL_PAID, paid_at),
    ]
    assert only(store).state == State.EXITED


def test_no_payment_is_a_no_at_the_deadline() -> None:
    store = shop_with(thanks_or_reminder())

    Simulator(store, [arrival(PLACED)]).run(FAR)

    assert sent_at(store) == [("reminder", DEADLINE)]
    assert told(store)[0] == ("n1", Code.NO, DEADLINE)


def test_payment_at_the_second_of_the_deadline_is_a_yes_and_no_reminder() -> None:
    store = shop_with(thanks_or_reminder())

    Simulator(store, [arrival(PLACED), paid(DEADLINE)]).run(FAR)

    assert sent_at(store) == [("thanks", DEADLINE)]
    assert told(store)[0] == ("n1", Code.YES, DEADLINE)


def test_payment_that_came_in_time_wins_although_the_worker_was_down_over_the_deadline() -> None:
    store = shop_with(thanks_or_reminder())
    paid_at = DEADLINE - timedelta(minutes=1)
    asleep = [(PLACED + hours(40), DEADLINE + timedelta(hours=5))]

    Simulator(store, [arrival(PLACED), paid(paid_at)], asleep=asleep).run(FAR)

    assert told(store)[0] == ("n1", Code.YES, paid_at)
    assert [template for template, _ in sent_at(store)] == ["thanks"]


def test_payment_after_the_deadline_of_a_block_that_no_worker_saw_before_ends_by_the_goal() -> None:
    store = shop_with(thanks_or_reminder())
    paid_at = DEADLINE + timedelta(minutes=20)
    asleep = [(PLACED, DEADLINE + timedelta(hours=5))]

    Simulator(store, [arrival(PLACED), paid(paid_at)], asleep=asleep).run(FAR)

    assert told(store) == [("n1", Code.GOAL_PAID, paid_at)]


def test_payment_after_the_deadline_ends_by_the_goal_even_before_a_late_worker_said_no() -> None:
    store = shop_with(thanks_or_reminder())
    paid_at = DEADLINE + timedelta(minutes=20)

    Simulator(store, [arrival(PLACED), paid(paid_at)], lag=lambda _: timedelta(minutes=47)).run(FAR)

    assert (sent_at(store), told(store)) == ([], [("n1", Code.GOAL_PAID, paid_at)])


def test_clock_of_the_shop_that_is_ahead_does_not_hide_a_payment() -> None:
    store = shop_with(thanks_or_reminder())
    learnt_at = DEADLINE - hours(1)

    Simulator(store, [arrival(PLACED), paid(DEADLINE + hours(9), learnt_at=learnt_at)]).run(FAR)

    assert told(store)[0] == ("n1", Code.YES, learnt_at)


@pytest.mark.parametrize(("earlier", "code"), [(True, Code.YES), (False, Code.NO)])
def test_tick_also_if_before_entering(earlier: bool, code: Code) -> None:
    question = {"t": "until", "on": {"e": "order.cancelled"}, "within": "P1D", "earlier": earlier}
    graph = graph_of(
        {
            "n1": {"t": "wait", "for": "PT5H", "out": {"next": "n2"}},
            "n2": question | {"out": {"yes": "n3", "no": "n3"}},
            "n3": {"t": "end"},
        },
        goals=[],
    )
    store = shop_with(graph)
    cancelled_at = PLACED + hours(1)

    Simulator(
        store, [arrival(PLACED), Change(cancelled_at, ORDER, 1, ChangeKind.CANCELLED, cancelled_at)]
    ).run(FAR)

    at = PLACED + hours(5) if earlier else PLACED + hours(29)
    assert told(store)[0] == ("n2", code, at)


def test_a_block_that_counts_only_later_payments_leaves_earlier_ones_to_the_goal() -> None:
    store = shop_with(thanks_or_reminder(earlier=False))
    news: list[News] = [arrival(PLACED), paid(PLACED - hours(1), learnt_at=PLACED + hours(1))]

    Simulator(store, news).run(FAR)

    assert (sent_at(store), told(store)) == ([], [("n1", Code.GOAL_PAID, PLACED)])


def opened_chain(**ports: str) -> Graph:
    """Return: first message, opened within a day? no, a second message."""
    return graph_of(
        {
            "n1": {"t": "send", "template": "first", "out": {"done": "n2"}},
            "n2": {
                "t": "until",
                "on": {"e": "message.opened", "ref": "n1"},
                "within": "P1D",
                "out": {"yes": "n4", "no": "n3"} | ports,
            },
            "n3": {"t": "send", "template": "second", "out": {"done": "n4"}},
            "n4": {"t": "end"},
        }
    )


def test_second_message_goes_only_to_those_who_did_not_open_the_first() -> None:
    quiet, keen = shop_with(opened_chain()), shop_with(opened_chain())
    opened_at = PLACED + hours(20)

    Simulator(quiet, [arrival(PLACED)]).run(FAR)
    Simulator(keen, [arrival(PLACED), Visit(opened_at, ORDER, 1, "n1")]).run(FAR)

    asked_at = (
        PLACED + timedelta(days=1) + WEIGHED_WITHIN
    )  # who opened it in the last second is known by then
    assert sent_at(quiet) == [("first", PLACED), ("second", asked_at)]
    assert sent_at(keen) == [("first", PLACED)]
    assert told(keen)[1] == ("n2", Code.YES, opened_at)


def test_the_day_to_open_counts_from_the_real_sending() -> None:
    store = shop_with(opened_chain())

    Simulator(store, [arrival(PLACED)], lane=Lane(lag=hours(8))).run(FAR)

    assert told(store)[1] == ("n2", Code.NO, PLACED + hours(8) + timedelta(days=1))


def never_sent(enrolment_id: int, step_no: int, now: datetime) -> Code:
    """Refuse the first message."""
    return Code.SKIPPED_CONSENT if step_no == 1 else Code.SENT


def test_never_sent_is_not_the_same_as_not_opened() -> None:
    by_default, by_port = shop_with(opened_chain()), shop_with(opened_chain(unsent="n4"))

    for store in (by_default, by_port):
        Simulator(store, [arrival(PLACED)], lane=Lane(fate=never_sent)).run(FAR)

    assert told(by_default)[1] == told(by_port)[1] == ("n2", Code.NOT_SENT, PLACED)
    assert (len(by_default.messages), len(by_port.messages)) == (2, 1)


def test_control_group_waits_for_the_opening_like_everybody() -> None:
    store = shop_with(opened_chain())

    Simulator(store, [arrival(PLACED, holdout_bp=9_999)]).run(FAR)

    assert [(node, at) for node, _, at in told(store)] == [
        ("n1", PLACED),
        ("n2", PLACED + timedelta(days=1)),
        ("n3", PLACED + timedelta(days=1)),
        ("n4", PLACED + timedelta(days=1)),
    ]


def test_taken_goal_does_not_wake_again_and_the_others_still_do() -> None:
    graph = graph_of(
        {
            "n1": {
                "t": "until",
                "on": {"e": "order.paid"},
                "within": "P2D",
                "out": {"yes": "n2", "no": "n3"},
            },
            "n2": {"t": "wait", "for": "P1D", "out": {"next": "n3"}},
            "n3": {"t": "end"},
        },
        goals=[{"on": "order.paid"}, {"on": "order.cancelled"}],
    )
    store = shop_with(graph)
    paid_at, cancelled_at = PLACED + hours(1), PLACED + hours(2)

    Simulator(store, [arrival(PLACED), paid(paid_at)]).run(paid_at)
    waiting = only(store)
    Simulator(store, [Change(cancelled_at, ORDER, 1, ChangeKind.CANCELLED, cancelled_at)]).run(FAR)

    assert waiting.wait_mask == Wake.CANCELLED
    assert waiting.flags >> 4 == 1
    assert told(store) == [("n1", Code.YES, paid_at), ("n2", Code.GOAL_CANCELLED, cancelled_at)]


def test_flags_of_goals_do_not_touch_the_others() -> None:
    assert not any(flag.value & goal_bit(index) for flag in Flag for index in range(MOST_GOALS))
    assert all(flag.value < 1 << 15 for flag in Flag)  # the column is a smallint
    assert len(SUBJECT_EVENTS) <= MOST_GOALS


def test_earliest_of_several_goals_ends_it_and_at_one_instant_the_first_of_the_document() -> None:
    goals = [{"on": "order.paid"}, {"on": "order.cancelled"}, {"on": "case.closed"}]
    graph = graph_of(
        {"n1": {"t": "wait", "for": "P9D", "out": {"next": "n2"}}, "n2": {"t": "end"}}, goals=goals
    )
    cancelled_at, paid_at = PLACED + hours(2), PLACED + hours(3)
    asleep = [(PLACED + hours(1), PLACED + hours(9))]

    def ended_by(cancelled: datetime, closed: datetime) -> tuple[str, Code, datetime]:
        store = shop_with(graph)
        news: list[News] = [
            arrival(PLACED),
            paid(paid_at),
            Change(cancelled, ORDER, 1, ChangeKind.CANCELLED, cancelled),
            Change(closed, ORDER, 1, ChangeKind.CASE_CLOSED, closed),
        ]
        Simulator(store, news, asleep=asleep).run(FAR)
        (line,) = told(store)
        return line

    assert ended_by(cancelled_at, paid_at) == ("n1", Code.GOAL_CANCELLED, cancelled_at)
    assert ended_by(paid_at, paid_at) == ("n1", Code.GOAL_PAID, paid_at)
