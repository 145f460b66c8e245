"""Whose clock counts for a person: their own, else that of their country, else the shop's. The one place that says so."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

# Where clocks stand further apart, a day has hardly an hour that suits all of them.
_WIDEST = timedelta(hours=6)
_SEASONS = (datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC))


class Clocks(NamedTuple):
    """The clocks that a person may live by, for each question that hangs on one.

    People of the shop's own country (that of its clock, if it does not say which) go by the shop's clock; so do, but for the
    end of an offer, those of a country whose clocks are too far apart.
    """

    quiet: tuple[ZoneInfo, ...]  # what is quiet on any of them is quiet
    wait: ZoneInfo  # the one of these that is behind all others: when it shows an hour, all have seen it
    end: ZoneInfo  # on which the end of an offer is shown: read on any other clock of the country it is no later
    ends: tuple[ZoneInfo, ...]  # an offer ends when it ends on the last of them: nobody is cheated


@lru_cache(maxsize=4096)
def clocks_of_person(time_zone: str, country: str, *, shop_zone: str, shop_country: str) -> Clocks:
    """Return the clocks of a person."""
    told = _named(time_zone)
    if told is not None:
        return Clocks((told,), told, told, (told,))
    of_shop = _named(shop_zone) or ZoneInfo("UTC")
    country = country.upper()
    clocks = clocks_of_country(country)
    if not clocks:
        return Clocks((of_shop,), of_shop, of_shop, (of_shop,))
    if _is_home(country, shop_country.upper(), of_shop):
        return Clocks((of_shop,), of_shop, of_shop, (of_shop, *(clocks if len(clocks) > 1 else ())))
    end = min(clocks, key=_shows)
    quiet = clocks if _are_close(clocks) else (of_shop,)
    return Clocks(quiet, min(quiet, key=_shows), end, clocks)


def _is_home(country: str, shop_country: str, of_shop: ZoneInfo) -> bool:
    """Tell whether a country is the shop's own; a shop that did not say which is at home where its clock is."""
    return country == shop_country if shop_country else of_shop.key in _names().get(country, ())


@lru_cache(maxsize=512)
def clocks_of_country(country: str) -> tuple[ZoneInfo, ...]:
    """Return a zone for each clock of a country; none if nobody knows it."""
    clocks: dict[tuple[timedelta, ...], ZoneInfo] = {}
    for name in _names().get(country, ()):
        zone = ZoneInfo(name)
        clocks.setdefault(_shows(zone), zone)
    return tuple(clocks.values())


def _are_close(clocks: tuple[ZoneInfo, ...]) -> bool:
    seasons = zip(*(_shows(zone) for zone in clocks), strict=True)
    return all(max(season) - min(season) <= _WIDEST for season in seasons)


def _shows(zone: ZoneInfo) -> tuple[timedelta, ...]:
    """Return how far a clock is ahead, in winter and in summer."""
    return tuple(at.astimezone(zone).utcoffset() or timedelta() for at in _SEASONS)


@lru_cache(maxsize=1024)
def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder of the database
        return None


@lru_cache(maxsize=1)
def _names() -> dict[str, list[str]]:
    """Read which zones a country has, as the database of zones tells it."""
    found: dict[str, list[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            found.setdefault(country, []).append(name)
    return found
