"""Ending a test of ways, or of the sizes of an offer: a draft in which everybody takes one of them.

Nobody is moved before a person publishes it.
"""

from datetime import datetime
from decimal import Decimal

from recoup.core.activity import Actor
from recoup.processes.drafts import DraftState, draft_of, save_draft
from recoup.processes.graph.editing import Raw, ports_of, rewire, ways_of
from recoup.processes.models import Process


class NoSuchWay(Exception):
    """The draft has no such split, or the split no such way: somebody has changed it meanwhile."""


class NothingLeft(Exception):
    """Without the block whoever enters is at the end: such a draft could never be published."""


def keep_way(doc: Raw, block: str, arm: str) -> Raw:
    """Return a document in which whatever led to a split leads along one of its ways; what nothing leads to is dropped.

    :raises NoSuchWay: if there is no such split or way.
    """
    node = doc["nodes"].get(block)
    if node is not None and node["t"] == "offer" and node.get("sizes"):
        return _keep_size(doc, block, node, arm)
    target = ports_of(node).get(arm) if node is not None and node["t"] == "split" else None
    if target is None or target == block:
        raise NoSuchWay(block, arm)
    return _lead_past(doc, block, target)


def _keep_size(doc: Raw, block: str, node: Raw, size: str) -> Raw:
    """Return a document in which an offer has one of its sizes; of the size 0 it is left out, as for those who got none."""
    wanted = next((one for one in node["sizes"] if f"{Decimal(str(one)).normalize():f}" == size), None)
    if wanted is None:
        raise NoSuchWay(block, size)
    if Decimal(str(wanted)) == 0:
        target = node["out"].get("refused") or node["out"]["granted"]
        if target == block:
            raise NoSuchWay(block, size)
        return _lead_past(doc, block, target)
    kept = {key: value for key, value in node.items() if key != "sizes"}
    return {**doc, "nodes": {**doc["nodes"], block: {**kept, node.get("kind", "percent"): wanted}}}


def _lead_past(doc: Raw, block: str, target: str) -> Raw:
    for way, led_to in ways_of(doc).items():
        if led_to == block and way.block != block:
            doc = rewire(doc, way, target)
    return doc


def prepare_way(process: Process, block: str, arm: str, *, actor: Actor, now: datetime) -> DraftState:
    """Prepare the draft of a process in which everybody takes one way of a split, on top of what is in the draft.

    :raises NoSuchWay: if there is no such split or way.
    :raises NothingLeft: if nothing but an end would be left.
    :raises DraftChanged: if somebody changes the draft at this moment.
    """
    state = draft_of(process)
    doc = keep_way(state.doc, block, arm)
    if not ports_of(doc["nodes"][doc["entry"]["first"]]):
        raise NothingLeft(block, arm)
    return save_draft(process, doc, lock=state.lock, actor=actor, now=now)
