"""One message: when it is planned, when it is too late, and what its end means for the rest."""

from datetime import datetime, timedelta

import pytest

from recoup.processes.engine.advance import advance
from recoup.processes.engine.codes import Code, State
from recoup.processes.engine.entry import begin
from recoup.processes.engine.nodes.order_status import StatusEffect
from recoup.processes.engine.records import Facts, SendEffect
from recoup.processes.facts import contact_facts
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Change, ChangeKind, Lane
from tests.processes.worlds import (
    ORDER,
    PLACED,
    SEND_TWICE,
    arrival,
    graph_of,
    hours,
    only,
    order_facts,
    sent_at,
    shop_with,
    told,
)

FAR = PLACED + timedelta(days=60)
FIRST = PLACED + hours(24)
ANCHORED = {"on": "order.unpaid", "first": "n1", "anchor": "placed_at"}


@pytest.mark.parametrize(
    ("woke", "code"),
    [(FIRST + hours(24) - timedelta(seconds=1), Code.QUEUED), (FIRST + hours(24), Code.SKIPPED_EXPIRED)],
)
def test_message_is_too_late_from_its_last_instant_on(woke: datetime, code: Code) -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))

    Simulator(store, [arrival(PLACED)], asleep=[(FIRST - hours(1), woke)]).run(woke)

    assert told(store) == [("n2", code, FIRST)]


def test_promised_message_that_is_not_sent_counts_from_the_promised_date() -> None:
    def fate(enrolment_id: int, step_no: int, now: datetime) -> Code:
        return Code.SKIPPED_CAP if step_no == 2 else Code.SENT

    store = shop_with(graph_of(dict(SEND_TWICE)))
    promised = PLACED + timedelta(days=3)
    promise = Change(PLACED + hours(2), ORDER, 1, ChangeKind.PROMISED, PLACED + hours(2), promised)

    Simulator(store, [arrival(PLACED), promise], lane=Lane(fate=fate)).run(FAR)

    assert sent_at(store) == [("second", promised + hours(48))]


def test_wait_after_a_message_counts_from_the_message_and_not_from_the_order() -> None:
    nodes = {
        "n1": {"t": "send", "template": "first", "out": {"done": "n2"}},
        "n2": {"t": "wait", "for": "PT24H", "out": {"next": "n3"}},
        "n3": {"t": "send", "template": "second", "out": {"done": "n4"}},
        "n4": {"t": "end"},
    }
    store = shop_with(graph_of(nodes, entry=ANCHORED))

    Simulator(store, [arrival(PLACED + hours(10))]).run(FAR)

    assert sent_at(store) == [("first", PLACED + hours(10)), ("second", PLACED + hours(34))]


def test_question_that_comes_first_has_its_deadline_counted_from_the_order() -> None:
    question = {
        "t": "until",
        "on": {"e": "order.cancelled"},
        "within": "PT24H",
        "out": {"yes": "n2", "no": "n2"},
    }
    nodes = {
        "n1": question,
        "n2": {"t": "wait", "for": "PT10H", "out": {"next": "n3"}},
        "n3": {"t": "end"},
    }
    store = shop_with(graph_of(nodes, entry=ANCHORED))

    Simulator(store, [arrival(PLACED + hours(10))]).run(FAR)

    assert [at - PLACED for _, _, at in told(store)] == [hours(24), hours(34)]


def test_anchor_that_moves_back_does_not_shorten_a_wait() -> None:
    graph = graph_of(dict(SEND_TWICE), entry=ANCHORED)
    store = shop_with(graph)
    Simulator(store, [arrival(PLACED)]).run(PLACED)
    earlier: Facts = order_facts(PLACED - hours(5))

    outcome = advance(graph, only(store), earlier, PLACED + hours(1))

    assert (outcome.enrolment.due_at, outcome.enrolment.anchor_shift) == (FIRST, None)


def test_message_that_was_erased_is_not_waited_for_for_ever() -> None:
    store = shop_with(graph_of(dict(SEND_TWICE)))
    Simulator(store, [arrival(PLACED)], lane=Lane(lag=timedelta(days=5))).run(FIRST + hours(1))
    store.messages.clear()
    store._message_steps.clear()
    store._due_messages.clear()

    Simulator(store).run(FIRST + hours(25) - timedelta(seconds=1))
    waiting = only(store)
    Simulator(store).run(FAR)

    assert (waiting.state, waiting.node) == (State.WAITING, 2)
    assert sent_at(store) == [("second", FIRST + hours(48))]


def test_new_status_is_asked_for_and_in_the_control_group_suppressed() -> None:
    nodes = {
        "n1": {"t": "order_status", "to": "cancelled", "reason": "no answer", "out": {"next": "n2"}},
        "n2": {"t": "end"},
    }
    treated, control = shop_with(graph_of(nodes)), shop_with(graph_of(nodes))

    Simulator(treated, [arrival(PLACED)]).run(FAR)
    Simulator(control, [arrival(PLACED, holdout_bp=9_999)]).run(FAR)

    ((_, wish),) = treated.done
    assert isinstance(wish, StatusEffect)
    assert (wish.status, wish.reason, wish.at, wish.is_suppressed) == (
        "cancelled",
        "no answer",
        PLACED,
        False,
    )
    assert (control.done, len(control.suppressed)) == ([], 1)
    assert [code for _, code, _ in told(control)] == [Code.SUPPRESSED, Code.COMPLETED]


@pytest.mark.parametrize(
    ("zone", "country", "planned", "midnight"),
    [
        (
            "Europe/Warsaw",
            "",
            "2026-10-24T22:30:00+00:00",
            "2026-10-25T23:00:00+00:00",
        ),  # the day of 25 hours
        (
            "Europe/Warsaw",
            "",
            "2026-03-29T00:30:00+00:00",
            "2026-03-29T22:00:00+00:00",
        ),  # the day of 23 hours
        (
            "America/New_York",
            "",
            "2026-06-02T03:59:00+00:00",
            "2026-06-02T04:00:00+00:00",
        ),  # two minutes before
        ("Africa/Cairo", "", "2026-04-23T12:00:00+00:00", "2026-04-23T22:00:00+00:00"),  # then no midnight
        ("", "JP", "2026-06-02T08:00:00+00:00", "2026-06-02T15:00:00+00:00"),  # ten in Warsaw, five in Tokyo
        (
            "",
            "RU",
            "2026-06-02T08:00:00+00:00",
            "2026-06-02T22:00:00+00:00",
        ),  # written to by the shop's clock
        ("", "US", "2026-06-02T18:00:00+00:00", "2026-06-03T04:00:00+00:00"),  # the day is over in New York
    ],
)
def test_what_is_true_on_its_day_alone_is_too_late_from_midnight_on(
    zone: str, country: str, planned: str, midnight: str
) -> None:
    begins, ends = datetime.fromisoformat(planned), datetime.fromisoformat(midnight)
    nodes = {
        "n1": {"t": "send", "template": "today", "same_day": True, "not_after": "P3D", "out": {"done": "n2"}},
        "n2": {"t": "end"},
    }
    graph = graph_of(nodes)
    facts = order_facts()._replace(contact=contact_facts(zone, "en", country, "Europe/Warsaw", "PL"))
    come = begin(graph, arrival(begins).candidate, holdout_bp=0)

    _after, _steps, effects = advance(graph, come, facts, begins)
    _late, steps, none = advance(graph, come, facts, ends)

    [effect] = effects
    assert isinstance(effect, SendEffect)
    assert (effect.not_after, effect.day_ends_at) == (ends, ends)
    assert ([step.outcome for step in steps][:1], none) == ([Code.SKIPPED_EXPIRED], ())
