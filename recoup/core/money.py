"""Amounts with their currency; sums never mix currencies."""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision, list_currencies

_AMOUNT = re.compile(r"-?\d{1,12}(\.\d{1,8})?")
_KNOWN = frozenset(list_currencies()) - {"XXX", "XTS"}


class AmountUnreadable(ValueError):
    """The text is not an amount of this currency; nothing is rounded in silence (T19)."""


class CurrencyUnknown(ValueError):
    """The text is not a currency of ISO 4217 (T20)."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the major unit of its currency."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be added")
        return Money(self.amount + other.amount, self.currency)

    def text(self, locale: str) -> str:
        """Return the amount as people of this locale write it."""
        return format_currency(self.amount, self.currency, locale=locale)


def exponent(currency: str) -> int:
    """Return how many decimal places the currency has: PLN 2, JPY 0, KWD 3."""
    return int(get_currency_precision(currency))


def parse_currency(text: str) -> str:
    """Return the currency code in upper case.

    :raises CurrencyUnknown: if there is no such currency.
    """
    code = text.strip().upper()
    if code not in _KNOWN:
        raise CurrencyUnknown(f"{text!r} is not a currency")
    return code


def parse_amount(text: str, currency: str, *, allow_negative: bool = False) -> Decimal:
    """Return the amount of a plain decimal text such as `1499.00`.

    Zeroes beyond the currency's places are dropped; other digits beyond them are refused, as are exponents, signs
    (unless allowed), infinities, separators of thousands and negative zero.

    :raises AmountUnreadable: if the text is anything else.
    """
    text = text.strip()
    if not _AMOUNT.fullmatch(text) or (text.startswith("-") and not allow_negative):
        raise AmountUnreadable(f"{text[:40]!r} is not an amount")
    amount = Decimal(text)
    if amount == 0 and text.startswith("-"):
        raise AmountUnreadable("minus zero is not an amount")
    rounded = amount.quantize(Decimal(1).scaleb(-exponent(currency)))
    if rounded != amount:
        raise AmountUnreadable(f"{text} has more decimal places than {currency}")
    return rounded
