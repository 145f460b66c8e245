"""Amounts and moments in a reader's language, as babel writes them and ten times faster where that is the same.

Writing thousands of mails with babel alone costs more than all else together. So the shape of a currency or a pattern is
learnt from babel once, checked against it on probes, and then applied; where a probe differs babel itself is used.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time, get_day_names, get_month_names
from babel.numbers import format_currency, get_currency_precision

Write = Callable[[datetime], str]
WriteAmount = Callable[[Decimal], str]

STYLES = ("short", "medium", "long", "full", "time", "datetime", "weekday")

_PROBES = (
    "0",
    "0.01",
    "1",
    "9.99",
    "12.5",
    "999.99",
    "1000",
    "1234.5",
    "12345.67",
    "123456.78",
    "9876543.21",
)


class StyleUnknown(ValueError):
    """There is no such style of a date."""


@lru_cache(maxsize=64)
def known_locale(name: str) -> str:
    """Return the name as babel spells it; English where it knows none."""
    try:
        return str(Locale.parse(name.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return "en"


@lru_cache(maxsize=512)
def moment_writer(style: str, locale: str) -> Write:
    """Return what writes a local moment in a named style, or by percent signs as on Shopify.

    :raises StyleUnknown: if there is no such style or sign.
    """
    if "%" in style:
        return _by_pattern(style, locale)
    match style:
        case "time":
            return lambda local: format_time(local, "short", locale=locale)
        case "datetime":
            return lambda local: format_datetime(local, "medium", locale=locale)
        case "weekday":
            return lambda local: _day_words(local.date(), "EEEE", locale)
        case "short" | "medium" | "long" | "full":
            return lambda local: _day_words(local.date(), style, locale)
    raise StyleUnknown(style)


@lru_cache(maxsize=2048)
def _day_words(day: date, style: str, locale: str) -> str:
    return format_date(day, style, locale=locale)


@lru_cache(maxsize=256)
def amount_writer(currency: str, locale: str) -> WriteAmount:
    """Return what writes amounts of this currency: quick if it agrees with babel on every probe."""

    def by_babel(amount: Decimal) -> str:
        return format_currency(amount, currency, locale=locale)

    places = get_currency_precision(currency)
    sample = by_babel(Decimal("1234567"))
    digits = [index for index, character in enumerate(sample) if character.isdigit()]
    prefix, suffix = sample[: digits[0]], sample[digits[-1] + 1 :]
    group = sample[digits[0] + 1 : digits[1]]
    point = sample[digits[6] + 1 : digits[7]] if places else ""
    signs = str.maketrans({",": group, ".": point})

    def quick(amount: Decimal) -> str:
        if amount < 0:
            return by_babel(amount)
        return f"{prefix}{format(amount, f',.{places}f').translate(signs)}{suffix}"

    agrees = all(quick(Decimal(probe)) == by_babel(Decimal(probe)) for probe in _PROBES)
    return quick if agrees else by_babel


_NUMBERS: dict[str, Write] = {
    "d": lambda local: f"{local.day:02d}",
    "e": lambda local: str(local.day),
    "-d": lambda local: str(local.day),
    "m": lambda local: f"{local.month:02d}",
    "-m": lambda local: str(local.month),
    "y": lambda local: f"{local.year % 100:02d}",
    "Y": lambda local: str(local.year),
    "H": lambda local: f"{local.hour:02d}",
    "-H": lambda local: str(local.hour),
    "I": lambda local: f"{local.hour % 12 or 12:02d}",
    "M": lambda local: f"{local.minute:02d}",
    "S": lambda local: f"{local.second:02d}",
    "%": lambda _local: "%",
}


def _names(word: str, locale: str) -> Write | None:
    """Return what writes the name of the month or day that a sign stands for."""
    if word in {"B", "b"}:
        months = get_month_names("wide" if word == "B" else "abbreviated", locale=locale)
        return lambda local: str(months[local.month])
    if word in {"A", "a"}:
        days = get_day_names("wide" if word == "A" else "abbreviated", locale=locale)
        return lambda local: str(days[local.weekday()])
    if word == "p":
        return lambda local: format_time(local, "a", locale=locale)
    return None


def _by_pattern(pattern: str, locale: str) -> Write:
    parts: list[str | Write] = []
    before, sign, rest = pattern.partition("%")
    parts.append(before)
    while sign:
        word = rest[:2] if rest.startswith("-") else rest[:1]
        write = _NUMBERS.get(word) or _names(word, locale)
        if write is None:
            raise StyleUnknown(pattern)
        before, sign, rest = rest[len(word) :].partition("%")
        parts += [write, before]
    return lambda local: "".join(part if isinstance(part, str) else part(local) for part in parts)
