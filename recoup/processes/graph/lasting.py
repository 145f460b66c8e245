"""How long somebody may be inside of a process by what its blocks say."""

from datetime import timedelta

from recoup.processes.engine.nodes.base import NodeDocument
from recoup.processes.engine.times import parse_span
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.ways import Ways

_SPANS = ("span", "within")  # the fields of blocks that let time pass


def longest_stay(document: ProcessDocument) -> timedelta:
    """Return how long the longest way through a process takes, by spans; waits for a date or a wall time count as none.

    Rings are walked once, as often as their waits are bounded.
    """
    following = {name: tuple(node.ports.values()) for name, node in document.nodes.items()}
    depths = Ways(following).depths(document.entry.first)
    reached = dict.fromkeys(depths, timedelta(0))
    for name in sorted(depths, key=lambda one: depths[one]):
        left_at = reached[name] + _span(document.nodes[name])
        for target in following[name]:
            if depths[target] > depths[name]:
                reached[target] = max(reached[target], left_at)
    return max(reached[name] + _span(document.nodes[name]) for name in reached)


def _span(node: NodeDocument) -> timedelta:
    rounds: int = getattr(node, "max_rounds", None) or 1
    found = timedelta(0)
    for text in (getattr(node, field, None) for field in _SPANS):
        if isinstance(text, str):
            span = parse_span(text)
            found += timedelta(days=span.days) + span.exact
    return found * rounds
