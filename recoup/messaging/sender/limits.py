"""Caps in sliding windows and quiet hours: pure, over instants and zones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from recoup.messaging.sender.holidays import is_holiday

DAY, WEEK = timedelta(days=1), timedelta(days=7)
KEPT = 16  # hand-overs that a gate remembers
_SPREAD = timedelta(minutes=20)  # leaving quiet hours together would make a peak
_DAYS_AHEAD = 8


@dataclass(frozen=True, slots=True)
class Caps:
    """How many reminders a person and an order get."""

    per_day: int = 2
    per_week: int = 5
    per_order: int = 3


def free_from(recent: Sequence[datetime], caps: Caps, now: datetime) -> datetime:
    """Return the first instant, from `now` on, at which one more reminder is within the caps.

    Windows slide: 23:00 and 00:00 are an hour apart and not two days.
    """
    free = now
    for span, most in ((DAY, caps.per_day), (WEEK, caps.per_week)):
        inside = sorted(at for at in recent if at > now - span)
        if len(inside) >= most:
            free = max(free, inside[len(inside) - most] + span)
    return free


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which a channel stays silent; over midnight if they end before they begin."""

    starts: time
    ends: time
    weekdays: tuple[int, ...] = ()  # of the day on which they begin; empty is every day
    keeps_holidays: bool = False  # public holidays of the person's country are quiet all day


def zone_of(*names: str) -> ZoneInfo:
    """Return the first zone that exists; UTC if none does."""
    for name in names:
        try:
            return ZoneInfo(name) if name else ZoneInfo("UTC")
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return ZoneInfo("UTC")


def loud_from(
    hours: Sequence[Quiet], zones: Sequence[ZoneInfo], now: datetime, *, contact_id: int, country: str = ""
) -> datetime:
    """Return the first instant, from `now` on, that is outside of all quiet hours on each of these clocks.

    After quiet hours people are spread over twenty minutes, everybody always at the same place.
    """
    loud = now
    for _ in range(_DAYS_AHEAD):
        ends = [_end_of(quiet, zone, loud, country) for quiet in hours for zone in zones]
        end = max(ends, default=loud)
        if end <= loud:
            break
        loud = end
    return loud if loud == now else loud + _place(contact_id)


def _place(contact_id: int) -> timedelta:
    digest = blake2b(contact_id.to_bytes(8, "big"), digest_size=4).digest()
    return timedelta(seconds=int.from_bytes(digest, "big") % int(_SPREAD.total_seconds()))


def _end_of(quiet: Quiet, zone: ZoneInfo, at: datetime, country: str) -> datetime:
    """Return when the quiet hours end that hold at an instant; the instant itself if none hold."""
    today = at.astimezone(zone).date()
    if quiet.keeps_holidays and is_holiday(country, today):
        return datetime.combine(today + DAY, time(), zone).astimezone(UTC)
    for day in (today - DAY, today):
        begins, ends = _span(quiet, zone, day)
        if begins <= at < ends and (not quiet.weekdays or day.weekday() in quiet.weekdays):
            return ends
    return at


def _span(quiet: Quiet, zone: ZoneInfo, day: date) -> tuple[datetime, datetime]:
    last = day if quiet.ends > quiet.starts else day + DAY
    begins = datetime.combine(day, quiet.starts, zone).astimezone(UTC)
    return begins, datetime.combine(last, quiet.ends, zone).astimezone(UTC)
