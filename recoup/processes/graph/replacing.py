"""What a document names of its shop, and other names for it when it comes from another one.

One walk serves both: what is asked about when a file comes in is what is replaced. A block that names more of the shop
adds its field here (docs/adding-a-block.md).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from recoup.processes.graph.editing import Raw


class Named(StrEnum):
    """Kinds of things that a document names by a key or a number of its shop."""

    TEXT = "text"
    PRODUCT = "product"
    PROCESS = "process"
    PROGRAM = "program"
    PERSON = "person"
    SOURCE = "source"


NUMBERED = frozenset({Named.PROCESS, Named.PROGRAM, Named.PERSON})
NOT_CHOSEN = 0  # no number of anything: it came with a file, and nothing of this shop was chosen for it
_OPEN = "? "  # before the name of a product or source for which nothing was chosen; no reference begins so
_LONGEST_OPEN = 160
_KEYS = {
    "template": Named.TEXT,
    "products": Named.PRODUCT,
    "gift": Named.PRODUCT,
    "process": Named.PROCESS,
    "endpoint": Named.PROGRAM,
    "person": Named.PERSON,
}
_FACTS = {
    "order.products": Named.PRODUCT,
    "cart.products": Named.PRODUCT,
    "contact.bought": Named.PRODUCT,
    "order.source": Named.SOURCE,
    "cart.source": Named.SOURCE,
}
Rename = Callable[[Named, Any], Any]


def names_in(doc: Raw) -> dict[Named, set[str]]:
    """Return what the entry and the blocks of a document name, by kind; what was left open names nothing."""
    found: dict[Named, set[str]] = {kind: set() for kind in Named}

    def note(kind: Named, value: Any) -> Any:
        if not is_open(kind, value):
            found[kind].add(str(value))
        return value

    for part in (doc["entry"], *doc["nodes"].values()):
        _part(part, note)
    return found


def replace_names(doc: Raw, rename: Rename) -> Raw:
    """Return the document with everything called as this shop calls it, in its examples too."""
    changed = {
        **doc,
        "entry": _part(doc["entry"], rename),
        "nodes": {name: _part(node, rename) for name, node in doc["nodes"].items()},
    }
    if "examples" in doc:
        changed["examples"] = [_example(one, rename) for one in doc["examples"]]
    return changed


def left_open(kind: Named, called: str) -> Any:
    """Return what stands for something of another shop until one of ours is chosen; it cannot be published."""
    if kind in NUMBERED:
        return NOT_CHOSEN
    return _OPEN + "".join(letter for letter in called if letter.isprintable())[:_LONGEST_OPEN]


def is_open(kind: Named, value: Any) -> bool:
    """Tell whether nothing of this shop was chosen yet."""
    if kind in NUMBERED:
        return bool(value == NOT_CHOSEN)
    return kind is not Named.TEXT and str(value).startswith(_OPEN)


def has_open(part: Raw) -> bool:
    """Tell whether a block or entry names something that was left open."""
    found: list[bool] = []

    def note(kind: Named, value: Any) -> Any:
        found.append(is_open(kind, value))
        return value

    _part(part, note)
    return any(found)


def _part(part: Mapping[str, Any], rename: Rename) -> Raw:
    """Walk a block or an entry, also one of which an example says only a few fields. Its ways and its words are left."""
    changed: Raw = {}
    for key, value in part.items():
        if key in _KEYS and value is not None:
            changed[key] = _renamed(_KEYS[key], value, rename)
        elif key == "if" and isinstance(value, Mapping):
            changed[key] = _condition(value, rename)
        elif key == "on" and isinstance(value, Mapping):
            changed[key] = _part(value, rename)
        elif key == "otherwise" and isinstance(value, list):
            changed[key] = [_part(way, rename) if isinstance(way, Mapping) else way for way in value]
        else:
            changed[key] = value
    return changed


def _condition(value: Mapping[str, Any], rename: Rename) -> Raw:
    if "f" in value:
        kind = _FACTS.get(value["f"])
        if kind is None or value.get("v") is None:
            return dict(value)
        return {**value, "v": _renamed(kind, value["v"], rename)}
    return {
        key: [_condition(part, rename) for part in inner]
        if isinstance(inner, list)
        else _condition(inner, rename)
        for key, inner in value.items()
    }


def _example(example: Raw, rename: Rename) -> Raw:
    changed = dict(example)
    for key in ("order", "cart"):
        if isinstance(changed.get(key), Mapping):
            changed[key] = _part(changed[key], rename)
    if "happens" in changed:
        changed["happens"] = [_part(one, rename) for one in changed["happens"]]
    if "expect" in changed:
        changed["expect"] = [{**one, "block": _part(one["block"], rename)} for one in changed["expect"]]
    return changed


def _renamed(kind: Named, value: Any, rename: Rename) -> Any:
    if isinstance(value, list):  # two of theirs may be one of ours
        return list(dict.fromkeys(rename(kind, one) for one in value))
    return rename(kind, value)
