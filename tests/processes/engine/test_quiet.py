"""Test mode: everything is decided and nothing leaves. Asked of every kind of effect, so that a new one cannot forget it."""

from dataclasses import replace
from typing import Any

import pytest

from recoup.processes.effects.table import EFFECTS
from recoup.processes.engine.codes import Code, Flag
from recoup.processes.engine.nodes.enrol import EnrolEffect
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.engine.nodes.order_status import StatusEffect
from recoup.processes.engine.nodes.tag import TagEffect
from recoup.processes.engine.nodes.task import TaskEffect
from recoup.processes.engine.nodes.webhook import WebhookEffect
from recoup.processes.engine.records import CallOff, Effect, SendEffect
from recoup.processes.simulator import Simulator
from tests.processes.worlds import PLACED, arrival, graph_of, hours, only, shop_with, told

BLOCKS: dict[type[Effect], dict[str, Any]] = {
    OfferEffect: {"t": "offer", "percent": 5, "valid": "P2D", "out": {"granted": "n2"}},
    SendEffect: {"t": "send", "template": "x", "out": {"done": "n2"}},
    StatusEffect: {"t": "order_status", "to": "cancelled", "reason": "no_answer", "out": {"next": "n2"}},
    TagEffect: {"t": "tag", "add": ["vip"], "out": {"next": "n2"}},
    TaskEffect: {"t": "task", "title": "Call {customer}", "out": {"done": "n2"}},
    WebhookEffect: {"t": "webhook", "endpoint": 3, "out": {"ok": "n2"}},
    EnrolEffect: {"t": "enrol", "process": 9, "out": {"next": "n2"}},
}
# What is made to be looked at: its carrier writes that it is a test, as `test_in_test_mode.py` sees.
MADE_AS_TEST = {OfferEffect, SendEffect, EnrolEffect}


def test_no_kind_of_effect_is_forgotten() -> None:
    assert EFFECTS.keys() - BLOCKS.keys() == {CallOff}  # which does nothing but call off


@pytest.mark.parametrize("effect", BLOCKS, ids=lambda one: one.__name__)
def test_what_could_not_be_called_back_is_not_done_in_test_mode(effect: type[Effect]) -> None:
    store, come = shop_with(graph_of({"n1": BLOCKS[effect], "n2": {"t": "end"}})), arrival(PLACED)

    Simulator(store, [replace(come, candidate=replace(come.candidate, is_test=True))]).run(PLACED + hours(99))

    done = [type(one) for _, one in store.done] + [type(one.effect) for one in store.messages.values()]
    assert only(store).flags & Flag.TEST
    assert [*done, *map(type, store.suppressed)] == [effect]
    if effect not in MADE_AS_TEST:
        assert (done, told(store)[0]) == ([], ("n1", Code.SUPPRESSED, PLACED))
