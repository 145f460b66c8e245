"""Codes that nobody can guess and everybody can read out."""

import pytest

from recoup.offers.codes import ALPHABET, LENGTH, folded, new_code, shown


def test_codes_differ_and_hold_nothing_that_looks_like_something_else() -> None:
    codes = {new_code() for _ in range(10_000)}

    assert len(codes) == 10_000
    assert {len(code) for code in codes} == {LENGTH}
    assert not set("".join(codes)) - set(ALPHABET)
    assert not set(ALPHABET) & set("0O1IL5S8B2ZUV")


def test_a_code_is_found_however_it_was_typed() -> None:
    code = "34679CDFGHJK"

    assert shown(code) == "3467-9CDF-GHJK"
    assert [folded(text) for text in (shown(code), f"  {code.lower()} ", "3467 9cdf ghjk\n")] == [code] * 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "34679СDFGHJK",  # a Cyrillic С
        "34679CDFGHJK\u200b",  # an invisible space
        "34679CDFGHJ",
        "34679CDFGHJO",
        "3" * 200,
        "ＸＹＸＹＸＹＸＹＸＹＸＹ",
    ],
)
def test_what_is_no_code_of_ours_is_none(text: str) -> None:
    assert folded(text) == ""
