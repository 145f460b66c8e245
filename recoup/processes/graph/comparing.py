"""What differs between two documents of one process, for the eyes of people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from recoup.processes.graph.editing import Raw


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids of blocks that came, went or differ; and which of the other parts differ."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    rewired: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    has_other_name: bool = False
    has_other_entry: bool = False
    has_other_goals: bool = False
    has_other_examples: bool = False

    def __bool__(self) -> bool:
        return self != Changes()

    def without_remarks(self) -> "Changes":
        """Leave out what makes no version: notes and examples."""
        return replace(self, noted=(), has_other_examples=False)


def compare(before: Raw, after: Raw) -> Changes:
    """Return what somebody did between two documents."""
    old, new = before["nodes"], after["nodes"]
    both = [name for name in _sorted(new) if name in old]
    changed = [name for name in both if _fields(old[name]) != _fields(new[name])]
    return Changes(
        added=tuple(name for name in _sorted(new) if name not in old),
        removed=tuple(name for name in _sorted(old) if name not in new),
        changed=tuple(changed),
        rewired=tuple(
            name for name in both if name not in changed and old[name].get("out") != new[name].get("out")
        ),
        noted=tuple(name for name in both if old[name].get("note") != new[name].get("note")),
        has_other_name=before["name"] != after["name"],
        has_other_entry=_entry(before) != _entry(after),
        has_other_goals=_goals(before) != _goals(after),
        has_other_examples=before.get("examples", []) != after.get("examples", []),
    )


def _sorted(nodes: Mapping[str, Any]) -> list[str]:
    return sorted(nodes, key=lambda name: (len(name), name))


def _fields(node: Raw) -> Raw:
    return {key: value for key, value in node.items() if key not in ("out", "note")}


def _entry(doc: Raw) -> Raw:
    return {key: value for key, value in doc["entry"].items() if key != "first"}


def _goals(doc: Raw) -> set[str]:
    return {goal["on"] for goal in doc.get("goals", [])}
