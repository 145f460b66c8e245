"""Sums, numbers and instants in the words of a language: for screens, mails and files alike."""

import re
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from babel.units import format_unit
from django.utils.translation import gettext as _

from recoup.core.money import Money

NO_VALUE = "–"
_LETTERS_THEN_DIGITS = re.compile(r"(?<=[^\W\d_])(?=\d)")
_FRESH = timedelta(minutes=1)
_COUNTED_UNTIL = timedelta(days=7)
_HOURS_UNTIL = timedelta(hours=72)  # sellers say "24 hours" and "48 hours", not "1 day"


@lru_cache(maxsize=64)
def locale_of(language: str) -> Locale:
    """Return the Babel locale of a Django language code; English for one that Babel does not know."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en")


def money(sum_: Money, language: str) -> str:
    """Write a sum with its currency: "1 299,00 zł" in Polish."""
    return _money(sum_.amount, sum_.currency, language)


@lru_cache(maxsize=4096)  # a list shows the same prices again and again
def _money(amount: Decimal, currency: str, language: str) -> str:
    return _apart(format_currency(amount, currency, locale=locale_of(language)))


def money_whole(sum_: Money, language: str) -> str:
    """Write a sum without its minor units: for tiles and charts, never for what somebody has to pay."""
    locale = locale_of(language)
    pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
    shown = format_currency(sum_.amount, sum_.currency, format=pattern, locale=locale, currency_digits=False)
    return _apart(shown)


def _apart(shown: str) -> str:
    """Put a space between a currency's letters and its digits, as CLDR asks and Babel does not."""
    return _LETTERS_THEN_DIGITS.sub("\N{NO-BREAK SPACE}", shown)


def number(value: Decimal | float, language: str) -> str:
    """Write a number with the thousands of the language."""
    return format_decimal(value, locale=locale_of(language))


def compact(value: Decimal | float, language: str) -> str:
    """Write a large number shortly: "12.4K"."""
    return format_compact_decimal(value, locale=locale_of(language), fraction_digits=1)


def percent(share: Decimal | float | None, language: str, digits: int = 1) -> str:
    """Write a share (0.2097) as "20.97%", with so many digits; the share of nothing is a dash."""
    if share is None:
        return NO_VALUE
    locale = locale_of(language)
    whole = locale.percent_formats[None].pattern
    pattern = whole.replace("#,##0", "#,##0." + "0" * digits) if digits else whole
    return format_percent(share, format=pattern, locale=locale)


def duration(span: timedelta, language: str) -> str:
    """Write a span as sellers do: "30 minutes", "24 hours", "7 days", in the plural form of the language."""
    locale, length = locale_of(language), abs(span)
    if timedelta(hours=1) <= length <= _HOURS_UNTIL:
        return format_unit(round(length / timedelta(hours=1), 1), "duration-hour", locale=locale)
    if length > _HOURS_UNTIL:
        return format_unit(round(length / timedelta(days=1)), "duration-day", locale=locale)
    return format_timedelta(length, threshold=1, locale=locale)


def day(at: datetime, zone: tzinfo, language: str) -> str:
    """Write the day of an instant: "22 Nov 2026"."""
    pattern = "d MMM y" if language.startswith("en") else "medium"
    return format_date(at.astimezone(zone).date(), pattern, locale=locale_of(language))


def long_day(on: date, language: str) -> str:
    """Write a day within a sentence, also at its end: "22 November 2026"."""
    pattern = "d. MMMM y" if language.startswith("de") else "d MMMM y"
    return format_date(on, pattern, locale=locale_of(language))


def clock(at: datetime, zone: tzinfo, language: str) -> str:
    """Write the time of day of an instant: "14:05"."""
    return format_time(at, "HH:mm", tzinfo=zone, locale=locale_of(language))


def exact(at: datetime, zone: tzinfo, language: str) -> str:
    """Write an instant whole: "22 Nov 2026, 14:05"."""
    return f"{day(at, zone, language)}, {clock(at, zone, language)}"


def ago(at: datetime, *, now: datetime, zone: tzinfo, language: str) -> str:
    """Write how far an instant is: "2 h ago", "in 3 days"; its day when that is more than a week."""
    distance = at - now
    if abs(distance) < _FRESH:
        return _("just now")
    if abs(distance) >= _COUNTED_UNTIL:
        return _short_day(at, now, zone, language)
    words = format_timedelta(
        distance, add_direction=True, threshold=1, format="short", locale=locale_of(language)
    )
    if language.startswith("en"):
        words = words.replace(" hr.", " h").replace(" min.", " min")
    return words


def upcoming(at: datetime, *, now: datetime, zone: tzinfo, language: str) -> str:
    """Write when something will be: "today 14:05", "tomorrow 10:00", "Thu 26 Nov, 10:00"."""
    time, local, today = clock(at, zone, language), at.astimezone(zone).date(), now.astimezone(zone).date()
    if local == today:
        return _("today %(time)s") % {"time": time}
    if local == today + timedelta(days=1):
        return _("tomorrow %(time)s") % {"time": time}
    if local == today - timedelta(days=1):
        return _("yesterday %(time)s") % {"time": time}
    return f"{_short_day(at, now, zone, language, weekday=True)}, {time}"


def _short_day(at: datetime, now: datetime, zone: tzinfo, language: str, *, weekday: bool = False) -> str:
    local = at.astimezone(zone)
    if local.year != now.astimezone(zone).year:
        return day(at, zone, language)
    pattern = {"en": "d MMM", "de": "d. MMM"}.get(language[:2], "d MMM")
    return format_date(local.date(), f"EEE {pattern}" if weekday else pattern, locale=locale_of(language))
