"""Price-sensitive buyers through the real engine: sizes of an offer are tried, the report names one, a draft fixes it.

Each buyer has a patience that chance gave them and pays if the size that they were really offered is enough for it. Two
worlds: in one 5 % convinces most, in the other nobody asks for a discount. What is fixed earns no less than 5 % for all.
"""

import random
from collections import defaultdict
from typing import Any

import pytest

from recoup.analytics.intervals import Sums
from recoup.analytics.profit import Worth, least_that_helps
from recoup.processes.engine.codes import Code
from recoup.processes.engine.nodes.offer import OfferEffect
from recoup.processes.graph.compiling import compile_graph
from recoup.processes.graph.validation import load_process
from recoup.processes.memory import MemoryStore
from recoup.processes.simulator import Simulator
from recoup.processes.winning import keep_way
from tests.processes.worlds import PLACED, VERSION, arrival, document, hours
from tests.support.sizes import how_many

pytestmark = pytest.mark.faults

SIZES = ("0", "5", "20")
NODES: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT1H", "out": {"next": "n2"}},
    "n2": {"t": "offer", "sizes": list(SIZES), "valid": "P2D", "out": {"granted": "n3", "refused": "n4"}},
    "n3": {"t": "end"},
    "n4": {"t": "end"},
}
PRICE, COST = 100, 60
# Which share of the buyers pays with each size, and what the report should name.
WORLDS = [({"0": 0.10, "5": 0.45, "20": 0.46}, "5"), ({"0": 0.35, "5": 0.35, "20": 0.35}, "0")]


def played(doc: dict[str, Any], pays: dict[str, float], people: int, seed: int) -> dict[int, list[int]]:
    """Let buyers come; return by arm what each of them was worth."""
    dice, store = random.Random(seed), MemoryStore(PLACED)
    store.graphs[VERSION] = compile_graph(load_process(doc), salt=seed)
    Simulator(store, [arrival(PLACED, subject_id=one, contact_id=one) for one in range(1, people + 1)]).run(
        PLACED + hours(48)
    )
    arms = {owner: step.arm or 0 for owner, step in store.ledger if step.outcome == Code.SPLIT}
    offered = {key: effect.terms["percent"] for key, effect in store.done if isinstance(effect, OfferEffect)}
    found: dict[int, list[int]] = defaultdict(list)
    for key in store.enrolments:
        size = offered.get(key, "0")
        worth = PRICE - int(size) - COST if dice.random() < pays[size] else 0
        found[arms.get(key, 0)].append(worth)
    return found


def worth_of(values: list[int]) -> Worth:
    """Add up what people were worth."""
    sums = Sums(len(values), float(sum(values)), float(sum(one * one for one in values)))
    return Worth(sums, sum(one > 0 for one in values))


@pytest.mark.parametrize(("pays", "right"), WORLDS)
def test_what_the_report_names_and_a_draft_fixes_earns_no_less_than_five_per_cent(
    pays: dict[str, float], right: str
) -> None:
    doc = document(NODES)
    for seed in range(how_many(1, 12)):
        found = played(doc, pays, how_many(6_000, 12_000), seed)

        named = least_that_helps([worth_of(found[arm]) for arm in range(3)], [1, 1, 1], range(3))

        assert named is not None
        assert SIZES[named.number] == right
        fixed, flat = keep_way(doc, "n2", right), keep_way(doc, "n2", "5")
        assert sum(played(fixed, pays, 3_000, 99)[0]) >= sum(played(flat, pays, 3_000, 99)[0])
