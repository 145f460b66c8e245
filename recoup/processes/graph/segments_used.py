"""Which saved segments a document has taken conditions from. The document names them for people; it stands without them."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

Raw = dict[str, Any]
ENTRY = "entry"


class Used(NamedTuple):
    """A segment, by the name it had, at a block or at the entry."""

    at: str
    id: int
    name: str


def segments_in(doc: Raw) -> Iterator[Used]:
    """Yield where a document names segments, the entry first."""
    for at, part in [(ENTRY, doc["entry"]), *doc["nodes"].items()]:
        if part.get("segment"):
            yield Used(at, part["segment"]["id"], part["segment"]["name"])


def without_segments(doc: Raw, known: Collection[tuple[int, str]] = ()) -> Raw:
    """Return a document that names only segments known by key and name; the conditions stay."""

    def kept(part: Raw) -> Raw:
        named = part.get("segment")
        if not named or (named["id"], named["name"]) in known:
            return part
        return {key: value for key, value in part.items() if key != "segment"}

    nodes = {name: kept(node) for name, node in doc["nodes"].items()}
    return {**doc, "entry": kept(doc["entry"]), "nodes": nodes}
