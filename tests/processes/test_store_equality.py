"""The store in PostgreSQL and the one in memory make the same decisions in random worlds (engine 16.1)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recoup.processes.engine.codes import Code
from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import Facts
from recoup.processes.facts import facts_of
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.reading import read_document
from recoup.processes.memory import MemoryStore
from recoup.processes.memory_rows import Line
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, Lane, News, Reply
from tests.processes.drawn import (
    END_OF_TIME,
    OTHER,
    OTHER_VERSION,
    WANTS_SOAP,
    documents,
    worlds,
    worlds_of_people,
)
from tests.processes.postgres_world import PostgresWorld, arrivals_of
from tests.processes.test_random_worlds import fate, play
from tests.processes.worlds import (
    CONTACT,
    ORDER,
    PLACED,
    PROCESS,
    SEND_TWICE,
    VERSION,
    arrival,
    document,
    hours,
    order_facts,
    paid,
    shop_with,
)
from tests.support.sizes import how_many

pytestmark = [pytest.mark.django_db, pytest.mark.faults]
SLOW = settings(
    max_examples=how_many(6, 100),
    deadline=None,
    suppress_health_check=[
        HealthCheck.filter_too_much,
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
    ],
)
START = PLACED - timedelta(days=30)


def play_on_postgres(raw: ProcessDocument, news: list[News], **how: Any) -> list[Line]:
    """Play a world to its end on the real store, return its journal and leave nothing behind."""
    lag = how.pop("lane_lag", 0)
    with transaction.atomic(), scopes_disabled():
        other, ranks = how.pop("other", None), how.pop("ranks", (0, 0))
        second = (other, compile_graph(other, salt=9)) if other is not None else None
        world = PostgresWorld(raw, compile_graph(raw, salt=9), START, news, other=second, ranks=ranks)
        simulator = Simulator(world, news, lane=Lane(lag=timedelta(minutes=lag), fate=fate), **how)
        simulator.run(END_OF_TIME)
        journal = world.journal()
        transaction.set_rollback(True)
    assert simulator.errors == []
    return journal


@SLOW
@given(documents(with_offers=False), worlds(), st.integers(0, 300), st.integers(0, 100), st.integers(1, 3))
def test_both_stores_make_the_same_journal(
    raw: ProcessDocument, news: list[News], lag: int, lane_lag: int, batch: int
) -> None:
    # The same batches for both: an engine that looks late takes along what is due by then, so with other batches it
    # would look at other instants.
    how: dict[str, Any] = {
        "lag": lambda _: timedelta(minutes=lag),
        "lane_lag": lane_lag,
        "batch": lambda: batch,
    }

    on_postgres = play_on_postgres(raw, news, **how)

    assert on_postgres == play(raw, news, **how).journal()


@SLOW
@given(documents(about=CONTACT), worlds_of_people(), st.integers(0, 300), st.integers(0, 100))
def test_both_stores_make_the_same_journal_of_people_without_an_order(
    raw: ProcessDocument, news: list[News], lag: int, lane_lag: int
) -> None:
    how: dict[str, Any] = {"lag": lambda _: timedelta(minutes=lag), "lane_lag": lane_lag}

    on_postgres = play_on_postgres(raw, news, **how)

    assert on_postgres == play(raw, news, **how).journal()


GROUPS = st.sampled_from([None, "asked", "asked"])
REENTRIES = st.sampled_from(["per_subject", "once_per_contact", "one_at_a_time"])


@st.composite
def two_documents(draw: st.DrawFn) -> tuple[ProcessDocument, ProcessDocument]:
    """Draw two processes that put people into each other, and may be of one exclusive group."""
    group = draw(GROUPS)
    more: dict[str, Any] = {} if group is None else {"group": group}
    both: dict[str, Any] = {"processes": (PROCESS, OTHER), "with_offers": False, **more}
    first, other = (draw(documents(**both, reentry=draw(REENTRIES))) for _ in range(2))
    return first, other


@SLOW
@given(two_documents(), worlds(processes=(PROCESS, OTHER)), st.sampled_from([(0, 0), (0, 1), (1, 0)]))
def test_both_stores_make_the_same_journal_of_two_processes_at_once(
    raws: tuple[ProcessDocument, ProcessDocument], news: list[News], ranks: tuple[int, int]
) -> None:
    on_postgres = play_on_postgres(raws[0], news, other=raws[1], ranks=ranks, batch=lambda: 1)

    assert on_postgres == play_two(raws, news, ranks).journal()


def play_two(
    raws: tuple[ProcessDocument, ProcessDocument], news: list[News], ranks: tuple[int, int]
) -> MemoryStore:
    """Play a world with two processes, whose doors are open from the beginning, in memory."""
    store = shop_with(compile_graph(raws[0], salt=9))
    store.graphs[OTHER_VERSION] = compile_graph(raws[1], salt=9)
    store.ranks = {PROCESS: ranks[0], OTHER: ranks[1]}
    store._versions = {PROCESS: VERSION, OTHER: OTHER_VERSION}
    store._shares = {one.candidate.process_id: (one.holdout_bp, 0) for one in arrivals_of(news)}
    simulator = Simulator(store, news, lane=Lane(fate=fate), batch=lambda: 1)
    simulator.run(END_OF_TIME)
    assert simulator.errors == []
    return store


def test_a_store_that_lets_a_weaker_process_keep_somebody_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of two processes at once: without taking over, the stronger one gets nobody."""
    entry = {"on": "order.unpaid", "first": "n1", "group": "asked"}
    raw = read_document(document(dict(SEND_TWICE), entry=entry))
    come = arrival(PLACED, subject_id=1, contact_id=1)
    later = replace(come.candidate, process_id=OTHER, version_id=OTHER_VERSION, entered_at=PLACED + hours(5))
    news: list[News] = [come, replace(come, at=PLACED + hours(5), candidate=later)]
    ranks = (0, 1)
    journal = play_two((raw, raw), news, ranks).journal()
    assert Code.STOPPED_PREEMPTED in {line.outcome for line in journal}
    assert play_on_postgres(raw, news, other=raw, ranks=ranks, batch=lambda: 1) == journal

    monkeypatch.setattr("recoup.processes.entering.preempt", lambda _: 0)

    assert play_on_postgres(raw, news, other=raw, ranks=ranks, batch=lambda: 1) != journal


@pytest.mark.parametrize("ranks", [(0, 1), (1, 0)])
def test_exchanged_goods_come_to_the_door_of_the_stronger_process_first(ranks: tuple[int, int]) -> None:
    """Nobody enters a weaker process only to be taken out of it in the same moment."""
    entry = {"on": "order.placed", "first": "n1", "group": "asked", "if": WANTS_SOAP}
    nodes = {"n1": {"t": "wait", "for": "PT5H", "out": {"next": "n2"}}, "n2": {"t": "end"}}
    raw = read_document(document(nodes, entry=entry))
    come = arrival(PLACED, order_facts(products=("wax",)), subject_id=1, contact_id=1)
    other = replace(come.candidate, process_id=OTHER, version_id=OTHER_VERSION)
    exchange = Change(PLACED + hours(2), ORDER, 1, ChangeKind.SWAPPED, PLACED + hours(1), products=("soap",))
    news: list[News] = [come, replace(come, candidate=other), exchange]

    journal = play_on_postgres(raw, news, other=raw, ranks=ranks, batch=lambda: 1)

    assert {line.process_id for line in journal} == {OTHER if ranks == (0, 1) else PROCESS}
    assert journal == play_two((raw, raw), news, ranks).journal()


def test_a_store_that_overlooks_answers_of_other_programs_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The control of answers: a call that was taken is no call that nobody took."""
    tell = {"t": "webhook", "endpoint": 1, "within": "P1D", "out": {"ok": "n2", "failed": "n2"}}
    raw = read_document(document({"n1": tell, "n2": {"t": "end"}}))
    taken = Reply(PLACED + hours(2), ORDER, 1, "n1", Code.YES)
    news: list[News] = [arrival(PLACED, subject_id=1, contact_id=1), taken]
    assert play_on_postgres(raw, news) == play(raw, news).journal()

    monkeypatch.setattr(
        "recoup.processes.answers._CALLS", "SELECT 1, 1, 1, 'x', now() WHERE %s::bigint[] IS NULL"
    )

    assert play_on_postgres(raw, news) != play(raw, news).journal()


def test_a_store_that_overlooks_payments_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with one fact taken out, the equality fails."""
    raw = read_document(document(dict(SEND_TWICE)))
    news: list[News] = [arrival(PLACED, subject_id=1, contact_id=1), paid(PLACED + hours(30))]
    assert play_on_postgres(raw, news) == play(raw, news).journal()

    def blind(row: Any, graph: Graph) -> Facts:
        facts = facts_of(row, graph)
        assert facts.order is not None
        return facts._replace(order=facts.order._replace(paid_at=None))

    monkeypatch.setattr("recoup.processes.store.facts_of", blind)

    assert play_on_postgres(raw, news) != play(raw, news).journal()
