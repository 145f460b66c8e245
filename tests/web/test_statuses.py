"""How states look."""

import json
from pathlib import Path

import pytest
from django.db.models import TextChoices

from recoup.core.models import InboxItem
from recoup.messaging.models import Message
from recoup.orders.models import Cart, Order
from recoup.payments.models import Attempt
from recoup.processes.models import Process
from recoup.recovery.models import RecoveryCase
from recoup.web.parts import TONES
from recoup.web.statuses import MARKS, Mark, mark_of

ICONS = json.loads((Path(__file__).resolve().parents[2] / "frontend/icons.json").read_text())["icons"]


def test_every_look_has_an_icon_and_a_hue_that_exist() -> None:
    marks = [mark for kind in MARKS.values() for mark in kind.values()]

    assert {mark.icon for mark in marks} - set(ICONS) == set()
    assert {mark.tone for mark in marks} - set(TONES) == set()


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("order", Order.Status),
        ("payment", Order.PaymentState),
        ("payment", Attempt.State),
        ("cart", Cart.State),
        ("case", RecoveryCase.Outcome),
        ("message", Message.State),
        ("process", Process.Status),
        ("intake", InboxItem.State),
    ],
)
def test_every_state_of_the_shop_has_a_look(kind: str, states: type[TextChoices]) -> None:
    assert set(states.values) - {""} - set(MARKS[kind]) == set()


def test_a_state_that_nobody_drew_is_a_grey_dot() -> None:
    assert mark_of("order", "something_new") == Mark("circle", "neutral")
