"""The block that gives somebody a task: going on at once, waiting for it, too late, called off, and in the control group."""

from datetime import timedelta
from typing import Any

import pytest

from recoup.desk.titles import WORDS
from recoup.processes.engine.codes import Code
from recoup.processes.engine.nodes.task import PRIORITIES, TITLE_WORDS, TaskEffect
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Reply
from tests.processes.worlds import ORDER, PLACED, arrival, document, graph_of, hours, paid, shop_with, told

ASK: dict[str, Any] = {
    "t": "task",
    "title": "Call {customer}",
    "due": "P1D",
    "priority": "high",
    "role": "clerk",
}
GO_ON = {"n1": {**ASK, "out": {"done": "n2"}}, "n2": {"t": "end"}}
WAITING = {
    "n1": {**ASK, "within": "P2D", "out": {"done": "n2", "timeout": "n3"}},
    "n2": {"t": "end"},
    "n3": {"t": "end"},
}
FAR = PLACED + hours(24 * 30)


def walk(nodes: dict[str, Any], *news: Any, lag: float = 0, **how: Any) -> MemoryStore:
    store = shop_with(graph_of(nodes))
    Simulator(store, [arrival(PLACED, **how), *news], lag=lambda _: hours(lag)).run(FAR)
    return store


def answer(at: float, code: Code = Code.TASK_DONE) -> Reply:
    return Reply(PLACED + hours(at), ORDER, 1, "n1", code)


def test_a_task_is_made_and_the_process_goes_on_at_once() -> None:
    store = walk(GO_ON)

    ((_, effect),) = store.done
    assert effect == TaskEffect(
        1, 1, PLACED, "Call {customer}", "", PLACED + timedelta(days=1), 0, "clerk", None, False
    )
    assert told(store) == [("n1", Code.TASK_MADE, PLACED), ("n2", Code.COMPLETED, PLACED)]


@pytest.mark.parametrize(
    ("news", "lines"),
    [
        ([answer(5)], [("n1", Code.TASK_DONE, 5), ("n2", Code.COMPLETED, 5)]),
        ([answer(5, Code.TASK_DROPPED)], [("n1", Code.TASK_DROPPED, 5), ("n3", Code.COMPLETED, 5)]),
        ([], [("n1", Code.TASK_NOT_DONE, 48), ("n3", Code.COMPLETED, 48)]),
        ([answer(48)], [("n1", Code.TASK_DONE, 48), ("n2", Code.COMPLETED, 48)]),
        ([answer(49)], [("n1", Code.TASK_NOT_DONE, 48), ("n3", Code.COMPLETED, 48)]),
        ([paid(PLACED + hours(6))], [("n1", Code.GOAL_PAID, 6)]),
    ],
)
@pytest.mark.parametrize("lag", [0, 2])
def test_it_is_waited_for_until_the_deadline_however_late_the_worker_is(
    news: list[Any], lines: list[tuple[str, Code, float]], lag: float
) -> None:
    store = walk(WAITING, *news, lag=lag)

    assert told(store)[1:] == [(node, code, PLACED + hours(at)) for node, code, at in lines]


def test_the_control_group_has_no_task_and_the_time_runs_out() -> None:
    store = walk(WAITING, holdout_bp=9_999)

    assert (store.done, len(store.suppressed)) == ([], 1)
    assert told(store) == [
        ("n1", Code.SUPPRESSED, PLACED),
        ("n1", Code.TASK_NOT_DONE, PLACED + hours(48)),
        ("n3", Code.COMPLETED, PLACED + hours(48)),
    ]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"person": 7, "out": {"done": "n2"}}, "task_for_two"),
        ({"within": "P1D", "out": {"done": "n2"}}, "task_wait_without_way"),
        ({"out": {"done": "n2", "timeout": "n2"}}, "task_wait_without_way"),
        ({"title": "Call {nobody}", "out": {"done": "n2"}}, "task_unknown_word"),
        ({"title": " ", "out": {"done": "n2"}}, "wrong_value"),
    ],
)
def test_what_is_no_task_is_refused_with_its_words(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidProcess) as refused:
        load_process(document({"n1": {**ASK, **fields}, "n2": {"t": "end"}}))

    assert [problem.code for problem in refused.value.problems] == [code]
    assert str(refused.value)


def test_the_engine_and_the_desk_mean_the_same_words() -> None:
    assert set(TITLE_WORDS) == set(WORDS)
    assert list(PRIORITIES.values()) == [0, 1, 2]
