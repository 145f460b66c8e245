"""Spans, wall times and zones. Every wait becomes one UTC instant when it starts.

A wall time that does not exist moves forward by the gap, an ambiguous one is the first (RFC 5545, 3.3.5);
`fold=0` of `zoneinfo` gives exactly this.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from recoup.segments.facts import ContactFacts

_SPAN = re.compile(
    r"(?P<sign>-)?P(?:(?P<weeks>\d{1,3})W)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?"
)
_WALL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
LONGEST = timedelta(days=366)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))


class Span(NamedTuple):
    """A length of time: whole days of the calendar, then exact elapsed time."""

    days: int
    exact: timedelta

    @property
    def is_positive(self) -> bool:
        """Tell whether the span leads forward."""
        return self.days > 0 or self.exact > timedelta(0)


def parse_span(text: str) -> Span:
    """Read an ISO 8601 duration of weeks, days, hours, minutes and seconds.

    `PT48H` is elapsed time, `P2D` the same wall time two days later, `P1DT2H` one day of the calendar and
    then two hours. Months and years are refused: they have no one length.

    :raises ValueError: if the text is no such duration or longer than a year.
    """
    match = _SPAN.fullmatch(text)
    parts = (
        {key: int(value) for key, value in match.groupdict().items() if value and key != "sign"}
        if match
        else {}
    )
    if match is None or not parts:
        raise ValueError(text)
    sign = -1 if match["sign"] else 1
    days = parts.get("weeks", 0) * 7 + parts.get("days", 0)
    exact = timedelta(
        hours=parts.get("hours", 0), minutes=parts.get("minutes", 0), seconds=parts.get("seconds", 0)
    )
    if timedelta(days=days) + exact > LONGEST:
        raise ValueError(text)
    return Span(sign * days, sign * exact)


def parse_wall(text: str) -> time:
    """Read a wall time such as `10:00`.

    :raises ValueError: if the text is none.
    """
    match = _WALL.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return time(int(match[1]), int(match[2]))


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder of the database
        return None


def is_known_zone(name: str) -> bool:
    """Tell whether the name is an IANA zone, so that whoever stores one can report that it is not."""
    return _zone(name) is not None


_UTC = ZoneInfo("UTC")


def zone_of(contact: ContactFacts | None) -> ZoneInfo:
    """Return the zone by which a person waits: their own, else that of their country, else the shop's, else UTC."""
    if contact is None:
        return _UTC
    return _zone(contact.zone) or _zone(contact.wait_zone) or _zone(contact.shop_zone) or _UTC


def resolve(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which a clock in the zone shows this wall time."""
    return datetime.combine(day, wall, zone).astimezone(UTC)


def after(start: datetime, span: Span, zone: ZoneInfo) -> datetime:
    """Return the instant that lies one span after the start."""
    if not span.days:
        return start + span.exact
    local = start.astimezone(zone)
    wall = local.time().replace(fold=0)  # from a second pass of an hour, still to the first
    return resolve(local.date() + timedelta(days=span.days), wall, zone) + span.exact


def last_after(start: datetime, span: Span, contact: ContactFacts | None) -> datetime:
    """Return when a span is over on the last of the clocks that a person may live by."""
    return max(after(start, span, zone) for zone in _clocks_of(contact))


def day_end(at: datetime, contact: ContactFacts | None) -> datetime:
    """Return when the calendar day of an instant is over on the first of the clocks by which a person is written to.

    These are the clocks of quiet hours: by others of their country nothing is planned, so their midnight ends no day.
    """
    zones = {zone_of(contact)}
    if contact is not None and _zone(contact.zone) is None:
        zones = {zone for name in contact.quiet_zones if (zone := _zone(name)) is not None} or zones
    return min(resolve(at.astimezone(zone).date() + timedelta(days=1), time(), zone) for zone in zones)


def _clocks_of(contact: ContactFacts | None) -> set[ZoneInfo]:
    zones = {zone_of(contact)}
    if contact is not None and _zone(contact.zone) is None:
        zones |= {zone for name in contact.end_zones if (zone := _zone(name)) is not None}
    return zones


def next_wall(
    start: datetime, wall: time, weekdays: frozenset[int], zone: ZoneInfo, *, may_be_now: bool = False
) -> datetime:
    """Return the next instant at which the clock shows the wall time on one of the weekdays (0 is Monday).

    It lies strictly after the start unless `may_be_now`. A day that the zone leaves out counts as the day on
    which its clock goes on.
    """
    day = start.astimezone(zone).date() - timedelta(days=1)
    while True:
        at = resolve(day, wall, zone)
        is_ahead = at > start or (may_be_now and at == start)
        if is_ahead and at.astimezone(zone).weekday() in weekdays:
            return at
        day += timedelta(days=1)
