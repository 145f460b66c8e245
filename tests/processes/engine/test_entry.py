"""Who may enter, and the stable chance of the control group."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recoup.processes.engine.bucket import bucket, is_held_out
from recoup.processes.engine.codes import Flag, State
from recoup.processes.engine.entry import Candidate, Reentry, begin, entry_keys, key_of
from recoup.processes.graph.compiling import keys_for
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Arrival
from tests.processes.worlds import (
    PLACED,
    arrival,
    candidate,
    cart_facts,
    graph_of,
    hours,
    order_facts,
    shop_with,
)

HERE = candidate(PLACED)
DAY = timedelta(days=1)
BRIEF: dict[str, Any] = {"n1": {"t": "tag", "add": ["seen"], "out": {"next": "n2"}}, "n2": {"t": "end"}}


def same(reentry: Reentry, other: Candidate, **options: Any) -> tuple[bool, bool]:
    """Tell whether two candidates collide by their entry key and by their active key."""
    mine, theirs = entry_keys(HERE, reentry, **options), entry_keys(other, reentry, **options)
    assert mine is not None
    assert theirs is not None
    return mine.entry_key == theirs.entry_key, mine.active_key == theirs.active_key


@pytest.mark.parametrize(
    ("reentry", "again", "other_order", "other_person"),
    [
        (Reentry.ONCE_PER_CONTACT, (True, True), (True, True), (False, False)),
        (Reentry.PER_SUBJECT, (True, True), (False, False), (True, True)),
        (Reentry.ONE_AT_A_TIME, (False, True), (False, True), (False, False)),
        (Reentry.EVERY_EVENT, (False, False), (False, False), (False, False)),
    ],
)
def test_policy_decides_what_collides(
    reentry: Reentry,
    again: tuple[bool, bool],
    other_order: tuple[bool, bool],
    other_person: tuple[bool, bool],
) -> None:
    assert same(reentry, HERE) == (True, True)  # the same news told twice
    assert same(reentry, replace(HERE, event_id=2)) == again
    assert same(reentry, replace(HERE, event_id=2, subject_id=2)) == other_order
    assert same(reentry, replace(HERE, event_id=2, contact_id=12)) == other_person


def test_again_after_some_days_is_refused_too_soon_and_collides_with_itself_alone() -> None:
    def keys(days: int, last: int | None) -> object:
        ended = None if last is None else PLACED + last * DAY
        there = replace(HERE, entered_at=PLACED + days * DAY, last_ended_at=ended, event_id=days)
        return entry_keys(there, Reentry.AGAIN_AFTER, again_after=30 * DAY)

    assert keys(0, None) == keys(1, None)  # two deliveries of the first time: one index entry
    assert keys(29, 0) is None
    assert keys(30, 0) == keys(31, 0)
    assert keys(30, 0) != keys(0, None)
    assert keys(90, 40) != keys(30, 0)


def test_group_lets_a_person_be_in_one_process_of_it() -> None:
    mine = entry_keys(HERE, Reentry.PER_SUBJECT, group="recovery")
    other = entry_keys(replace(HERE, process_id=8, subject_id=2), Reentry.PER_SUBJECT, group="recovery")
    alone = entry_keys(HERE, Reentry.PER_SUBJECT)

    assert mine is not None
    assert other is not None
    assert alone is not None
    assert (mine.group_key == other.group_key, alone.group_key) == (True, None)


def test_keys_are_signed_64_bit_and_the_same_on_every_machine() -> None:
    assert key_of("subject", 1, 1) == -4727164549855619613
    assert all(-(2**63) <= key_of("contact", number) < 2**63 for number in range(1_000))


def test_keys_of_a_graph_follow_its_document() -> None:
    entry = {
        "on": "order.unpaid",
        "first": "n1",
        "reentry": "again_after",
        "again_after": "P30D",
        "group": "g",
    }
    graph = graph_of(BRIEF, entry=entry)

    assert keys_for(graph, HERE) == entry_keys(HERE, Reentry.AGAIN_AFTER, again_after=30 * DAY, group="g")


def test_order_enters_once_however_often_it_is_told() -> None:
    store = shop_with(graph_of(BRIEF))

    Simulator(store, [arrival(PLACED), arrival(PLACED), arrival(PLACED + hours(1))]).run(PLACED + DAY)

    assert len(store.enrolments) == 1


def test_person_may_come_again_once_the_first_time_has_ended() -> None:
    entry = {"on": "order.unpaid", "first": "n1", "reentry": "one_at_a_time"}
    store = shop_with(
        graph_of({"n1": {"t": "wait", "for": "P1D", "out": {"next": "n2"}}, "n2": {"t": "end"}}, entry=entry)
    )
    news = [arrival(PLACED + number * hours(16), subject_id=number + 1) for number in range(4)]

    Simulator(store, news).run(PLACED + 9 * DAY)

    assert [enrolment.subject_id for enrolment in store.enrolments.values()] == [1, 3]


def test_enrolment_begins_ready_at_its_logical_instant() -> None:
    graph = graph_of(BRIEF, entry={"on": "order.unpaid", "first": "n1", "anchor": "placed_at"})

    enrolment = begin(graph, replace(HERE, is_test=True), holdout_bp=9_999)

    assert (enrolment.state, enrolment.run_at, enrolment.node_at) == (State.READY, PLACED, PLACED)
    assert enrolment.flags == Flag.ANCHORED | Flag.TEST  # a test is never held out


def test_cart_of_somebody_whom_the_door_refuses_does_not_enter() -> None:
    condition = {"not": {"f": "cart.item_count", "op": ">", "v": 1}}
    entry = {"on": "cart.abandoned", "first": "n1", "if": condition}
    store = shop_with(graph_of(BRIEF, entry=entry, goals=[]))

    assert store.enter(Arrival(PLACED, HERE, cart_facts())) is None
    other = replace(HERE, subject_id=2)
    assert store.enter(Arrival(PLACED, other, order_facts())) is not None  # no cart: the comparison is false


def test_bucket_is_the_same_for_ever() -> None:
    assert [bucket(5, 0, contact) for contact in (1, 2, 3)] == [
        bucket(5, 0, contact) for contact in (1, 2, 3)
    ]
    assert (bucket(5, 0, 1), bucket(6, 0, 1), bucket(5, 3, 1)) == (4126, 3833, 5104)


@pytest.mark.parametrize("share", [0, 500, 1_000, 5_000])
def test_hold_out_takes_its_share(share: int) -> None:
    held = sum(is_held_out(42, contact, share) for contact in range(20_000))

    assert abs(held - share * 2) <= 5 * (share * 2 + 1) ** 0.5


def test_arms_of_two_blocks_are_independent() -> None:
    both = sum(bucket(1, 3, contact) < 5_000 and bucket(1, 4, contact) < 5_000 for contact in range(20_000))

    assert abs(both - 5_000) < 350
