"""The block that tags a person: in virtual time, late, and in the control group."""

from typing import Any

import pytest

from recoup.processes.engine.codes import Code
from recoup.processes.engine.nodes.tag import TagEffect
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.simulator import Simulator
from tests.processes.worlds import PLACED, arrival, document, graph_of, hours, shop_with, told

TAG = {
    "n1": {"t": "wait", "for": "PT2H", "out": {"next": "n2"}},
    "n2": {"t": "tag", "add": ["vip"], "remove": ["new"], "out": {"next": "n3"}},
    "n3": {"t": "end"},
}


def test_somebody_is_tagged_at_the_instant_that_was_due_however_late_the_worker_is() -> None:
    store = shop_with(graph_of(TAG))

    Simulator(store, [arrival(PLACED)], lag=lambda _: hours(5)).run(PLACED + hours(48))

    ((_, effect),) = store.done
    assert effect == TagEffect(1, 2, PLACED + hours(2), ("vip",), ("new",), False)
    assert told(store) == [
        ("n2", Code.TAGGED, PLACED + hours(2)),
        ("n3", Code.COMPLETED, PLACED + hours(2)),
    ]


def test_the_control_group_is_not_tagged_and_walks_at_the_same_instants() -> None:
    store = shop_with(graph_of(TAG))

    Simulator(store, [arrival(PLACED, holdout_bp=9_999)]).run(PLACED + hours(48))

    assert (store.done, len(store.suppressed)) == ([], 1)
    assert told(store)[0] == ("n2", Code.SUPPRESSED, PLACED + hours(2))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "tag_without_tags"),
        ({"add": ["a,b"]}, "bad_tag"),
        ({"add": ["  "]}, "bad_tag"),
        ({"add": ["x" * 41]}, "bad_tag"),
        ({"add": ["VIP"], "remove": ["vip"]}, "tag_on_and_off"),
    ],
)
def test_what_is_no_tag_is_refused_with_its_words(fields: dict[str, Any], code: str) -> None:
    nodes = {"n1": {"t": "tag", **fields, "out": {"next": "n2"}}, "n2": {"t": "end"}}

    with pytest.raises(InvalidProcess) as refused:
        load_process(document(nodes))

    assert [problem.code for problem in refused.value.problems] == [code]
