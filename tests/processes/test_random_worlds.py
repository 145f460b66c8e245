"""Random valid graphs in random worlds: nobody loops, nobody is stranded, nobody who paid is reminded."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recoup.processes.engine.bucket import bucket
from recoup.processes.engine.codes import Code, State, is_final
from recoup.processes.engine.nodes.table import KINDS
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.entries import ENTRIES
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, Lane, News
from tests.processes.drawn import (
    END_OF_TIME,
    ENTRIES_OF,
    blocks_by_kind,
    documents,
    rings,
    worlds,
    worlds_of_carts,
    worlds_of_people,
)
from tests.processes.worlds import CART, CONTACT, ORDER, PLACED, arrival, hours, shop_with
from tests.support.sizes import how_many


def fate(enrolment_id: int, step_no: int, now: datetime) -> Code:
    """Let messages end in every way, always the same."""
    ends = [Code.SENT] * 6 + [Code.SKIPPED_CONSENT, Code.FAILED_REFUSED, Code.UNCERTAIN]
    return ends[bucket(0, step_no, enrolment_id) % len(ends)]


def play(raw: ProcessDocument, news: list[News], **how: Any) -> MemoryStore:
    """Play a world to its end."""
    store = shop_with(compile_graph(raw, salt=9))
    lag = how.pop("lane_lag", 0)
    simulator = Simulator(store, news, lane=Lane(lag=timedelta(minutes=lag), fate=fate), most=2_000, **how)
    simulator.run(END_OF_TIME)
    assert simulator.errors == []
    return store


pytestmark = pytest.mark.faults
SLOW = settings(
    max_examples=how_many(30, 300),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def test_every_kind_of_block_and_entry_is_drawn() -> None:
    """Whoever adds one adds it here, so that what is promised of random graphs is promised of it too."""
    somewhere = st.just("n1")
    kinds = blocks_by_kind(somewhere, somewhere, somewhere)

    assert {"end", *(kind for kind, drawn in kinds.items() if drawn)} == set(KINDS)
    assert {entry["on"] for entries in ENTRIES_OF.values() for entry in entries} == set(ENTRIES)


PLAYED = st.one_of(
    st.tuples(documents(), worlds()),
    st.tuples(documents(), worlds()),
    st.tuples(documents(about=CART), worlds_of_carts()),
    st.tuples(documents(about=CONTACT), worlds_of_people()),
)


@SLOW
@given(PLAYED, st.integers(0, 300), st.integers(0, 100))
def test_everybody_reaches_one_end_and_time_never_runs_back(
    played: tuple[ProcessDocument, list[News]], lag: int, lane_lag: int
) -> None:
    raw, news = played
    asleep = [(PLACED + hours(30), PLACED + hours(30 + lag))]

    store = play(raw, news, lag=lambda _: timedelta(minutes=lag), lane_lag=lane_lag, asleep=asleep)

    assert all(is_final(enrolment.state) for enrolment in store.enrolments.values())
    for number, enrolment in store.enrolments.items():
        steps = [step for owner, step in store.ledger if owner == number]
        assert enrolment.state in (State.COMPLETED, State.EXITED)
        assert [step.step_no for step in steps] == list(range(1, len(steps) + 1))
        assert [Code(step.outcome).is_exit for step in steps] == [False] * (len(steps) - 1) + [True]
        assert all(later.at >= earlier.at for earlier, later in pairwise(steps))
        assert steps[0].at >= enrolment.entered_at


@settings(SLOW, max_examples=how_many(60, 600))
@given(rings())
def test_whatever_leads_round_and_may_be_published_comes_to_an_end(raw: ProcessDocument) -> None:
    store = play(raw, [arrival(PLACED)])

    assert [enrolment.state for enrolment in store.enrolments.values()] == [State.COMPLETED]


@SLOW
@given(documents(), worlds(), st.integers(0, 300))
def test_nobody_is_reminded_after_the_payment_is_known(
    raw: ProcessDocument, news: list[News], lag: int
) -> None:
    store = play(raw, news, lag=lambda _: timedelta(minutes=lag), lane_lag=lag // 3)

    known = {
        change.subject_id: change.at
        for change in sorted((n for n in news if isinstance(n, Change)), key=lambda n: n.at, reverse=True)
        if change.kind is ChangeKind.PAID
    }
    late = [
        message
        for message in store.sent()
        if message.effect.purpose == "reminder"
        and message.sent_at is not None
        and message.sent_at >= known.get(store.enrolments[message.enrolment_id].subject_id, END_OF_TIME)
    ]
    assert late == []


@SLOW
@given(documents(), worlds(), st.data())
def test_decisions_do_not_depend_on_the_size_of_batches(
    raw: ProcessDocument, news: list[News], data: st.DataObject
) -> None:
    sizes = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    turn = iter(range(10**9))

    one_by_one = play(raw, news, batch=lambda: sizes[next(turn) % len(sizes)])

    assert one_by_one.journal() == play(raw, news).journal()


@SLOW
@given(documents(), worlds(), st.lists(st.integers(0, 24 * 60), max_size=8))
def test_wake_for_nothing_changes_no_decision(
    raw: ProcessDocument, news: list[News], noise: list[int]
) -> None:
    nothing = [
        Change(PLACED + timedelta(minutes=20 * at), ORDER, order, ChangeKind.DUE, PLACED)  # of no sum
        for at in noise
        for order in (1, 2, 3)
    ]
    quiet = play(raw, news)
    store = shop_with(compile_graph(raw, salt=9))
    store.wake = _wake_everybody(store)  # type: ignore[method-assign]
    Simulator(store, [*news, *nothing], lane=Lane(fate=fate)).run(END_OF_TIME)

    assert store.journal() == quiet.journal()


def _wake_everybody(store: MemoryStore) -> Any:
    def wake(wake_ups: Any, now: datetime) -> int:
        return sum(
            store._wake_one(enrolment._replace(wait_mask=-1), -1, now)
            for enrolment in list(store.enrolments.values())
            if not is_final(enrolment.state)
        )

    return wake
