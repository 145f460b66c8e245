"""A backlog goes out batch by batch: the texts of the next are being written while the last is handed over."""

from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError, connection
from django_scopes import scopes_disabled

from recoup.integrations.smtp.channel import SmtpLine
from recoup.messaging.models import Lane, MailAccount, Message
from recoup.messaging.ports import LineTrouble
from recoup.messaging.sender import lane_run
from recoup.messaging.sender.claim import claim
from recoup.messaging.sender.ends import Ledger
from recoup.messaging.sender.handing import Desk
from recoup.messaging.sender.lane_run import LaneRun
from recoup.messaging.sender.lane_state import LaneState
from recoup.messaging.sender.leases import InFlight
from recoup.messaging.sender.prepare import Draft, mark
from recoup.messaging.sender.timing import Timing
from tests.factories.moments import MINUTE, NOW
from tests.messaging.sender.roads import Road, make_road, state_of
from tests.support.smtp_sink import SmtpSink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("channel_table")]
OWNER, TIMING = 7, Timing(claim=2)


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture(autouse=True)
def _no_server_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the lane in the batch way, however long a busy machine takes to answer."""
    monkeypatch.setattr(lane_run, "_SLOW", 60.0)


@pytest.fixture
def road(sink: SmtpSink) -> Road:
    return make_road(sink.port)


def backlog(road: Road, count: int) -> list[Message]:
    """Queue messages that are due one after the other."""
    return [road.reminder(due_at=NOW - MINUTE * (count - number)) for number in range(count)]


def run(
    road: Road,
    timing: Timing = TIMING,
    *,
    state: LaneState | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
) -> int:
    state, in_flight = state or LaneState(road.lane.pk), InFlight(timing)
    desk = Desk(OWNER, timing, lambda: NOW, Ledger(OWNER))
    try:
        return LaneRun(state, desk, in_flight, is_stopping=is_stopping).run()
    finally:
        state.close()
        assert in_flight.renewable() == []  # nothing is held any more


def at_claim(monkeypatch: pytest.MonkeyPatch, number: int, what: Callable[[], object]) -> None:
    """Do something before a claim is made, counted from one."""
    claims: list[object] = []

    def watched(*args: int, **named: object) -> object:
        claims.append(args)
        if len(claims) == number:
            what()
        return claim(*args, **named)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(lane_run, "claim", watched)


@pytest.fixture
def order_of_work(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Write down when the texts of how many messages are begun, and when they are asked for."""
    seen: list[tuple[str, int]] = []

    class Watched(Draft):
        def __init__(self, messages, *rest, **named):  # type: ignore[no-untyped-def]
            super().__init__(messages, *rest, **named)
            seen.append(("begun", len(messages)))
            self.count = len(messages)

        def finish(self):  # type: ignore[no-untyped-def]
            seen.append(("asked for", self.count))
            return super().finish()

    monkeypatch.setattr(lane_run, "Draft", Watched)
    return seen


def test_the_next_batch_is_begun_before_the_last_is_handed_over(
    road: Road, sink: SmtpSink, order_of_work: list[tuple[str, int]]
) -> None:
    messages = backlog(road, 5)

    assert run(road) == 5
    assert {state_of(message)[0] for message in messages} == {"sent"}
    assert [mail.recipients[0] for mail in sink.mails()] == [message.recipient for message in messages]
    assert order_of_work == [
        ("begun", 2),
        ("begun", 2),
        ("asked for", 2),
        ("begun", 1),
        ("asked for", 2),
        ("asked for", 1),
    ]


@pytest.mark.parametrize(
    "lane",
    [
        {"way": "single"},
        {"backoff_seconds": 60},
        {"daily_quota": 100},
        {"max_in_flight": 50},
    ],
    ids=str,
)
def test_a_slow_an_ailing_or_a_counted_lane_takes_one_batch_at_a_time(
    road: Road, lane: dict[str, object]
) -> None:
    messages = backlog(road, 4)
    type(road.lane).objects.filter(pk=road.lane.pk).update(**lane)

    taken = run(road)

    assert taken == (1 if "backoff_seconds" in lane else 2)
    assert [state_of(message)[0] for message in messages[taken:]] == ["due"] * (4 - taken)


def test_what_was_taken_ahead_is_given_back_when_the_line_breaks(road: Road, sink: SmtpSink) -> None:
    messages = backlog(road, 4)
    messages[0].contact.email = messages[0].recipient = "anna+cut@x.example"
    messages[0].contact.save()
    messages[0].save()

    run(road)

    assert sink.mails() == []
    assert [state_of(message) for message in messages[2:]] == [("due", ""), ("due", "")]
    assert {message.lease_owner for message in messages[2:]} == {None}


@pytest.mark.parametrize("error", [OperationalError, ZeroDivisionError])
def test_a_claim_that_fails_ahead_does_not_keep_what_was_taken(
    road: Road, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    messages = backlog(road, 4)

    def fail() -> None:
        raise error("for a moment")

    at_claim(monkeypatch, 2, fail)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's transaction lives on it

    assert run(road) == 2
    assert [state_of(message)[0] for message in messages] == ["sent", "sent", "due", "due"]


def test_a_server_that_goes_while_a_batch_is_taken_ahead_breaks_no_message(
    road: Road, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, state, looks = backlog(road, 4), LaneState(road.lane.pk), []
    ready = SmtpLine.ready

    def going(line: SmtpLine) -> None:
        looks.append(line)
        if len(looks) == 2:
            line.close()
            raise LineTrouble("nobody listens", stage="connect", is_for_person=False)
        ready(line)

    monkeypatch.setattr(SmtpLine, "ready", going)

    run(road, state=state)

    assert state.careful == 0  # nothing was wrong with any of them
    assert [state_of(message)[0] for message in messages] == ["due"] * 4
    assert {message.lease_owner for message in messages} == {None}
    assert Lane.objects.get(pk=road.lane.pk).trouble == "nobody listens"


def test_settings_that_change_while_a_batch_waits_give_it_back(
    road: Road, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages, state = backlog(road, 4), LaneState(road.lane.pk)
    at_claim(monkeypatch, 2, lambda: MailAccount.objects.update(host="localhost"))

    run(road, state=state)

    assert state.careful == 0
    assert [state_of(message)[0] for message in messages] == ["due", "due", "sent", "sent"]
    assert {message.lease_owner for message in messages} == {None}


def test_who_is_asked_to_stop_gives_back_what_waits(road: Road, sink: SmtpSink) -> None:
    messages = backlog(road, 6)

    run(road, is_stopping=lambda: bool(sink.mails()))

    assert [state_of(message)[0] for message in messages] == ["sent", *["due"] * 5]
    assert {message.lease_owner for message in messages} == {None}


def test_a_message_that_comes_back_after_its_turn_is_given_back_like_any_other(
    road: Road, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = backlog(road, 4)
    first = Message.objects.filter(pk=messages[0].pk)
    at_claim(monkeypatch, 3, lambda: first.update(state="due", due_at=NOW, settled_at=None))
    stops: list[int] = []

    def stopping(chunk, **named):  # type: ignore[no-untyped-def]
        stops.extend(one.message.id for one in chunk)
        return mark(chunk, **named)

    monkeypatch.setattr(lane_run, "mark", stopping)

    run(road, is_stopping=lambda: len(stops) >= 4)

    assert (state_of(messages[0])[0], messages[0].lease_owner) == ("due", None)


def test_a_message_that_breaks_the_batch_ahead_does_not_hold_up_the_one_before(
    road: Road, sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = backlog(road, 4)
    broken = messages[2].pk

    class Breaking(Draft):
        def __init__(self, messages, *rest, **named):  # type: ignore[no-untyped-def]
            if broken in [message.id for message in messages]:
                raise ZeroDivisionError
            super().__init__(messages, *rest, **named)

    monkeypatch.setattr(lane_run, "Draft", Breaking)
    state = LaneState(road.lane.pk)
    desk = Desk(OWNER, TIMING, lambda: NOW, Ledger(OWNER))
    for _ in range(4):
        LaneRun(state, desk, InFlight(TIMING)).run()
    state.close()

    assert [state_of(message) for message in messages] == [
        ("sent", ""),
        ("sent", ""),
        ("failed", "broken"),
        ("sent", ""),
    ]
