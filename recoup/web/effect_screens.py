"""What the pages about what a process brought show, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from recoup.web import parts
from recoup.web.screens import Action, CountLink


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One of the two groups, or one way of a split."""

    label: parts.Words
    people: CountLink
    paid: CountLink
    rate: parts.Words
    money: Sequence[parts.Words]  # for one person, one of each currency
    difference: parts.Words = ""  # from the first way, with its range
    profit: Sequence[parts.Words] = ()  # of one person, one of each currency
    profit_difference: Sequence[parts.Words] = ()  # from the first way, or from those left alone
    detail: parts.Words = ""
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class CountedRow:
    """One way to count: what a message is credited with, or what would not have come without."""

    label: parts.Words
    paid: CountLink
    money: Sequence[parts.Words]
    detail: parts.Words = ""


@dataclass(frozen=True, slots=True)
class SplitPart:
    """The ways of a split beside each other."""

    title: parts.Words
    sentence: parts.Words
    since: parts.Words
    rows: Sequence[GroupRow]
    left_out: Sequence[parts.Words] = ()  # what the profit does not know
    is_of_sizes: bool = False


@dataclass(frozen=True, slots=True)
class EffectPage:
    """What a process, or all of them, brought."""

    sentence: parts.Words
    tone: str  # recovered, due, failed or neutral
    note: parts.Words
    groups: Sequence[GroupRow]
    counted: Sequence[CountedRow]
    facts: Sequence[tuple[parts.Words, CountLink]]
    chart: parts.Chart | None
    splits: Sequence[SplitPart] = field(default_factory=tuple)
    left_out: Sequence[parts.Words] = ()  # what the profit does not know


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody whom a number counts."""

    name: str
    url: str
    subject: parts.Words
    subject_url: str
    entered_at: datetime
    is_alone: bool
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class BroughtRow:
    """A line of the report: a process, or the whole shop, in a period."""

    label: parts.Words
    url: str
    credited: CountLink
    credited_money: Sequence[parts.Words]
    treated: parts.Words
    alone: parts.Words
    brought: parts.Words
    brought_money: Sequence[parts.Words]
    detail: parts.Words = ""
