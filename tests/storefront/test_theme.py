"""A shop may choose any colour; its buyers can read it."""

import re

from hypothesis import given
from hypothesis import strategies as st

from recoup.storefront.theme import contrast, theme_css

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_a_readable_colour_is_kept_as_it_is() -> None:
    assert theme_css("#1f6f50").startswith(":root{--shop:#1f6f50;--on-shop:#ffffff;--shop-ink:#1f6f50}")


@given(COLOURS)
def test_words_are_readable_on_every_colour(colour: str) -> None:
    shop, on_shop, ink, night = re.findall(r"#[0-9a-f]{6}", theme_css(colour))

    assert contrast(shop, on_shop) >= 4.5
    assert contrast(ink, "#ffffff") >= 4.5
    assert contrast(night, "#11181d") >= 4.5
