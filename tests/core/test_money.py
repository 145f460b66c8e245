"""Amounts are read whole or not at all (T19, T20), and shown as they are owed."""

from decimal import Decimal

import pytest

from recoup.core.money import (
    AmountUnreadable,
    CurrencyUnknown,
    Money,
    exponent,
    parse_amount,
    parse_currency,
)


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("1499.00", "PLN", "1499.00"),
        ("10", "EUR", "10.00"),
        (" 9.9 ", "EUR", "9.90"),
        ("10.500", "EUR", "10.50"),
        ("10.00", "JPY", "10"),
        ("1.234", "KWD", "1.234"),
        ("1499.50", "RSD", "1499.50"),  # nobody mints paras; shops charge them
        ("0", "EUR", "0.00"),
    ],
)
def test_a_plain_amount_is_read(text: str, currency: str, amount: str) -> None:
    read = parse_amount(text, currency)

    assert (read, str(read)) == (Decimal(amount), amount)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("10,00", "EUR"), ("10.005", "EUR"), ("-1", "EUR"), ("-0", "EUR"), ("1e3", "EUR"), ("10.50", "JPY"),
        ("1.2345", "KWD"), ("1 000", "EUR"), ("1,000.00", "EUR"), ("", "EUR"), (".5", "EUR"), ("5.", "EUR"),
        ("+5", "EUR"), ("NaN", "EUR"), ("Infinity", "EUR"), ("0x10", "EUR"), ("１２", "EUR"), ("١٢", "EUR"),
        ("9999999999999", "EUR"), ("1\n2", "EUR"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_and_never_rounded(text: str, currency: str) -> None:
    with pytest.raises(AmountUnreadable):
        parse_amount(text, currency)


def test_a_negative_amount_is_read_where_it_may_stand() -> None:
    assert parse_amount("-1.50", "EUR", allow_negative=True) == Decimal("-1.50")
    with pytest.raises(AmountUnreadable):
        parse_amount("-0.00", "EUR", allow_negative=True)


@pytest.mark.parametrize(("text", "code"), [("pln", "PLN"), (" EUR ", "EUR")])
def test_a_currency_is_read_in_either_case(text: str, code: str) -> None:
    assert parse_currency(text) == code


@pytest.mark.parametrize("text", ["xxx", "", "EURO", "zł", "€", "ABC", "XTS"])
def test_what_is_no_currency_is_refused(text: str) -> None:
    with pytest.raises(CurrencyUnknown):
        parse_currency(text)


@pytest.mark.parametrize(
    ("currency", "places"),
    [("EUR", 2), ("JPY", 0), ("KWD", 3), ("RSD", 2), ("HUF", 2), ("ISK", 0), ("IQD", 3)],
)
def test_places_are_those_of_iso_4217(currency: str, places: int) -> None:
    assert exponent(currency) == places


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1499.00", "EUR", "€1,499.00"),
        ("1499.50", "RSD", "RSD1,499.50"),
        ("1499.00", "RSD", "RSD1,499"),
        ("1499", "JPY", "¥1,499"),
        ("1.234", "KWD", "KWD1.234"),
    ],
)
def test_an_amount_is_shown_as_it_is_owed(amount: str, currency: str, text: str) -> None:
    assert Money(Decimal(amount), currency).text("en") == text


def test_currencies_never_add_up() -> None:
    assert Money(Decimal(1), "EUR") + Money(Decimal(2), "EUR") == Money(Decimal(3), "EUR")
    with pytest.raises(ValueError, match="cannot be added"):
        Money(Decimal(1), "EUR") + Money(Decimal(2), "PLN")
