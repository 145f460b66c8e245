"""The colours of the screens can be read, by day and by night."""

import re
from pathlib import Path

import pytest

from recoup.storefront.theme import contrast

ROOT = Path(__file__).resolve().parents[2]
TOKEN = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
TOKENS = {
    name: (day, night) for name, day, night in TOKEN.findall((ROOT / "frontend/src/tokens.css").read_text())
}

GROUNDS = ("surface", "sunken", "raised", "tile", "tile-hover", "fill", "hover", "selected")
TEXTS = [(words, ground) for words in ("ink", "muted") for ground in GROUNDS]
TEXTS += [("neutral", ground) for ground in ("surface", "sunken", "fill", "neutral-soft")]
for hue in ("recovered", "due", "failed"):
    TEXTS += [(hue, ground) for ground in ("surface", "raised", "hover", "tile", "fill", f"{hue}-soft")]
    TEXTS += [(words, f"{hue}-soft") for words in ("ink", "muted")]
TEXTS += [("recovered", "selected"), ("muted", "neutral-soft")]
FILLS = ("recovered-fill", "recovered-fill-hover", "due-fill", "failed-fill", "failed-fill-hover")
SHAPES = [
    (f"{hue}-bar", ground)
    for hue in ("recovered", "due", "failed", "neutral")
    for ground in ("surface", "tile")
]
SHAPES += [("field-line", "surface"), ("field-line", "raised")]


@pytest.mark.parametrize(("words", "ground"), TEXTS)
@pytest.mark.parametrize("time", [0, 1], ids=["day", "night"])
def test_words_stand_out_by_four_and_a_half(words: str, ground: str, time: int) -> None:
    assert contrast(TOKENS[words][time], TOKENS[ground][time]) >= 4.5


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("time", [0, 1], ids=["day", "night"])
def test_white_words_stand_out_on_every_button(fill: str, time: int) -> None:
    assert contrast("#ffffff", TOKENS[fill][time]) >= 4.5


@pytest.mark.parametrize(("shape", "ground"), SHAPES)
@pytest.mark.parametrize("time", [0, 1], ids=["day", "night"])
def test_bars_and_fields_stand_out_by_three(shape: str, ground: str, time: int) -> None:
    assert contrast(TOKENS[shape][time], TOKENS[ground][time]) >= 3
