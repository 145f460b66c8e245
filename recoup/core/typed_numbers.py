"""Decimal numbers as people type them, in any of our languages, and as they stand in a field: never guessed, never lost."""

import re
from decimal import Decimal

from babel.numbers import get_decimal_symbol

from recoup.core.humane import locale_of

_MINUS = str.maketrans("\N{MINUS SIGN}", "-")
# Not \d: that takes the digits of every script. Spaces and apostrophes part thousands alone, never decimals.
_PLAIN = re.compile(r"([-+]?)([0-9]+)(?:[.,]([0-9]+))?")
_APART = re.compile(
    r"([-+]?)([0-9]{1,3}(?:(?P<mark>[.,'’\s])[0-9]{3})(?:(?P=mark)[0-9]{3})*)(?:([.,])([0-9]+))?"
)
_TWO_READINGS = re.compile(r"[-+]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_MOST = 60  # signs; numbers of people are shorter, and longer ones are somebody trying


class NumberUnreadable(ValueError):
    """The text is no number."""


class NumberTwofold(NumberUnreadable):
    """The text is a thousand to one and a little more than one to another: 1,250."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.whole = Decimal(re.sub("[.,]", "", text))
        self.part = Decimal(text.replace(",", "."))


def read_number(text: str, *, has_thousandths: bool = False) -> Decimal:
    """Return the number that somebody typed: `12,5`, `12.5`, `1 234,50`, `1.234,50` and `1,234.50` alike.

    With `has_thousandths` a mark before three digits parts decimals: sums of currencies with three places are so.

    :raises NumberTwofold: if a mark before three digits could part thousands as well as decimals.
    :raises NumberUnreadable: if it is no number.
    """
    text = " ".join(text.split()).translate(_MINUS)
    if len(text) > _MOST:
        raise NumberUnreadable(text[:_MOST])
    if not has_thousandths and _TWO_READINGS.fullmatch(text):
        raise NumberTwofold(text)
    if plain := _PLAIN.fullmatch(text):
        sign, whole, part = plain.groups()
    elif (apart := _APART.fullmatch(text)) and apart["mark"] != apart[4]:
        sign, whole, part = apart[1], re.sub("[^0-9]", "", apart[2]), apart[5]
    else:
        raise NumberUnreadable(text)
    return Decimal(f"{sign}{whole}.{part}" if part else f"{sign}{whole}")


def write_number(value: Decimal, language: str, *, places: int = 0, has_thousandths: bool = False) -> str:
    """Return a number as it stands in a field: with the mark of the language, and at least so many decimals.

    What is written is read back as the same number; a nought is added where it could be read in two ways.
    """
    text = f"{value.normalize():f}" if value else "0"
    whole, _point, part = text.partition(".")
    part = part.ljust(places, "0")
    if not has_thousandths and _TWO_READINGS.fullmatch(f"{whole}.{part}"):
        part += "0"
    return whole + (get_decimal_symbol(locale_of(language)) + part if part else "")
