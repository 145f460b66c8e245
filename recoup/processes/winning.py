"""Ending a test of ways: a draft in which everybody takes one of them. Nobody is moved before a person publishes it."""

from datetime import datetime

from recoup.core.activity import Actor
from recoup.processes.drafts import DraftState, draft_of, save_draft
from recoup.processes.graph.editing import Raw, ports_of, rewire, ways_of
from recoup.processes.models import Process


class NoSuchWay(Exception):
    """The draft has no such split, or the split no such way: somebody has changed it meanwhile."""


def keep_way(doc: Raw, block: str, arm: str) -> Raw:
    """Return a document in which whatever led to a split leads along one of its ways; what nothing leads to is dropped.

    :raises NoSuchWay: if there is no such split or way.
    """
    node = doc["nodes"].get(block)
    target = ports_of(node).get(arm) if node is not None and node["t"] == "split" else None
    if target is None or target == block:
        raise NoSuchWay(block, arm)
    for way, led_to in ways_of(doc).items():
        if led_to == block and way.block != block:
            doc = rewire(doc, way, target)
    return doc


def prepare_way(process: Process, block: str, arm: str, *, actor: Actor, now: datetime) -> DraftState:
    """Prepare the draft of a process in which everybody takes one way of a split, on top of what is in the draft.

    :raises NoSuchWay: if there is no such split or way.
    :raises DraftChanged: if somebody changes the draft at this moment.
    """
    state = draft_of(process)
    return save_draft(process, keep_way(state.doc, block, arm), lock=state.lock, actor=actor, now=now)
