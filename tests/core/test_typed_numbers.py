"""Numbers as people type them in any of our languages, and as they stand in a field."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.core.typed_numbers import NumberTwofold, NumberUnreadable, read_number, write_number

_ANY = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=4)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("1 234,50", "1234.50"),
        ("1\u00a0234,50", "1234.50"),
        ("1\u202f234\u202f567", "1234567"),
        ("1.234,50", "1234.50"),
        ("1,234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        ("1.234.567", "1234567"),
        ("12.5", "12.5"),
        (" 12,5 ", "12.5"),
        ("0,125", "0.125"),
        ("1234.567", "1234.567"),
        ("007", "7"),
        ("−3,5", "-3.5"),
        ("+3", "3"),
    ],
)
def test_a_number_is_read_whoever_typed_it(typed: str, number: str) -> None:
    assert read_number(typed) == Decimal(number)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "dear", "12,50 zł", "1e5", "NaN", "Infinity", "1,2.3", "1.2.3", "12 50", "1 234 5", "12,", ",5", "--1"),
        *("1,234,50", "1.234.56", "1 234.567.890", "١٢", "０", "12;5", "9" * 61),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(NumberUnreadable):
        read_number(typed)


@pytest.mark.parametrize("typed", ["1.250", "1,250", "999.000", "-1,250"])
def test_what_can_be_read_in_two_ways_is_not_guessed(typed: str) -> None:
    with pytest.raises(NumberTwofold) as told:
        read_number(typed)

    assert told.value.whole == told.value.part * 1000
    assert read_number(typed, has_thousandths=True) == told.value.part


@given(_ANY, st.sampled_from(["en", "pl", "ru", "de"]), st.integers(0, 4), st.booleans())
def test_what_a_field_shows_is_read_back_as_the_same_number(
    number: Decimal, language: str, places: int, has_thousandths: bool
) -> None:
    shown = write_number(number, language, places=places, has_thousandths=has_thousandths)

    assert read_number(shown, has_thousandths=has_thousandths) == number
    assert ("." in shown) <= (language == "en")


@given(st.decimals(0, 10**9, places=2), st.sampled_from([" ", "\u00a0", "\u202f", ".", ",", "'", ""]))
def test_thousands_set_apart_change_nothing(number: Decimal, apart: str) -> None:
    point = "," if apart == "." else "."
    typed = f"{number:,.2f}".replace(".", "|").replace(",", apart).replace("|", point)

    assert read_number(typed) == number


@pytest.mark.parametrize(
    ("number", "language", "places", "shown"),
    [
        ("5.00", "pl", 0, "5"),
        ("1234.5", "pl", 2, "1234,50"),
        ("1.255", "en", 2, "1.2550"),
        ("1.255", "de", 2, "1,2550"),
        ("0.125", "ru", 2, "0,125"),
        ("1E+3", "de", 0, "1000"),
        ("-0", "en", 0, "0"),
    ],
)
def test_a_number_is_written_for_its_field(number: str, language: str, places: int, shown: str) -> None:
    assert write_number(Decimal(number), language, places=places) == shown
