"""Caps in sliding windows and quiet hours."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from recoup.customers.clocks import clocks_of_person
from recoup.messaging.sender.limits import Caps, Quiet, free_from, loud_from, zone_of
from tests.factories.moments import DAY, HOUR, MINUTE, NOW

WARSAW = ZoneInfo("Europe/Warsaw")
NIGHT = Quiet(time(21), time(8))


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ([], NOW),
        ([NOW - HOUR], NOW),
        ([NOW - 2 * HOUR, NOW - HOUR], NOW + 22 * HOUR),
        ([NOW - 25 * HOUR, NOW - HOUR], NOW),
        ([NOW - DAY, NOW - HOUR], NOW),  # the window is open at its far end
        ([NOW - 6 * DAY, NOW - 5 * DAY, NOW - 4 * DAY, NOW - 3 * DAY, NOW - 2 * DAY], NOW + DAY),
        ([NOW - 6 * DAY, NOW - 5 * DAY, NOW - 4 * DAY, NOW - 2 * HOUR, NOW - HOUR], NOW + DAY),
        ([NOW - 8 * DAY] * 9, NOW),
    ],
)
def test_a_reminder_is_free_when_every_sliding_window_has_room(
    recent: list[datetime], expected: datetime
) -> None:
    assert free_from(recent, Caps(per_day=2, per_week=5), NOW) == expected


def test_the_cap_is_not_of_calendar_days() -> None:
    before_midnight = datetime(2026, 11, 2, 23, 0, tzinfo=UTC)

    free = free_from([before_midnight, before_midnight + 10 * MINUTE], Caps(), before_midnight + HOUR)

    assert free == before_midnight + DAY


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        ("2026-11-02 20:59", None),
        ("2026-11-02 21:00", "2026-11-03 08:00"),
        ("2026-11-03 03:00", "2026-11-03 08:00"),
        ("2026-11-03 07:59", "2026-11-03 08:00"),
        ("2026-11-03 08:00", None),
        ("2026-10-25 02:30", "2026-10-25 08:00"),  # the hour comes twice
        ("2027-03-28 03:30", "2027-03-28 08:00"),  # an hour is missing
    ],
)
def test_quiet_hours_hold_in_the_persons_zone_over_midnight_and_clock_changes(
    local: str, ends: str | None
) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=WARSAW).astimezone(UTC)

    loud = loud_from([NIGHT], [WARSAW], now, contact_id=7)

    if ends is None:
        assert loud == now
    else:
        end = datetime.fromisoformat(ends).replace(tzinfo=WARSAW).astimezone(UTC)
        assert end <= loud < end + 20 * MINUTE


def test_people_leave_quiet_hours_spread_out_each_always_at_the_same_place() -> None:
    now = datetime(2026, 11, 3, 2, tzinfo=UTC)

    first, second = ([loud_from([NIGHT], [WARSAW], now, contact_id=n) for n in range(200)] for _ in range(2))

    assert first == second
    assert len(set(first)) > 150


def test_quiet_days_follow_each_other() -> None:
    weekend = Quiet(time(0), time(0), weekdays=(5, 6))
    saturday = datetime(2026, 11, 7, 12, tzinfo=UTC)

    loud = loud_from([weekend], [ZoneInfo("UTC")], saturday, contact_id=1)

    assert datetime(2026, 11, 9, tzinfo=UTC) <= loud < datetime(2026, 11, 9, 0, 20, tzinfo=UTC)


def test_a_shop_that_is_always_quiet_is_looked_at_again_and_not_for_ever() -> None:
    always = Quiet(time(0), time(0))

    loud = loud_from([always], [ZoneInfo("UTC")], NOW, contact_id=1)

    assert NOW < loud < NOW + timedelta(days=10)


@pytest.mark.parametrize(
    ("names", "zone"),
    [
        (("Europe/Warsaw", "UTC"), "Europe/Warsaw"),
        (("Mars/Olympus", "Europe/Berlin"), "Europe/Berlin"),
        (("../etc/passwd", "x"), "UTC"),
        (("",), "UTC"),
    ],
)
def test_the_first_zone_that_exists_is_taken(names: tuple[str, ...], zone: str) -> None:
    assert zone_of(*names).key == zone


@pytest.mark.parametrize(
    ("zone", "country", "clocks"),
    [
        ("Asia/Tokyo", "US", ["Asia/Tokyo"]),  # their own
        ("", "JP", ["Asia/Tokyo"]),  # of their country
        ("", "jp", ["Asia/Tokyo"]),
        ("", "PL", ["Europe/Warsaw"]),  # the shop's
        ("", "", ["Europe/Warsaw"]),
        ("", "RU", ["Europe/Warsaw"]),  # too far apart to suit all
        ("", "XX", ["Europe/Warsaw"]),
        ("Mars/Olympus", "JP", ["Asia/Tokyo"]),  # not a zone: as if none were told
    ],
)
def test_the_clock_is_the_persons_then_their_countrys_then_the_shops(
    zone: str, country: str, clocks: list[str]
) -> None:
    found = clocks_of_person(zone, country, shop_zone="Europe/Warsaw", shop_country="PL")

    assert [one.key for one in found.quiet] == clocks
    assert found.wait.key == clocks[0]


@pytest.mark.parametrize(
    ("shop_zone", "country", "clock"),
    [
        ("America/New_York", "US", "America/New_York"),
        ("America/Toronto", "ca", "America/Toronto"),
        ("Australia/Sydney", "AU", "Australia/Sydney"),
        ("America/Sao_Paulo", "BR", "America/Sao_Paulo"),
        ("America/Toronto", "JP", "Asia/Tokyo"),
        ("UTC", "JP", "Asia/Tokyo"),
    ],
)
def test_a_shop_that_names_no_country_is_at_home_where_its_clock_is(
    shop_zone: str, country: str, clock: str
) -> None:
    found = clocks_of_person("", country, shop_zone=shop_zone, shop_country="")

    assert (found.wait.key, [one.key for one in found.quiet]) == (clock, [clock])


def test_people_of_a_country_with_several_clocks_are_written_to_when_it_is_loud_on_all() -> None:
    zones = clocks_of_person("", "US", shop_zone="Europe/Warsaw", shop_country="PL").quiet
    night_in_new_york = datetime(2026, 11, 2, 8, tzinfo=UTC)

    loud = loud_from([NIGHT], zones, night_in_new_york, contact_id=7)

    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= {one.key for one in zones}
    assert all(loud_from([NIGHT], [one], loud, contact_id=7) == loud for one in zones)
    assert loud - night_in_new_york < timedelta(hours=12)
