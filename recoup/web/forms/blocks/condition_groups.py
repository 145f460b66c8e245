"""A condition as rows and groups of a form: how its parts belong together, and whether a form can show it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from recoup.processes.graph.editing import Raw
from recoup.segments.field import FieldType
from recoup.segments.fields import FIELDS
from recoup.web.forms.blocks.condition_rows import is_shown

MOST_ROWS = 60
MOST_PARTS = 20  # of one group
DEEPEST = 4  # groups within the first one


@dataclass(slots=True)
class Row:
    """One question."""

    path: str
    fact: str


@dataclass(slots=True)
class Group:
    """Questions and groups that belong together. The first one has an empty path."""

    path: str
    match: str = "all"
    parts: list["Group | Row"] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        """Yield every row, also those of groups within."""
        for part in self.parts:
            if isinstance(part, Row):
                yield part
            else:
                yield from part.rows()

    def groups(self) -> Iterator["Group"]:
        """Yield this group and those within."""
        yield self
        for part in self.parts:
            if isinstance(part, Group):
                yield from part.groups()

    @property
    def depth(self) -> int:
        """Return how many groups it lies in."""
        return len(self.path.split("_")) if self.path else 0


def place_in(path: str, number: int) -> str:
    return f"{path}_{number}" if path else str(number)


def parts_of(raw: Raw) -> tuple[str, list[Raw]]:
    """Return how the parts of a condition belong together, and the parts; a comparison is a group of one."""
    for key in ("all", "any"):
        if key in raw:
            return key, raw[key]
    if "not" in raw:
        inner = raw["not"]
        if "all" in inner or "any" in inner:
            match, parts = parts_of(inner)
            return f"not_{match}", parts
        return "not_any", [inner]
    return "all", [raw]


def grouped(raw: Raw, path: str) -> Group:
    match, parts = parts_of(raw)
    group = Group(path, match)
    for number, part in enumerate(parts):
        place = place_in(path, number)
        group.parts.append(Row(place, part["f"]) if "f" in part else grouped(part, place))
    return group


def can_be_shown(raw: Raw | None) -> bool:
    if raw is None:
        return True
    root = grouped(raw, "")
    rows = list(_comparisons(raw))
    return (
        all(is_shown(one) for one in rows)
        and len(rows) <= MOST_ROWS
        and all(len(group.parts) <= MOST_PARTS and group.depth <= DEEPEST for group in root.groups())
    )


def _comparisons(raw: Raw) -> Iterator[Raw]:
    if "f" in raw:
        yield raw
        return
    for part in parts_of(raw)[1]:
        yield from _comparisons(part)


def same(before: Raw, found: Raw) -> bool:
    """Tell whether two conditions are one, however their groups of one are written."""
    return bool(_plain(before) == _plain(found))


def _plain(raw: Raw) -> Any:
    if "f" in raw:
        known = FIELDS.get(raw["f"])
        value = raw.get("v")
        if known is not None and known.type is FieldType.NUMBER and value is not None:
            value = [str(one) for one in value] if isinstance(value, list) else str(value)
        return (raw["f"], raw["op"], value, raw.get("within"), raw.get("currency"))
    match, parts = parts_of(raw)
    plain = [_plain(part) for part in parts]
    if len(plain) == 1:
        return ("not", plain[0]) if match.startswith("not_") else plain[0]
    return (match, plain)
