"""The store in PostgreSQL and the one in memory make the same decisions in random worlds (engine 16.1)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recoup.processes.engine.compiled import Graph
from recoup.processes.engine.records import Facts
from recoup.processes.facts import facts_of
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.reading import read_document
from recoup.processes.memory_rows import Line
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Lane, News
from tests.processes.postgres_world import PostgresWorld
from tests.processes.test_random_worlds import (
    END_OF_TIME,
    documents,
    documents_about_people,
    fate,
    play,
    worlds,
    worlds_of_people,
)
from tests.processes.worlds import PLACED, SEND_TWICE, arrival, document, hours, paid
from tests.support.sizes import how_many

pytestmark = [pytest.mark.django_db, pytest.mark.faults]
SLOW = settings(
    max_examples=how_many(10, 100),
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
        world = PostgresWorld(raw, compile_graph(raw, salt=9), START, news)
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
@given(documents_about_people(), worlds_of_people(), st.integers(0, 300), st.integers(0, 100))
def test_both_stores_make_the_same_journal_of_people_without_an_order(
    raw: ProcessDocument, news: list[News], lag: int, lane_lag: int
) -> None:
    how: dict[str, Any] = {"lag": lambda _: timedelta(minutes=lag), "lane_lag": lane_lag}

    on_postgres = play_on_postgres(raw, news, **how)

    assert on_postgres == play(raw, news, **how).journal()


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
