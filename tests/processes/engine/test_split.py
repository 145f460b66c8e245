"""Split: the same person always takes the same way, and the ways are as full as their weights."""

from collections import Counter
from typing import Any

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.simulator import Simulator
from tests.processes.worlds import PLACED, arrival, document, hours, sent_at, shop_with, told

TWO = [{"id": "a", "w": 1}, {"id": "b", "w": 1}]


def split(arms: list[dict[str, Any]] = TWO, **out: str) -> dict[str, Any]:
    """Return a process that tries two texts against each other."""
    return document(
        {
            "n1": {"t": "split", "arms": arms, "out": out or {"a": "n2", "b": "n3"}},
            "n2": {"t": "send", "template": "short", "out": {"done": "n4"}},
            "n3": {"t": "send", "template": "long", "out": {"done": "n4"}},
            "n4": {"t": "end"},
        }
    )


def ways_of(raw: dict[str, Any], *, people: int, salt: int = 1) -> dict[int, str]:
    """Return the text that each person got."""
    store = shop_with(compile_graph(load_process(raw), salt=salt))
    news = [arrival(PLACED, subject_id=number, contact_id=number) for number in range(1, people + 1)]
    Simulator(store, news).run(PLACED + hours(1))
    return {
        store.enrolments[message.enrolment_id].contact_id: message.effect.template for message in store.sent()
    }


def test_a_person_takes_one_way_and_the_ledger_tells_which() -> None:
    store = shop_with(compile_graph(load_process(split()), salt=1))

    Simulator(store, [arrival(PLACED)]).run(PLACED + hours(1))

    assert next(code for _, code, _ in told(store)) is Code.SPLIT
    arms = [step.arm for _, step in store.ledger if step.outcome == Code.SPLIT]
    assert [text for text, _ in sent_at(store)] == [("short", "long")[arms[0] or 0]]


def test_ways_are_as_full_as_their_weights() -> None:
    arms = [{"id": "a", "w": 3}, {"id": "b", "w": 1}]

    counted = Counter(ways_of(split(arms), people=4_000).values())

    assert counted["short"] + counted["long"] == 4_000
    assert 0.72 < counted["short"] / 4_000 < 0.78


def test_the_same_person_takes_the_same_way_again_and_another_salt_mixes_anew() -> None:
    first = ways_of(split(), people=200)

    assert ways_of(split(), people=200) == first
    assert (
        60 < sum(first[person] != way for person, way in ways_of(split(), people=200, salt=2).items()) < 140
    )


def test_two_splits_in_a_row_do_not_follow_each_other() -> None:
    raw = document(
        {
            "n1": {"t": "split", "arms": TWO, "out": {"a": "n2", "b": "n2"}},
            "n2": {"t": "split", "arms": TWO, "out": {"a": "n3", "b": "n3"}},
            "n3": {"t": "end"},
        }
    )
    store = shop_with(compile_graph(load_process(raw), salt=1))
    news = [arrival(PLACED, subject_id=number, contact_id=number) for number in range(1, 401)]
    Simulator(store, news).run(PLACED + hours(1))

    arms: dict[int, list[int | None]] = {}
    for owner, step in store.ledger:
        if step.outcome == Code.SPLIT:
            arms.setdefault(owner, []).append(step.arm)

    assert all(70 < count < 130 for count in Counter(map(tuple, arms.values())).values())
    assert len(Counter(map(tuple, arms.values()))) == 4


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (split([{"id": "a", "w": 1}, {"id": "a", "w": 1}], a="n2"), "double_arm"),
        (split(a="n2"), "arm_without_way"),
        (split(a="n2", b="n3", c="n4"), "way_without_arm"),
        (split([{"id": "a", "w": 1}], a="n2"), "wrong_value"),
        (split([{"id": "a", "w": 0}, {"id": "b", "w": 1}]), "wrong_value"),
    ],
)
def test_a_split_that_leads_nowhere_is_refused(raw: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidProcess) as refused:
        load_process(raw)

    assert code in {problem.code for problem in refused.value.problems}
