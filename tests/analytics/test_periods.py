"""Claims about days, weeks and months of a zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from recoup.analytics.periods import Period, Slice, before, day_start, last_days, period_of_days, slices

WARSAW, NEW_YORK, BEIRUT = ZoneInfo("Europe/Warsaw"), ZoneInfo("America/New_York"), ZoneInfo("Asia/Beirut")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_day_begins_at_midnight_of_the_zone() -> None:
    assert day_start(date(2026, 11, 2), WARSAW) == at("2026-11-01T23:00")
    assert day_start(date(2026, 11, 2), NEW_YORK) == at("2026-11-02T05:00")


def test_a_day_whose_midnight_is_skipped_begins_an_hour_later() -> None:
    assert day_start(date(2026, 3, 29), BEIRUT) == at("2026-03-28T22:00")  # 00:00 does not exist, 01:00 does


def test_the_days_of_a_clock_change_have_23_and_25_hours() -> None:
    spring = slices(period_of_days(date(2026, 3, 29), date(2026, 3, 29), WARSAW), "day", WARSAW)
    autumn = slices(period_of_days(date(2026, 10, 25), date(2026, 10, 25), WARSAW), "day", WARSAW)

    assert [(part.end - part.start).total_seconds() / 3600 for part in (*spring, *autumn)] == [23, 25]


def test_weeks_begin_on_monday_and_are_cut_to_the_period() -> None:
    parts = slices(period_of_days(date(2026, 10, 22), date(2026, 11, 3), WARSAW), "week", WARSAW)

    assert parts == [
        Slice(date(2026, 10, 19), at("2026-10-21T22:00"), at("2026-10-25T23:00")),
        Slice(date(2026, 10, 26), at("2026-10-25T23:00"), at("2026-11-01T23:00")),
        Slice(date(2026, 11, 2), at("2026-11-01T23:00"), at("2026-11-03T23:00")),
    ]


def test_months_are_cut_too() -> None:
    parts = slices(period_of_days(date(2026, 1, 31), date(2026, 3, 1), WARSAW), "month", WARSAW)

    assert [part.first_day for part in parts] == [date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)]
    assert parts[0].start == at("2026-01-30T23:00")


def test_the_last_days_end_with_today_and_the_days_before_end_there() -> None:
    week = last_days(7, now=at("2026-11-01T23:30"), zone=WARSAW)  # the second there

    assert week == Period(at("2026-10-26T23:00"), at("2026-11-02T23:00"))
    assert before(week, zone=WARSAW) == Period(at("2026-10-19T22:00"), at("2026-10-26T23:00"))
