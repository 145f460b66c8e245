"""Waits of every kind, in the zone of the person."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recoup.processes.engine.codes import Code, Flag, State
from recoup.processes.engine.records import Facts
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind
from tests.processes.worlds import (
    ORDER,
    PLACED,
    arrival,
    document,
    graph_of,
    hours,
    only,
    order_facts,
    shop_with,
    told,
)

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
        (
            {"date": "order.placed_at", "offset": "P3D", "at": "08:00"},
            datetime(2026, 11, 5, 7, 0, tzinfo=UTC),
        ),
        ({"date": "order.placed_at", "at": "20:00"}, datetime(2026, 11, 2, 19, 0, tzinfo=UTC)),
        ({"date": "order.placed_at", "at": "10:00"}, PLACED),  # of that day, and past
        ({"date": "order.paid_at", "offset": "P1D"}, PLACED),  # not paid: does not wait
    ],
)
def test_wait_ends_at(wait: dict[str, Any], until: datetime) -> None:
    assert told(play(wait)) == [("n2", Code.COMPLETED, until)]


def test_wait_for_the_promised_date() -> None:
    promised = PLACED + timedelta(days=9)
    facts = order_facts()._replace(promised_at=promised)

    assert told(play({"date": "promise.until", "offset": "PT1H"}, facts))[0][2] == promised + hours(1)


def test_a_time_of_the_day_that_a_date_gives_is_one_of_the_clock_of_the_person_when_clocks_change() -> None:
    promised = datetime(
        2026, 3, 27, 23, 30, tzinfo=UTC
    )  # 28 March, 0:30 in Warsaw; the clocks change on the 29th
    for offset, wall, hour in (("P1D", "10:00", 8), ("P1D", "02:30", 1), ("-P1D", "10:00", 9)):
        day = 27 if offset.startswith("-") else 29
        facts = order_facts(PLACED - timedelta(days=300))._replace(promised_at=promised)
        nodes = {
            "n1": {"t": "wait", "date": "promise.until", "offset": offset, "at": wall, "out": {"next": "n2"}}
        }
        store = shop_with(graph_of({**nodes, "n2": {"t": "end"}}, goals=[]), PLACED - timedelta(days=300))
        Simulator(store, [arrival(PLACED - timedelta(days=300), facts)]).run(FAR)

        minute = 30 if wall == "02:30" else 0
        assert told(store)[0][2] == datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moved", "until"),
    [
        ([(5, 9)], 8),  # later: the wait follows
        ([(5, 6.5)], 5.5),  # earlier, and still ahead
        ([(5, 3)], 5),  # to before now: nobody knew it then
        ([(5, None)], 5),  # taken back: there is nothing to wait for
        ([(2, 9), (4, 12)], 11),
        ([(5, 9), (8, 4)], 8),  # at the very end
    ],
)
def test_a_wait_follows_its_date(moved: list[tuple[float, float | None]], until: float) -> None:
    nodes = {
        "n1": {"t": "wait", "date": "promise.until", "offset": "-P1D", "out": {"next": "n2"}},
        "n2": {"t": "end"},
    }
    facts = order_facts()._replace(promised_at=PLACED + timedelta(days=7))
    news = [
        Change(
            at := PLACED + timedelta(days=day),
            ORDER,
            1,
            ChangeKind.PROMISED,
            at,
            None if to is None else PLACED + timedelta(days=to),
        )
        for day, to in moved
    ]
    store = shop_with(graph_of(nodes))

    Simulator(store, [arrival(PLACED, facts), *news]).run(FAR)

    assert told(store) == [("n2", Code.COMPLETED, PLACED + timedelta(days=until))]
    assert not only(store).flags & Flag.DATED


def test_somebody_who_takes_the_order_on_moves_no_promised_date() -> None:
    due, claims = PLACED + timedelta(days=9), [PLACED + timedelta(days=day) for day in (6, 8)]
    facts = order_facts()._replace(promised_at=PLACED + timedelta(days=7))
    nodes = {
        "n1": {"t": "wait", "date": "promise.until", "offset": "P2D", "out": {"next": "n2"}},
        "n2": {"t": "end"},
    }
    news = [Change(at, ORDER, 1, ChangeKind.CLAIMED, at, at + timedelta(days=4)) for at in claims]
    store = shop_with(graph_of(nodes))

    Simulator(store, [arrival(PLACED, facts), *news]).run(FAR)

    assert told(store) == [("n2", Code.COMPLETED, due)]


@pytest.mark.parametrize("held_out", [0, 10_000])
def test_the_end_of_an_offer_is_a_date_for_the_control_group_too(held_out: int) -> None:
    nodes = {
        "n1": {"t": "offer", "percent": 5, "valid": "P4D", "out": {"granted": "n2"}},
        "n2": {
            "t": "wait",
            "date": "offer.ends_at",
            "ref": "n1",
            "offset": "-P1D",
            "at": "10:00",
            "out": {"next": "n3"},
        },
        "n3": {"t": "end"},
    }
    store = shop_with(graph_of(nodes))

    Simulator(store, [arrival(PLACED, holdout_bp=held_out)]).run(FAR)

    assert told(store)[-1] == ("n3", Code.COMPLETED, datetime(2026, 11, 5, 9, 0, tzinfo=UTC))


@pytest.mark.parametrize(
    ("wait", "code"),
    [
        ({"date": "order.placed_at", "for": "P1D"}, "wait_date_with_span"),
        ({"date": "order.placed_at", "at": "10:00", "days": ["mon"]}, "wait_date_with_days"),
        ({"date": "order.placed_at", "at": "10:00", "offset": "PT3H"}, "wait_hours_with_time"),
        ({"date": "offer.ends_at"}, "wait_date_and_offer"),
        ({"date": "order.placed_at", "ref": "n2"}, "wait_date_and_offer"),
        ({"date": "offer.ends_at", "ref": "n2"}, "ref_is_no_offer"),
        ({"date": "offer.ends_at", "ref": "n3"}, "ref_comes_later"),
    ],
)
def test_a_wait_for_a_date_says_what_it_means(wait: dict[str, Any], code: str) -> None:
    nodes = {
        "n1": {"t": "wait", **wait, "out": {"next": "n3"}},
        "n3": {"t": "offer", "percent": 5, "valid": "P4D", "out": {"granted": "n2"}},
        "n2": {"t": "end"},
    }
    with pytest.raises(InvalidProcess) as refused:
        load_process(document(nodes))

    assert [problem.code for problem in refused.value.problems] == [code]


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
