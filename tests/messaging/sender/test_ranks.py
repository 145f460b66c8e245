"""Who gets the place where a person can take only one message more (engine 10.3), quiet hours at queueing, lanes' days."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django_scopes import scopes_disabled

from recoup.core.clock import real_now
from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.models import Lane, Message, QuietHours, SendingLimits
from recoup.messaging.sender.holidays import holidays, is_holiday
from recoup.messaging.sender.loop import Sender
from tests.factories.messages import make_message_source
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.messaging.sender.roads import Road, make_road, state_of, waits_until
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def road(sink: SmtpSink) -> Road:
    return make_road(sink.port)


def send_all(sender: Sender, at: datetime = NOW) -> None:
    while sender.run_once(lambda: at):
        pass


def pair(road: Road, *, high_due: datetime = NOW + HOUR) -> tuple[Message, Message]:
    """Make a reminder of low rank that is due, and one of high rank to the same person a little later."""
    order = make_order(road.shop, contact=make_contact(road.shop))
    high = make_message_source(road.shop, name="Strong", priority=5)
    low_message = road.reminder(order, not_after=NOW + 3 * HOUR)
    high_message = road.reminder(order, source=high, due_at=high_due, not_after=NOW + 2 * DAY)
    return low_message, high_message


def test_the_stronger_process_gets_the_last_place_and_the_weaker_says_why(road: Road, sender: Sender) -> None:
    SendingLimits(shop=road.shop, per_day=1).save(force_insert=True)
    low, high = pair(road)

    send_all(sender)
    waiting = (state_of(low), waits_until(low))
    send_all(sender, NOW + HOUR + 2 * MINUTE)

    assert waiting == (("due", "outranked"), NOW + HOUR + MINUTE)
    assert state_of(high) == ("sent", "")
    assert state_of(low) == ("cancelled", "cap")


def test_the_weaker_goes_once_the_stronger_will_not(road: Road, sender: Sender) -> None:
    SendingLimits(shop=road.shop, per_day=1).save(force_insert=True)
    low, high = pair(road)

    send_all(sender)
    Message.objects.filter(pk=high.pk).update(state="cancelled")
    send_all(sender, NOW + HOUR + 2 * MINUTE)

    assert state_of(low) == ("sent", "")


@pytest.mark.parametrize("per_day", [1, 2])
def test_it_is_skipped_as_outranked_where_waiting_would_be_too_late(
    road: Road, sender: Sender, per_day: int
) -> None:
    SendingLimits(shop=road.shop, per_day=per_day).save(force_insert=True)
    low, _ = pair(road, high_due=NOW + 5 * HOUR)

    send_all(sender)

    # With two places a day both have one.
    assert state_of(low) == (("cancelled", "outranked") if per_day == 1 else ("sent", ""))


def test_equals_do_not_wait_for_each_other(road: Road, sender: Sender) -> None:
    SendingLimits(shop=road.shop, per_day=1).save(force_insert=True)
    low, high = pair(road)
    Message.objects.filter(pk=high.pk).update(source=low.source)

    send_all(sender)

    assert state_of(low) == ("sent", "")


def test_a_reminder_that_would_be_due_at_night_is_due_in_the_morning_at_once(road: Road) -> None:
    QuietHours(shop=road.shop, starts=time(10), ends=time(14)).save(force_insert=True)
    order = make_order(road.shop, contact=make_contact(road.shop))
    asked = {"is_asked_for": True, "manual_key": "k"}

    def wanted(number: int, **values: object) -> MessageOrder:
        return MessageOrder(
            **{  # type: ignore[arg-type]
                "shop_id": road.shop.pk,
                "contact_id": order.contact_id,
                "template_key": "reminder",
                "locale": "en",
                "due_at": NOW,
                "not_after": NOW + DAY,
                "source_id": road.source.pk,
                "enrolment_id": number,
                "step_no": 1,
                "order_id": order.pk,
                **values,
            }
        )

    queue_messages(
        [wanted(1), wanted(2, not_after=NOW + HOUR), wanted(3, enrolment_id=None, **asked)], now=NOW
    )

    first, late, asked_for = Message.objects.order_by("enrolment_id")  # none is last
    loud = datetime(NOW.year, NOW.month, NOW.day, 14, tzinfo=UTC)
    assert loud <= first.due_at < loud + 20 * MINUTE
    assert (first.reason, late.due_at, late.reason) == ("quiet_hours", NOW, "")
    assert (asked_for.due_at, asked_for.reason) == (NOW, "")


def test_holidays_of_the_persons_country_are_quiet_all_day(road: Road, sender: Sender) -> None:
    QuietHours(shop=road.shop, starts=time(3), ends=time(4), keeps_holidays=True).save(force_insert=True)
    at = datetime(2026, 11, 11, 12, tzinfo=UTC)
    people = [make_contact(road.shop, country=country) for country in ("PL", "DE")]
    messages = [
        road.reminder(make_order(road.shop, contact=one), due_at=at, not_after=at + 2 * DAY) for one in people
    ]

    send_all(sender, at)

    assert [state_of(message) for message in messages] == [("due", "quiet_hours"), ("sent", "")]
    messages[0].refresh_from_db()
    assert messages[0].due_at.astimezone(ZoneInfo("Europe/Warsaw")).date() == date(2026, 11, 12)


@pytest.mark.parametrize(
    ("country", "year", "days"),
    [
        ("PL", 2026, ["2026-04-05", "2026-04-06", "2026-05-24", "2026-06-04", "2026-12-24"]),
        ("DE", 2026, ["2026-04-03", "2026-05-14", "2026-05-25", "2026-10-03"]),
        ("GB", 2026, ["2026-04-03", "2026-05-04", "2026-05-25", "2026-08-31"]),
        ("US", 2026, ["2026-01-19", "2026-05-25", "2026-09-07", "2026-11-26"]),
        ("RU", 2026, ["2026-01-07", "2026-05-09"]),
    ],
)
def test_holidays_that_move_are_where_the_calendar_has_them(country: str, year: int, days: list[str]) -> None:
    assert {date.fromisoformat(day) for day in days} <= holidays(country, year)
    assert not is_holiday("XX", date(year, 1, 1))


def test_a_lane_sends_no_more_than_its_day_holds_and_says_so(road: Road, sender: Sender) -> None:
    Lane.objects.update(daily_quota=3)
    messages = [road.reminder() for _ in range(5)]

    send_all(sender)
    Lane.objects.update(next_at=None)
    send_all(sender)

    assert [state_of(message)[0] for message in messages] == ["sent"] * 3 + ["due"] * 2
    assert Message.objects.filter(state="due", reason="daily_quota").count() == 2
    lane = Lane.objects.get()
    assert (lane.taken, lane.next_at is not None) == (3, True)


def test_what_found_no_place_on_its_day_and_says_today_does_not_go_on_the_next(
    road: Road, sender: Sender
) -> None:
    Lane.objects.update(daily_quota=1)
    first, dated, plain = road.reminder(), road.reminder(), road.reminder()
    ends = NOW + HOUR
    Message.objects.filter(pk=dated.pk).update(not_after=ends, day_ends_at=ends)
    send_all(sender)

    Lane.objects.update(next_at=None, taken=0, daily_quota=2)
    send_all(sender, NOW + 2 * HOUR)

    assert [state_of(one) for one in (first, dated, plain)] == [
        ("sent", ""),
        ("cancelled", "day_over"),
        ("sent", ""),
    ]


def test_a_lane_that_is_warmed_up_sends_a_little_more_each_day(road: Road, sender: Sender) -> None:
    Lane.objects.update(warmup=[1, 2], warmup_since=real_now().date(), daily_quota=100)
    messages = [road.reminder() for _ in range(6)]

    sent = []
    for shift in (0, 1, 2):
        Lane.objects.update(next_at=None, taken=0, warmup_since=real_now().date() - shift * DAY)
        send_all(sender)
        sent.append(Message.objects.filter(state="sent").count())

    assert sent == [1, 3, 6]
    assert {state_of(message)[0] for message in messages} == {"sent"}


def test_what_did_not_leave_takes_no_place_of_the_day(road: Road, sender: Sender) -> None:
    Lane.objects.update(daily_quota=2)
    for how in ("554data", "450", "550"):
        road.reminder(email=f"u+{how}@x.example")
    good = road.reminder()

    for _ in range(4):
        Lane.objects.update(next_at=None, backoff_seconds=0)
        send_all(sender)

    assert (state_of(good), Lane.objects.get().taken) == (("sent", ""), 1)


def test_no_more_messages_are_in_flight_than_allowed(road: Road, sender: Sender) -> None:
    Lane.objects.update(max_in_flight=2)
    for _ in range(5):
        road.reminder()

    looked_at = [sender.run_once() for _ in range(3)]

    assert looked_at == [2, 2, 1]
