"""Amounts with their currency; sums never mix currencies."""

import re
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, list_currencies

_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,8})?")  # not \d: that takes the digits of every script
# ISO 4217. The locale data that `format_currency` uses says what is in use: no paras in RSD, which shops do charge.
_NO_PLACES, _THREE = (
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    "BHD IQD JOD KWD LYD OMR TND",
)
_PLACES = {"CLF": 4, "UYW": 4, **dict.fromkeys(_NO_PLACES.split(), 0), **dict.fromkeys(_THREE.split(), 3)}
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
        """Return the amount as people of this locale write it; what is owed is never rounded."""
        places = exponent(self.currency)
        # The locale's pattern has two places, its data on currencies may say none.
        is_usual = places != 2 or self.amount == self.amount.to_integral_value()
        return format_currency(self.amount, self.currency, locale=locale, currency_digits=is_usual)


def exponent(currency: str) -> int:
    """Return how many decimal places the currency has: PLN 2, JPY 0, KWD 3."""
    return _PLACES.get(currency, 2)


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
