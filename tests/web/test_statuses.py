"""How states look."""

import json
from pathlib import Path

from recoup.web.parts import TONES
from recoup.web.statuses import MARKS, Mark, mark_of

ICONS = json.loads((Path(__file__).resolve().parents[2] / "frontend/icons.json").read_text())["icons"]


def test_every_look_has_an_icon_and_a_hue_that_exist() -> None:
    marks = [mark for kind in MARKS.values() for mark in kind.values()]

    assert {mark.icon for mark in marks} - set(ICONS) == set()
    assert {mark.tone for mark in marks} - set(TONES) == set()


def test_a_state_that_nobody_drew_is_a_grey_dot() -> None:
    assert mark_of("order", "something_new") == Mark("circle", "neutral")
