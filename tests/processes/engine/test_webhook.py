"""The block that tells another program: at once, waiting, not taken, too late, in the control group, in test mode."""

from dataclasses import replace
from typing import Any

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Reply
from tests.processes.worlds import ORDER, PLACED, arrival, document, graph_of, hours, shop_with, told

CALL: dict[str, Any] = {"t": "webhook", "endpoint": 3}
GO_ON = {"n1": {**CALL, "out": {"ok": "n2"}}, "n2": {"t": "end"}}
WAITING = {
    "n1": {**CALL, "within": "PT2H", "out": {"ok": "n2", "failed": "n3"}},
    "n2": {"t": "end"},
    "n3": {"t": "end"},
}


def walk(nodes: dict[str, Any], *news: Any, is_test: bool = False, **how: Any) -> MemoryStore:
    store, come = shop_with(graph_of(nodes)), arrival(PLACED, **how)
    come = replace(come, candidate=replace(come.candidate, is_test=is_test))
    Simulator(store, [come, *news]).run(PLACED + hours(99))
    return store


def test_the_call_is_asked_for_and_the_process_goes_on_at_once() -> None:
    store = walk(GO_ON)

    assert [(effect.step_no, effect.at) for _, effect in store.done] == [(1, PLACED)]
    assert told(store) == [("n1", Code.WEBHOOK_ASKED, PLACED), ("n2", Code.COMPLETED, PLACED)]


@pytest.mark.parametrize(
    ("at", "code", "lines"),
    [
        (1, Code.YES, [("n1", Code.YES, 1), ("n2", Code.COMPLETED, 1)]),
        (1, Code.FAILED_WEBHOOK, [("n1", Code.FAILED_WEBHOOK, 1), ("n3", Code.COMPLETED, 1)]),
        (3, Code.YES, [("n1", Code.FAILED_WEBHOOK, 2), ("n3", Code.COMPLETED, 2)]),
    ],
)
def test_it_is_waited_for_until_it_is_taken_or_the_time_is_over(
    at: float, code: Code, lines: list[tuple[str, Code, float]]
) -> None:
    store = walk(WAITING, Reply(PLACED + hours(at), ORDER, 1, "n1", code))

    assert told(store)[1:] == [(node, told_code, PLACED + hours(when)) for node, told_code, when in lines]


@pytest.mark.parametrize("how", [{"holdout_bp": 9_999}, {"is_test": True}])
def test_nobody_is_told_of_the_control_group_or_in_test_mode(how: dict[str, Any]) -> None:
    store = walk(WAITING, **how)

    assert (store.done, len(store.suppressed)) == ([], 1)
    assert told(store) == [("n1", Code.SUPPRESSED, PLACED), ("n2", Code.COMPLETED, PLACED)]


def test_waiting_and_its_other_way_belong_together_and_the_program_is_one_of_the_shop() -> None:
    with pytest.raises(InvalidProcess, match="belong together"):
        load_process(document({"n1": {**CALL, "within": "PT2H", "out": {"ok": "n2"}}, "n2": {"t": "end"}}))
    load_process(document(GO_ON), endpoints={3})
    with pytest.raises(InvalidProcess, match="no other program"):
        load_process(document(GO_ON), endpoints={4})
