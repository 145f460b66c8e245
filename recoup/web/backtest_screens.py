"""What the pages of a process that is tried on past orders show, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recoup.web import parts


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the list of those that were asked for."""

    title: parts.Words
    url: str
    state: parts.Words
    at: datetime
    who: str


@dataclass(frozen=True, slots=True)
class BlockRow:
    """What became of everybody at one block: words with their counts."""

    title: parts.Words
    messages: str  # that would have gone; empty for a block that sends none
    ends: Sequence[tuple[parts.Words, str]]


@dataclass(frozen=True, slots=True)
class SampleRow:
    """An order or a cart that was tried."""

    title: parts.Words
    url: str
    messages: str
    first_at: datetime | None
    end: parts.Words
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """Something that the facts cannot tell, and what was taken for it."""

    title: parts.Words
    detail: parts.Words
    count: str = ""


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A whole result."""

    sentence: parts.Words
    tiles: Sequence[parts.Tile]
    chart: parts.Chart
    blocks: Sequence[BlockRow]
    facts: Sequence[tuple[parts.Words, str]]
    turned_away: Sequence[tuple[parts.Words, str]]
    unknown: Sequence[UnknownRow]
    samples: Sequence[SampleRow]
    is_about_carts: bool
