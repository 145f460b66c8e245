"""Public holidays of the whole country, where people rest from messages. Regional ones and substitute days are left out."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache

_MONDAY, _THURSDAY = 0, 3


def _easter(year: int) -> date:
    """Return the Easter Sunday of the western churches (Butcher's computation)."""
    golden, century, rest = year % 19, year // 100, year % 100
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    """Return the nth weekday of a month; -1 is the last."""
    if number > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _days(year: int, *fixed: tuple[int, int]) -> set[date]:
    return {date(year, month, day) for month, day in fixed}


def _around_easter(year: int, *days: int) -> set[date]:
    return {_easter(year) + timedelta(days=day) for day in days}


def _poland(year: int) -> set[date]:
    fixed = [(1, 1), (1, 6), (5, 1), (5, 3), (8, 15), (11, 1), (11, 11), (12, 25), (12, 26)]
    if year >= 2025:
        fixed.append((12, 24))
    return _days(year, *fixed) | _around_easter(year, 0, 1, 49, 60)


def _germany(year: int) -> set[date]:
    return _days(year, (1, 1), (5, 1), (10, 3), (12, 25), (12, 26)) | _around_easter(year, -2, 1, 39, 50)


def _russia(year: int) -> set[date]:
    new_year = [(1, day) for day in range(1, 9)]
    return _days(year, *new_year, (2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4))


def _britain(year: int) -> set[date]:
    mondays = {_nth(year, 5, _MONDAY, 1), _nth(year, 5, _MONDAY, -1), _nth(year, 8, _MONDAY, -1)}
    return _days(year, (1, 1), (12, 25), (12, 26)) | _around_easter(year, -2, 1) | mondays


def _america(year: int) -> set[date]:
    mondays = {
        _nth(year, 1, _MONDAY, 3), _nth(year, 2, _MONDAY, 3), _nth(year, 5, _MONDAY, -1),
        _nth(year, 9, _MONDAY, 1), _nth(year, 10, _MONDAY, 2),
    }  # fmt: skip
    return _days(year, (1, 1), (6, 19), (7, 4), (11, 11), (12, 25)) | mondays | {_nth(year, 11, _THURSDAY, 4)}


_COUNTRIES: Mapping[str, Callable[[int], set[date]]] = {
    "PL": _poland,
    "DE": _germany,
    "RU": _russia,
    "GB": _britain,
    "US": _america,
}


@lru_cache(maxsize=64)
def holidays(country: str, year: int) -> frozenset[date]:
    """Return the holidays of a country; none for one that we do not know."""
    days = _COUNTRIES.get(country)
    return frozenset(days(year)) if days is not None else frozenset()


def is_holiday(country: str, day: date) -> bool:
    """Tell whether a day is a holiday in a country."""
    return day in holidays(country, day.year)
