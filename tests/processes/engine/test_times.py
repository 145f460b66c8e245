"""Spans and wall times over every change of clocks (R16, F28)."""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest

from recoup.processes.engine.times import (
    EVERY_DAY,
    Span,
    after,
    day_end,
    is_known_zone,
    last_after,
    next_wall,
    parse_span,
    parse_wall,
    resolve,
    zone_of,
)
from recoup.processes.facts import contact_facts
from recoup.segments.facts import ContactFacts

WARSAW = ZoneInfo("Europe/Warsaw")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")


def utc(text: str) -> datetime:
    """Read an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "wall", "instant", "shown"),
    [
        # The hour that does not exist goes on by the gap, the doubled hour is the first one.
        (WARSAW, date(2027, 3, 28), time(2, 30), "2027-03-28T01:30", "03:30"),
        (WARSAW, date(2026, 10, 25), time(2, 30), "2026-10-25T00:30", "02:30"),
        (WARSAW, date(2026, 10, 25), time(3, 0), "2026-10-25T02:00", "03:00"),
        (NEW_YORK, date(2027, 3, 14), time(2, 15), "2027-03-14T07:15", "03:15"),
        (NEW_YORK, date(2026, 11, 1), time(1, 45), "2026-11-01T05:45", "01:45"),
        (LORD_HOWE, date(2026, 10, 4), time(2, 15), "2026-10-03T15:45", "02:45"),  # a gap of half an hour
        (LORD_HOWE, date(2027, 4, 4), time(1, 45), "2027-04-03T14:45", "01:45"),
    ],
)
def test_wall_time_at_a_clock_change(zone: ZoneInfo, day: date, wall: time, instant: str, shown: str) -> None:
    at = resolve(day, wall, zone)

    assert at == utc(instant)
    assert at.astimezone(zone).strftime("%H:%M") == shown


@pytest.mark.parametrize(
    ("start", "span", "end"),
    [
        ("2026-10-24T10:00", "P1D", "2026-10-25T11:00"),  # noon to noon is 25 hours
        ("2026-10-24T10:00", "PT24H", "2026-10-25T10:00"),
        ("2027-03-27T11:00", "P1D", "2027-03-28T10:00"),  # noon to noon is 23 hours
        ("2027-03-27T01:30", "P1D", "2027-03-28T01:30"),  # 02:30 does not exist on the 28th
        ("2026-10-25T01:30", "P1D", "2026-10-26T01:30"),  # from the second 02:30
        ("2026-10-25T01:30", "P154D", "2027-03-28T01:30"),  # from a doubled hour into a missing one
        ("2028-02-28T12:00", "P1D", "2028-02-29T12:00"),  # leap day
        ("2027-02-28T12:00", "P1D", "2027-03-01T12:00"),
        ("2026-10-24T10:00", "P1DT2H", "2026-10-25T13:00"),
        ("2026-10-24T10:00", "P1W", "2026-10-31T11:00"),
        ("2026-10-26T11:00", "-P2D", "2026-10-24T10:00"),
    ],
)
def test_span_in_warsaw(start: str, span: str, end: str) -> None:
    assert after(utc(start), parse_span(span), WARSAW) == utc(end)


@pytest.mark.parametrize(
    ("start", "wall", "days", "end"),
    [
        ("2026-11-03T08:59", "10:00", EVERY_DAY, "2026-11-03T09:00"),
        ("2026-11-03T09:00", "10:00", EVERY_DAY, "2026-11-04T09:00"),  # exactly 10:00 is not the next one
        ("2026-11-06T12:00", "10:00", frozenset({0}), "2026-11-09T09:00"),  # from Friday to Monday
        ("2026-10-25T00:45", "02:30", EVERY_DAY, "2026-10-26T01:30"),  # past the first 02:30: not the second
        ("2027-03-27T12:00", "02:30", EVERY_DAY, "2027-03-28T01:30"),
        ("2026-11-03T23:30", "00:15", EVERY_DAY, "2026-11-04T23:15"),
    ],
)
def test_next_wall_time_in_warsaw(start: str, wall: str, days: frozenset[int], end: str) -> None:
    assert next_wall(utc(start), parse_wall(wall), days, WARSAW) == utc(end)


def test_next_wall_time_may_be_now_after_a_span() -> None:
    ten = utc("2026-11-03T09:00")

    assert next_wall(ten, time(10), EVERY_DAY, WARSAW, may_be_now=True) == ten


def test_weekday_is_that_of_the_day_on_which_the_clock_goes_on() -> None:
    apia = ZoneInfo("Pacific/Apia")  # had no Friday 30 December 2011
    start = utc("2011-12-29T12:00")

    assert next_wall(start, time(10), frozenset({4}), apia).astimezone(apia).date() == date(2012, 1, 6)
    assert next_wall(start, time(10), EVERY_DAY, apia).astimezone(apia).date() == date(2011, 12, 29)


@cache
def change_days(name: str) -> list[date]:
    """Return the days of 2026 and 2027 on which a zone changes its clock."""
    zone = ZoneInfo(name)
    noons = [datetime(2026, 1, 1, 12, tzinfo=zone) + timedelta(days=number) for number in range(730)]
    offsets = [noon.utcoffset() for noon in noons]
    return [noons[i].date() for i in range(1, 730) if offsets[i] != offsets[i - 1]]


@pytest.mark.parametrize("name", sorted(available_timezones()))
def test_every_quarter_hour_of_a_change_comes_once_and_forward(name: str) -> None:
    zone = ZoneInfo(name)
    for day in change_days(name):
        walls = [time(quarter // 4, quarter % 4 * 15) for quarter in range(96)]
        for wall in walls:
            at = resolve(day, wall, zone)
            shown = at.astimezone(zone)
            naive = datetime.combine(day, wall)
            assert shown.fold == 0
            assert shown.replace(tzinfo=None) >= naive
            assert shown.replace(tzinfo=None) - naive <= timedelta(hours=3)
            from_before = next_wall(at - timedelta(days=1, hours=4), wall, EVERY_DAY, zone)
            assert at in (from_before, next_wall(from_before, wall, EVERY_DAY, zone))
            assert after(at, Span(1, timedelta(0)), zone) > at
            assert next_wall(at, wall, EVERY_DAY, zone).astimezone(zone).date() > day


@pytest.mark.parametrize(
    "text", ["P", "PT", "P1M", "P1Y", "48h", "PT1.5H", "P1DT", "PT48H ", "P367D", "PT9000H", ""]
)
def test_span_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_span(text)


@pytest.mark.parametrize("text", ["24:00", "9:00", "10:60", "10", "10:00:00"])
def test_wall_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        parse_wall(text)


@pytest.mark.parametrize(
    ("zone", "shop_zone", "used"),
    [
        ("Asia/Tokyo", "Europe/Warsaw", "Asia/Tokyo"),
        ("Mars/Olympus", "Europe/Warsaw", "Europe/Warsaw"),
        ("", "../../etc/passwd", "UTC"),
    ],
)
def test_unknown_zone_falls_back(zone: str, shop_zone: str, used: str) -> None:
    assert zone_of(ContactFacts(zone, "pl", shop_zone)).key == used


@pytest.mark.parametrize(
    ("zone", "country", "hours_long"),
    [
        ("America/New_York", "US", 47),  # the clock goes forward in that night
        ("", "US", 48),  # it does not in Hawaii: nobody in the country is cheated
        ("", "JP", 48),
        ("", "", 48),  # the shop's goes forward three weeks later
    ],
)
def test_a_span_ends_on_the_last_clock_of_their_country(zone: str, country: str, hours_long: int) -> None:
    start = datetime(2026, 3, 7, 15, tzinfo=UTC)
    contact = contact_facts(zone, "en", country, "Europe/Warsaw", "PL")

    assert last_after(start, parse_span("P2D"), contact) - start == timedelta(hours=hours_long)


def test_unknown_zone_can_be_reported() -> None:
    assert [is_known_zone(name) for name in ("Europe/Warsaw", "Mars/Olympus", "Europe", "")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("shop_zone", "country", "planned", "midnight"),
    [
        (
            "Europe/Moscow",
            "RU",
            "2026-06-02T11:58:00+00:00",
            "2026-06-02T21:00:00+00:00",
        ),  # Kamchatka: midnight in 2 min
        ("Europe/Moscow", "RU", "2026-06-02T14:58:00+00:00", "2026-06-02T21:00:00+00:00"),
        ("America/Los_Angeles", "US", "2026-06-03T03:58:00+00:00", "2026-06-03T07:00:00+00:00"),
    ],
)
def test_the_day_of_the_shops_own_people_ends_by_the_shops_clock(
    shop_zone: str, country: str, planned: str, midnight: str
) -> None:
    contact = contact_facts("", "en", country, shop_zone, country)
    assert day_end(datetime.fromisoformat(planned), contact) == datetime.fromisoformat(midnight)
