"""Random people moved between random versions in the middle of random worlds: nobody loops, nobody is stranded."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recoup.processes.engine.codes import Code, is_final
from recoup.processes.graph.compiling import compile_graph, number_nodes
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.moving.plan import (
    Choice,
    Old,
    Plan,
    also_blocks,
    apply_rule,
    calls_off,
    passed_before,
    rules_of,
    to_block,
)
from recoup.processes.simulator import Simulator
from recoup.processes.worlds import Lane, News
from tests.processes.drawn import END_OF_TIME, documents, worlds
from tests.processes.test_random_worlds import SLOW, fate
from tests.processes.worlds import PLACED, VERSION, shop_with

pytestmark = pytest.mark.faults
NEXT = VERSION + 1


ADDED: list[dict[str, Any]] = [
    {"t": "send", "template": "extra", "out": {"done": ""}},
    {"t": "task", "title": "Call", "within": "P2D", "out": {"done": "", "timeout": ""}},
    {"t": "tag", "add": ["seen"], "out": {"next": ""}},
    {"t": "offer", "percent": "5", "valid": "P3D", "out": {"granted": "", "refused": ""}},
]


@st.composite
def versions(draw: st.DrawFn) -> tuple[ProcessDocument, ProcessDocument]:
    """Draw two versions: any, or the later one with a step added before a block, since by chance alone nobody passes any."""
    old = draw(documents())
    if draw(st.integers(0, 2)) == 0:
        return old, draw(documents())
    raw = old.model_dump(mode="json", by_alias=True, exclude_none=True)
    resting = sorted(name for name, node in raw["nodes"].items() if node["t"] in ("wait", "until", "send"))
    behind, added = draw(st.sampled_from(resting or sorted(raw["nodes"]))), draw(st.sampled_from(ADDED))
    for node in raw["nodes"].values():
        if "out" in node:
            node["out"] = {port: "n50" if to == behind else to for port, to in node["out"].items()}
    if raw["entry"]["first"] == behind:
        raw["entry"]["first"] = "n50"
    raw["nodes"]["n50"] = added | {"out": dict.fromkeys(added["out"], behind)}
    return old, ProcessDocument.model_validate(raw)


@SLOW
@given(versions(), worlds(), st.integers(0, 24) | st.integers(0, 24 * 14), st.booleans(), st.data())
def test_whoever_is_moved_reaches_one_end_with_a_whole_ledger(
    drawn: tuple[ProcessDocument, ProcessDocument],
    news: list[News],
    after: int,
    recomputes: bool,
    data: st.DataObject,
) -> None:
    old, new = drawn
    before = compile_graph(old, salt=9)
    graph = compile_graph(new, salt=9, node_map=number_nodes(new, before.node_map))
    store = shop_with(before)
    simulator = Simulator(store, news, lane=Lane(fate=fate))
    now = PLACED + timedelta(hours=after)
    simulator.run(now)
    choices = {}
    for name in old.nodes:
        same = [Choice.SAME.value] if name in new.nodes else []
        if passed := passed_before(name, old, new):
            same += [also_blocks(passed)] * 12
        choices[name] = data.draw(
            st.sampled_from([*same, Choice.STAY.value, Choice.EXIT.value, *map(to_block, new.nodes)])
        )
    plan = Plan(choices, recomputes)
    rules = {rule.node: rule for rule in rules_of(plan, [Old(VERSION, 1, before)], graph)}
    store.graphs[NEXT] = graph

    moved = set()
    for one in list(store.enrolments.values()):
        rule = rules.get(one.node)
        if rule is None or is_final(one.state):
            continue
        had = {step.node for owner, step in store.ledger if owner == one.id}
        store.save([apply_rule(one, rule, NEXT, now, had=had)], now)
        moved.add(one.id)
        for (owner, step_no), message in store.messages.items():
            if owner == one.id and message.settled_at is None and calls_off(one, rule, step_no):
                message.cancel_requested_at = now
    simulator.run(END_OF_TIME)

    assert simulator.errors == []
    assert all(is_final(enrolment.state) for enrolment in store.enrolments.values())
    for number in store.enrolments:
        codes = [Code(step.outcome) for owner, step in store.ledger if owner == number]
        assert [code.is_exit for code in codes] == [False] * (len(codes) - 1) + [True]
        assert sum(code in (Code.MIGRATED, Code.STOPPED_MIGRATED) for code in codes) == (number in moved)
