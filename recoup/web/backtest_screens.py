"""What the pages of a process that is tried on past orders show, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recoup.web import parts


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run in the list of those that were asked for."""

    title: parts.Words
    what: parts.Words  # a version or the draft
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
class ChannelRow:
    """What would have gone over a channel, and why it was passed over for the next one."""

    title: parts.Words
    messages: str
    people: str
    sms_parts: str  # empty where a message has none
    cost: str
    passed_over: Sequence[tuple[parts.Words, str]] = ()


@dataclass(frozen=True, slots=True)
class LeftOutLink:
    """A reason for which messages were left out; the number leads to them, if they are kept."""

    why: parts.Words
    count: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class LeftOutLine:
    """A message that was left out."""

    title: parts.Words
    url: str
    person: parts.Words
    step: parts.Words
    at: datetime


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
    channels: Sequence[ChannelRow] = ()
    classes: Sequence[tuple[parts.Words, str]] = ()  # by law
    left_out: Sequence[LeftOutLink] = ()
    languages: Sequence[tuple[parts.Words, str]] = ()  # texts that were missing in somebody's language
