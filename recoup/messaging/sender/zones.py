"""Whose clock quiet hours go by: the person's own, else that of their country, else the shop's."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from recoup.messaging.sender.limits import zone_of

# Where clocks stand further apart, a day has hardly an hour that suits all of them.
_WIDEST = timedelta(hours=6)
_SEASONS = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))


def zones_of_person(
    time_zone: str, country: str, *, shop_zone: str, shop_country: str
) -> tuple[ZoneInfo, ...]:
    """Return the clocks that a person may live by; where it is one of several, what is quiet on any of them is quiet.

    People of the shop's own country, and of one whose clocks are too far apart, go by the shop's clock.
    """
    if not time_zone and country and country.upper() != shop_country.upper():
        found = zones_of_country(country.upper())
        if found:
            return found
    return (zone_of(time_zone or shop_zone, shop_zone),)


@lru_cache(maxsize=512)
def zones_of_country(country: str) -> tuple[ZoneInfo, ...]:
    """Return a zone for each clock of a country; none where they stand too far apart or nobody knows it."""
    clocks: dict[tuple[timedelta, ...], ZoneInfo] = {}
    for name in _names().get(country, ()):
        zone = ZoneInfo(name)
        clocks.setdefault(tuple(at.astimezone(zone).utcoffset() or timedelta() for at in _SEASONS), zone)
    spans = [max(season) - min(season) for season in zip(*clocks, strict=True)]
    return tuple(clocks.values()) if all(span <= _WIDEST for span in spans) else ()


@lru_cache(maxsize=1)
def _names() -> dict[str, list[str]]:
    """Read which zones a country has, as the database of zones tells it."""
    found: dict[str, list[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            found.setdefault(country, []).append(name)
    return found
