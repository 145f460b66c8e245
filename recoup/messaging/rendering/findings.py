"""What a check found, in codes: the words for people stand in `words`, which needs Django."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with a template."""

    code: str
    place: str
    """`subject`, `html` or `text`."""

    line: int = 0
    """Counted from one; zero if it belongs to no line."""

    values: Mapping[str, str] = field(default_factory=dict)
    """What the sentence about it names: the token, the filter, the suggestion."""

    is_blocking: bool = True


def line_of(source: str, index: int) -> int:
    """Return the line, counted from one, on which the character with this index stands."""
    return source.count("\n", 0, max(index, 0)) + 1
