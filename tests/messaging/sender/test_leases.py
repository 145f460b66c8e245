"""Leases and claims: who holds a message, for how long, and what becomes of what nobody holds any more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.messaging.calling_off import request_cancel
from recoup.messaging.events import MessageSettled
from recoup.messaging.models import Lane, Message
from recoup.messaging.sender import leases
from recoup.messaging.sender.claim import claim, due_lanes
from recoup.messaging.sender.ends import Ledger, record_ends
from recoup.messaging.sender.leases import InFlight, renew, sweep
from recoup.messaging.sender.records import End
from recoup.messaging.sender.timing import Timing
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.messaging.sender.roads import Road, make_road, state_of

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def road() -> Road:
    return make_road(2525)


def real_now() -> datetime:
    return datetime.now(UTC)


def test_why_a_message_was_called_off_outlives_a_line_that_broke(road: Road) -> None:
    message = road.reminder(state="handing", lease_owner=1, lease_until=real_now() + DAY)
    request_cancel(reason="taken_over", now=NOW, enrolment_ids=[message.enrolment_id or 0])

    record_ends([End(message.pk, "due", "line_trouble", due_at=NOW + DAY)], owner=1)

    assert state_of(message) == ("due", "taken_over")


def test_a_claim_takes_what_is_due_earliest_first_and_leaves_the_rest(road: Road) -> None:
    later, soon, future = (road.reminder(due_at=NOW - minutes * MINUTE) for minutes in (1, 2, -1))

    lane, claimed = claim(road.lane.pk, owner=8, now=NOW, timing=Timing())

    assert lane is not None
    assert (lane.shop_id, [message.id for message in claimed]) == (road.shop.pk, [soon.pk, later.pk])
    assert (state_of(soon)[0], soon.lease_owner, state_of(future)[0]) == ("claimed", 8, "due")
    assert claim(road.lane.pk, owner=9, now=NOW, timing=Timing())[1] == []


def test_tokens_are_spent_and_come_back_with_time(road: Road) -> None:
    for _ in range(9):
        road.reminder()
    # So slow that no machine is busy enough to earn a token in between.
    Lane.objects.update(rate=0.1, burst=20, tokens=2, refilled_at=real_now())

    first = claim(road.lane.pk, owner=1, now=NOW, timing=Timing())[1]
    second = claim(road.lane.pk, owner=1, now=NOW, timing=Timing())[1]
    Lane.objects.update(next_at=None, refilled_at=real_now() - 50 * SECOND)
    third = claim(road.lane.pk, owner=1, now=NOW, timing=Timing())[1]

    assert (len(first), len(second), len(third)) == (2, 0, 5)


def test_a_lane_without_tokens_is_asked_again_when_there_is_one(road: Road) -> None:
    Lane.objects.update(rate=0.5, tokens=0, refilled_at=real_now())
    road.reminder()

    claim(road.lane.pk, owner=1, now=NOW, timing=Timing())

    lane = Lane.objects.get()
    assert lane.next_at is not None
    assert timedelta(seconds=1) < lane.next_at - real_now() < timedelta(seconds=3)
    assert due_lanes(NOW) == []


def test_only_lanes_with_something_due_are_asked(road: Road) -> None:
    make_road(2525).reminder(due_at=NOW + MINUTE)
    road.reminder()

    assert due_lanes(NOW) == [road.lane.pk]


def test_while_a_backlog_is_drained_the_claim_begins_where_the_last_one_ended(road: Road) -> None:
    messages = [road.reminder(due_at=NOW - (9 - number) * MINUTE) for number in range(8)]
    timing = Timing(claim=3, reopen=1000.0)

    claim(road.lane.pk, owner=1, now=NOW, timing=timing)
    mark = Lane.objects.get().due_mark
    earlier = road.reminder(due_at=NOW - HOUR)
    second = claim(road.lane.pk, owner=1, now=NOW, timing=timing)[1]
    Lane.objects.update(mark_opened_at=real_now() - HOUR)
    third = claim(road.lane.pk, owner=1, now=NOW, timing=timing)[1]

    assert mark == messages[2].due_at
    assert [message.id for message in second] == [message.pk for message in messages[3:6]]
    assert [message.id for message in third] == [earlier.pk, messages[6].pk, messages[7].pk]


def test_an_empty_lane_has_no_mark(road: Road) -> None:
    road.reminder()

    claim(road.lane.pk, owner=1, now=NOW, timing=Timing())

    assert Lane.objects.get().due_mark is None


def test_what_was_only_claimed_is_due_again_when_its_lease_runs_out(road: Road) -> None:
    gone = road.reminder(state="claimed", lease_owner=1, lease_until=real_now() - SECOND)
    held = road.reminder(state="claimed", lease_owner=1, lease_until=real_now() + MINUTE)

    assert sweep(now=NOW) == (1, 0)

    assert (state_of(gone), gone.lease_owner) == (("due", ""), None)
    assert state_of(held) == ("claimed", "")


def test_what_was_being_handed_over_is_uncertain_when_its_lease_runs_out(
    road: Road, settled: list[MessageSettled]
) -> None:
    message = road.reminder(state="handing", lease_owner=1, lease_until=real_now() - SECOND, enrolment_id=4)

    assert sweep(now=NOW) == (0, 1)
    outbox.dispatch()

    assert (state_of(message), message.handed_at, message.settled_at) == (
        ("uncertain", "sender_gone"),
        NOW,
        NOW,
    )
    assert settled == [MessageSettled(road.shop.pk, message.pk, 4, 1, None, "uncertain", NOW)]


def test_what_was_asked_for_is_handed_over_once_more_and_then_uncertain(road: Road) -> None:
    message = road.reminder(
        state="handing", is_asked_for=True, lease_owner=1, lease_until=real_now() - SECOND
    )
    states = []
    for _ in range(2):
        sweep(now=NOW)
        states.append((state_of(message)[0], message.is_resent))
        Message.objects.filter(pk=message.pk, state="due").update(
            state="handing", lease_until=real_now() - SECOND
        )

    assert states == [("due", True), ("uncertain", True)]


@pytest.mark.parametrize(
    ("end", "state"),
    [(End(0, "sent", answer="250 ok", at=NOW, handed_at=NOW), "sent"), (End(0, "due"), "due")],
)
def test_the_one_who_knows_puts_right_what_was_swept(road: Road, end: End, state: str) -> None:
    message = road.reminder(state="handing", lease_owner=1, lease_until=real_now() - SECOND)
    sweep(now=NOW)
    ledger = Ledger(1)
    ledger.keep([End(message.pk, end.state, end.reason, end.answer, end.at, end.due_at, end.handed_at)])

    assert (ledger.flush(), len(ledger)) == (0, 0)

    assert state_of(message)[0] == state
    assert (message.settled_at is None) is (state == "due")


@pytest.mark.parametrize("state", ["sent", "due", "cancelled", "claimed", "handing", "uncertain"])
def test_an_end_of_what_is_not_held_any_more_changes_nothing(road: Road, state: str) -> None:
    message = road.reminder(state=state, lease_owner=1 if state == "sent" else 2)

    assert record_ends([End(message.pk, "failed", "refused", at=NOW)], owner=1) == 0

    assert state_of(message) == (state, "")


def test_an_end_is_told_once_however_often_it_is_written(road: Road, settled: list[MessageSettled]) -> None:
    message = road.reminder(state="handing", lease_owner=1, lease_until=real_now() + MINUTE)
    end = End(message.pk, "sent", at=NOW, handed_at=NOW)

    counts = [record_ends([end], owner=1), record_ends([end], owner=1)]
    outbox.dispatch()

    assert (counts, len(settled)) == ([1, 0], 1)


def test_only_leases_that_are_still_held_are_renewed(road: Road) -> None:
    mine = road.reminder(state="claimed", lease_owner=1, lease_until=real_now() + SECOND)
    others = road.reminder(state="claimed", lease_owner=2, lease_until=real_now() + SECOND)
    ended = road.reminder(state="sent", lease_owner=1)

    renew([mine.pk, others.pk, ended.pk], owner=1, timing=Timing(lease=60.0))

    until = {m.pk: m.lease_until for m in Message.objects.all()}
    assert until[mine.pk] - real_now() > 50 * SECOND  # type: ignore[operator]
    assert until[others.pk] - real_now() < 2 * SECOND  # type: ignore[operator]
    assert until[ended.pk] is None


def test_a_living_sender_that_forgets_a_claim_loses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    timing = Timing(longest_claim=300.0, longest_handing=900.0)
    held = InFlight(timing)
    clock = iter([1000.0, 1000.0, 1299.0, 1301.0, 1901.0])
    monkeypatch.setattr(leases, "boot_seconds", lambda: next(clock))
    held.take([1, 2, 3])
    held.take([2], is_handing=True)
    held.drop([3])

    assert [held.renewable() for _ in range(3)] == [[1, 2], [2], []]


def test_lanes_are_asked_with_one_statement_however_many(road: Road) -> None:
    for _ in range(3):
        make_road(2525).reminder()
    with CaptureQueriesContext(connection) as captured:
        lanes = due_lanes(NOW)

    assert (len(lanes), len(captured)) == (3, 1)
