"""The field of amounts: what it shows, takes and refuses in each language."""

from decimal import Decimal

import pytest
from django import forms
from django.utils import translation

from recoup.web.forms.decimals import DecimalField, stored_number


class Sums(forms.Form):
    """A sum with limits."""

    total = DecimalField(required=False, min_value=Decimal("0.01"), max_value=100, decimal_places=2)


@pytest.mark.parametrize(
    ("language", "shown"), [("en", "12.5"), ("pl", "12,5"), ("ru", "12,5"), ("de", "12,5")]
)
@pytest.mark.parametrize("value", [Decimal("12.50"), 12.5, stored_number("12.5")])
def test_a_number_is_shown_with_the_mark_of_the_language(
    language: str, shown: str, value: Decimal | float
) -> None:
    with translation.override(language):
        html = str(Sums(initial={"total": value})["total"])

    assert f'value="{shown}"' in html
    assert ('type="text"' in html, 'inputmode="decimal"' in html) == (True, True)


@pytest.mark.parametrize("typed", ["12,50", "12.5"])
def test_comma_and_point_are_the_same_and_no_change(typed: str) -> None:
    with translation.override("pl"):
        form = Sums({"total": typed}, initial={"total": Decimal("12.50")})

        assert (form.is_valid(), form.cleaned_data["total"], form.changed_data) == (True, Decimal("12.5"), [])
        assert f'value="{typed}"' in str(form["total"])  # as it was typed


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("dear", "12,50"),
        ("1.250", "1250"),
        ("0,001", "0,01"),
        ("0,005", "2"),
        ("101", "100"),
    ],
)
def test_a_refusal_says_what_to_write_as_the_language_does(typed: str, words: str) -> None:
    with translation.override("de"):
        form = Sums({"total": typed})

        assert words in form.errors["total"].as_text()
        assert f'value="{typed}"' in str(form["total"])


def test_a_document_that_holds_no_number_is_left_as_it_is() -> None:
    assert (stored_number(""), stored_number("five"), stored_number(None)) == ("", "five", None)
