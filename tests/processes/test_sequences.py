"""The shipped sequences, played in virtual time."""

from datetime import UTC, datetime, timedelta

import pytest

from recoup.processes.engine.codes import Code, Flag, State
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, News
from tests.processes.worlds import (
    CART,
    ORDER,
    PLACED,
    arrival,
    cart_facts,
    hours,
    only,
    order_facts,
    paid,
    sent_at,
    shipped_graph,
    shop_with,
    told,
)

FAR = PLACED + timedelta(days=60)


def test_unpaid_order_is_reminded_after_24_hours_72_hours_and_7_days() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    news: list[News] = [arrival(PLACED + hours(1))]

    Simulator(store, news).run(FAR)

    assert sent_at(store) == [
        ("order_reminder_1", PLACED + hours(24)),
        ("order_reminder_2", PLACED + hours(72)),
        ("order_reminder_3", PLACED + timedelta(days=7)),
    ]
    assert told(store) == [
        ("n1", Code.NO, PLACED + hours(1)),
        ("n4", Code.QUEUED, PLACED + hours(24)),
        ("n6", Code.QUEUED, PLACED + hours(72)),
        ("n8", Code.QUEUED, PLACED + timedelta(days=7)),
        ("n9", Code.COMPLETED, PLACED + timedelta(days=7)),
    ]
    assert only(store).state == State.COMPLETED


def test_hours_count_from_the_order_wherever_the_case_opens_before_the_first_step() -> None:
    for opened_after in (0, 1, 12, 24):
        store = shop_with(shipped_graph("unpaid_order"))

        Simulator(store, [arrival(PLACED + hours(opened_after))]).run(FAR)

        assert [at - PLACED for _, at in sent_at(store)] == [hours(24), hours(72), hours(168)]
        assert only(store).anchor_shift is None


def test_case_that_opens_late_shifts_every_step_by_the_difference() -> None:
    store = shop_with(shipped_graph("unpaid_order"))

    Simulator(store, [arrival(PLACED + hours(30))]).run(FAR)

    assert [at - PLACED for _, at in sent_at(store)] == [hours(30), hours(78), hours(174)]
    assert only(store).anchor_shift == hours(6)


def test_bank_transfer_gets_time_to_arrive() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    facts = order_facts(method="bacs", is_offline_method=True)

    Simulator(store, [arrival(PLACED + hours(72), facts)]).run(FAR)

    assert [at - PLACED for _, at in sent_at(store)] == [hours(120), hours(168), hours(264)]


def test_seven_days_keep_the_time_of_day_over_a_clock_change() -> None:
    placed = datetime(2027, 3, 25, 9, 0, tzinfo=UTC)  # 10:00 in Warsaw, summer time begins on the 28th
    store = shop_with(shipped_graph("unpaid_order"), placed)

    Simulator(store, [arrival(placed, order_facts(placed))]).run(placed + timedelta(days=60))

    assert [at for _, at in sent_at(store)] == [
        datetime(2027, 3, 26, 9, 0, tzinfo=UTC),
        datetime(2027, 3, 28, 9, 0, tzinfo=UTC),  # 72 hours are 72 hours: 11:00
        datetime(2027, 4, 1, 9, 0, tzinfo=UTC),
    ]


def test_order_without_anything_due_does_not_enter() -> None:
    store = shop_with(shipped_graph("unpaid_order"))

    Simulator(store, [arrival(PLACED, order_facts(total="0.00"))]).run(FAR)

    assert (store.enrolments, store.ledger) == ({}, [])


def test_cart_is_followed_up_after_1_hour_1_day_and_3_days() -> None:
    store = shop_with(shipped_graph("abandoned_cart"))

    Simulator(store, [arrival(PLACED + hours(1), cart_facts(), subject_kind=CART)]).run(FAR)

    assert sent_at(store) == [
        ("cart_reminder_1", PLACED + hours(1)),
        ("cart_reminder_2", PLACED + timedelta(days=1)),
        ("cart_reminder_3", PLACED + timedelta(days=3)),
    ]


def test_purchase_after_two_hours_cancels_the_rest_of_the_cart_sequence() -> None:
    store = shop_with(shipped_graph("abandoned_cart"))
    bought = PLACED + hours(2)
    news: list[News] = [
        arrival(PLACED + hours(1), cart_facts(), subject_kind=CART),
        Change(bought, CART, 1, ChangeKind.CONVERTED, bought),
    ]

    Simulator(store, news).run(FAR)

    assert sent_at(store) == [("cart_reminder_1", PLACED + hours(1))]
    assert told(store)[-1] == ("n3", Code.GOAL_CONVERTED, bought)


def test_five_returns_to_the_cart_restart_the_wait_and_send_one_mail() -> None:
    store = shop_with(shipped_graph("abandoned_cart"))
    returns = [PLACED + timedelta(minutes=20 * number) for number in range(1, 6)]
    news: list[News] = [
        arrival(PLACED, cart_facts(), subject_kind=CART),
        *(Change(at, CART, 1, ChangeKind.CART_ACTIVITY, at) for at in returns),
    ]

    Simulator(store, news).run(returns[-1] + hours(2))

    assert sent_at(store) == [("cart_reminder_1", returns[-1] + hours(1))]


def test_return_to_the_cart_after_the_first_mail_does_not_start_again() -> None:
    store = shop_with(shipped_graph("abandoned_cart"))
    back = PLACED + hours(5)
    news: list[News] = [
        arrival(PLACED, cart_facts(), subject_kind=CART),
        Change(back, CART, 1, ChangeKind.CART_ACTIVITY, back),
    ]

    Simulator(store, news).run(FAR)

    assert [at - PLACED for _, at in sent_at(store)] == [hours(1), hours(24), hours(72)]


def test_payment_ends_the_sequence_and_asks_for_nothing_more() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    paid_at = PLACED + hours(30)

    Simulator(store, [arrival(PLACED + hours(1)), paid(paid_at)]).run(FAR)

    assert sent_at(store) == [("order_reminder_1", PLACED + hours(24))]
    assert told(store)[-1] == ("n5", Code.GOAL_PAID, paid_at)
    assert only(store).state == State.EXITED


def test_newer_paid_order_and_closed_case_end_the_sequence() -> None:
    for kind, code in (
        (ChangeKind.SUPERSEDED, Code.GOAL_SUPERSEDED),
        (ChangeKind.CASE_CLOSED, Code.GOAL_CASE_CLOSED),
    ):
        store = shop_with(shipped_graph("unpaid_order"))
        at = PLACED + hours(3)

        Simulator(store, [arrival(PLACED), Change(at, ORDER, 1, kind, at)]).run(FAR)

        assert sent_at(store) == []
        assert told(store)[-1] == ("n3", code, at)


def test_control_group_walks_the_same_way_at_the_same_instants_and_gets_nothing() -> None:
    treated, control = shop_with(shipped_graph("unpaid_order")), shop_with(shipped_graph("unpaid_order"))

    Simulator(treated, [arrival(PLACED)]).run(FAR)
    Simulator(control, [arrival(PLACED, holdout_bp=9_999)]).run(FAR)

    assert only(control).flags & Flag.HOLDOUT
    assert (sent_at(control), control.messages) == ([], {})
    assert [effect.is_suppressed for effect in control.suppressed] == [True, True, True]
    suppressed = {Code.QUEUED: Code.SUPPRESSED}
    assert told(control) == [(node, suppressed.get(code, code), at) for node, code, at in told(treated)]


def test_control_group_is_paid_at_the_same_goal() -> None:
    store = shop_with(shipped_graph("unpaid_order"))
    paid_at = PLACED + hours(30)

    Simulator(store, [arrival(PLACED, holdout_bp=9_999), paid(paid_at)]).run(FAR)

    assert told(store)[-1] == ("n5", Code.GOAL_PAID, paid_at)


@pytest.mark.parametrize("key", ["unpaid_order", "abandoned_cart"])
@pytest.mark.parametrize("ends_after", [1, 23, 25, 70, 100, 200, 400])
def test_who_is_left_alone_has_the_ledger_of_who_is_not_whenever_it_ends(key: str, ends_after: int) -> None:
    journals = []
    for share in (0, 9_999):
        store = shop_with(shipped_graph(key))
        if key == "unpaid_order":
            came = arrival(PLACED, holdout_bp=share)
            end = paid(PLACED + hours(ends_after))
        else:
            came = arrival(PLACED, cart_facts(), holdout_bp=share, subject_kind=CART)
            at = PLACED + hours(ends_after)
            end = Change(at, CART, 1, ChangeKind.CONVERTED, at)

        Simulator(store, [came, end]).run(FAR)

        journals.append((told(store), only(store).state, only(store).node))

    (treated, state, node), (alone, *where) = journals
    suppressed = {Code.QUEUED: Code.SUPPRESSED}
    assert alone == [(name, suppressed.get(code, code), at) for name, code, at in treated]
    assert where == [state, node]
