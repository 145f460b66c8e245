"""Waits of every kind, in the zone of the person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recoup.processes.engine.codes import Code, State
from recoup.processes.engine.records import Facts
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind
from tests.processes.worlds import ORDER, PLACED, arrival, graph_of, hours, only, order_facts, shop_with, told

FAR = PLACED + timedelta(days=400)


def play(wait: dict[str, Any], facts: Facts | None = None, **entry: Any) -> MemoryStore:
    """Return a shop in which one order went through one wait."""
    nodes = {"n1": {"t": "wait", "out": {"next": "n2"}} | wait, "n2": {"t": "end"}}
    changes = {"entry": {"on": "order.unpaid", "first": "n1"} | entry, "goals": []}
    store = shop_with(graph_of(nodes, **changes))
    Simulator(store, [arrival(PLACED, facts)]).run(FAR)
    return store


@pytest.mark.parametrize(
    ("wait", "until"),
    [
        ({"for": "PT48H"}, datetime(2026, 11, 4, 9, 30, tzinfo=UTC)),
        ({"for": "P2D"}, datetime(2026, 11, 4, 9, 30, tzinfo=UTC)),
        ({"at": "10:00"}, datetime(2026, 11, 3, 9, 0, tzinfo=UTC)),  # entered at 10:30 in Warsaw
        ({"at": "11:00"}, datetime(2026, 11, 2, 10, 0, tzinfo=UTC)),
        ({"at": "10:00", "days": ["sat", "sun"]}, datetime(2026, 11, 7, 9, 0, tzinfo=UTC)),
        ({"for": "P2D", "at": "10:30"}, datetime(2026, 11, 4, 9, 30, tzinfo=UTC)),
        ({"for": "P2D", "at": "10:00"}, datetime(2026, 11, 5, 9, 0, tzinfo=UTC)),
        ({"for": "PT1H", "at": "08:00", "days": ["mon"]}, datetime(2026, 11, 9, 7, 0, tzinfo=UTC)),
        ({"date": "order.placed_at", "offset": "P3D"}, datetime(2026, 11, 5, 9, 30, tzinfo=UTC)),
        ({"date": "order.placed_at", "offset": "-P1D"}, PLACED),  # past: does not wait
        ({"date": "promise.until"}, PLACED),  # missing: does not wait
    ],
)
def test_wait_ends_at(wait: dict[str, Any], until: datetime) -> None:
    assert told(play(wait)) == [("n2", Code.COMPLETED, until)]


def test_wait_for_the_promised_date() -> None:
    promised = PLACED + timedelta(days=9)
    facts = order_facts()._replace(paused_until=promised)

    assert told(play({"date": "promise.until", "offset": "PT1H"}, facts))[0][2] == promised + hours(1)


def test_ten_in_the_morning_is_ten_where_the_person_lives() -> None:
    zones = {"Asia/Tokyo": 1, "Europe/Warsaw": 9, "America/New_York": 15, "Mars/Olympus": 9}

    for zone, hour in zones.items():
        store = play({"for": "P1D", "at": "10:00"}, order_facts(zone=zone))

        assert told(store)[0][2].hour == hour


@pytest.mark.parametrize(
    ("zone", "country", "hour"),
    [
        ("", "JP", 1),  # its one clock
        ("", "US", 20),  # when it is ten in Hawaii, it is at least ten in every state
        ("", "RU", 9),  # too far apart: the shop's
        ("", "", 9),
        ("Asia/Tokyo", "US", 1),  # what they told goes first
    ],
)
def test_who_told_no_zone_waits_by_the_clock_of_their_country(zone: str, country: str, hour: int) -> None:
    store = play({"for": "P1D", "at": "10:00"}, order_facts(zone=zone, country=country))

    assert told(store)[0][2].hour == hour


def test_anchor_shifts_a_wait_with_a_time_of_day_to_the_next_such_time() -> None:
    nodes = {"n1": {"t": "wait", "for": "PT24H", "at": "10:00", "out": {"next": "n2"}}, "n2": {"t": "end"}}
    entry = {"on": "order.unpaid", "first": "n1", "anchor": "placed_at"}
    store = shop_with(graph_of(nodes, entry=entry, goals=[]))

    Simulator(store, [arrival(PLACED + hours(50))]).run(FAR)

    assert told(store)[0][2] == datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
    assert only(store).anchor_shift == hours(26)


@pytest.mark.parametrize("wait", [{"at": "10:00"}, {"date": "promise.until"}])
def test_anchor_means_nothing_to_a_wait_without_a_span(wait: dict[str, Any]) -> None:
    store = play(wait, order_facts(PLACED - timedelta(days=3)), anchor="placed_at")

    assert only(store).anchor_shift is None
    assert told(store) == told(play(wait))


def test_spurious_wake_changes_neither_deadline_nor_ledger() -> None:
    nodes = {"n1": {"t": "wait", "for": "P2D", "out": {"next": "n2"}}, "n2": {"t": "end"}}
    store = shop_with(graph_of(nodes))
    noise = [Change(PLACED + hours(n), ORDER, 1, ChangeKind.PROMISED, PLACED) for n in range(1, 40)]

    Simulator(store, [arrival(PLACED), *noise]).run(PLACED + hours(45))
    waiting = only(store)
    store.enrolments[1] = waiting._replace(state=int(State.READY), run_at=store.clock)
    store._put(store.enrolments[1])
    Simulator(store).run(PLACED + hours(45))

    assert only(store) == waiting
    assert store.ledger == []


def test_ring_of_three_rounds_ends_by_its_own_port() -> None:
    nodes = {
        "n1": {"t": "wait", "for": "P1D", "max_rounds": 3, "out": {"next": "n2", "over": "n3"}},
        "n2": {"t": "send", "template": "again", "out": {"done": "n1"}},
        "n3": {"t": "end"},
    }
    store = shop_with(graph_of(nodes))

    Simulator(store, [arrival(PLACED)]).run(FAR)

    days = [PLACED + timedelta(days=number) for number in (1, 2, 3)]
    assert [message.sent_at for message in store.sent()] == days
    assert told(store)[-2:] == [("n1", Code.ROUNDS_OVER, days[-1]), ("n3", Code.COMPLETED, days[-1])]
    assert only(store).variables == {"1": 3}
