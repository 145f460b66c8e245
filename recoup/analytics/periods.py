"""Periods of a shop: days, weeks and months of its own zone, as instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Step = Literal["day", "week", "month"]


@dataclass(frozen=True, slots=True)
class Period:
    """From an instant up to, not including, another."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Slice:
    """A day, week or month of a zone, cut to the period that it is part of."""

    first_day: date
    start: datetime
    end: datetime


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which a day begins in a zone; the first one where the clock skips midnight."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def period_of_days(first: date, last: date, zone: ZoneInfo) -> Period:
    """Return the period from the beginning of one day to the end of another."""
    return Period(day_start(first, zone), day_start(last + timedelta(days=1), zone))


def last_days(days: int, *, now: datetime, zone: ZoneInfo) -> Period:
    """Return the last so many days, today being one of them."""
    today = now.astimezone(zone).date()
    return period_of_days(today - timedelta(days=days - 1), today, zone)


def before(period: Period, *, zone: ZoneInfo) -> Period:
    """Return the period of as many days before this one."""
    first = period.start.astimezone(zone).date()
    length = period.end.astimezone(zone).date() - first
    return Period(day_start(first - length, zone), period.start)


def slices(period: Period, step: Step, zone: ZoneInfo) -> Sequence[Slice]:
    """Cut a period into days, weeks (from Monday) or months of a zone, none left out."""
    found = []
    day = period.start.astimezone(zone).date()
    if step == "week":
        day -= timedelta(days=day.weekday())
    elif step == "month":
        day = day.replace(day=1)
    while (start := day_start(day, zone)) < period.end:
        following = _following(day, step)
        found.append(Slice(day, max(start, period.start), min(day_start(following, zone), period.end)))
        day = following
    return found


def _following(day: date, step: Step) -> date:
    if step == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day + timedelta(days=7 if step == "week" else 1)
