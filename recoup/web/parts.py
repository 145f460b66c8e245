"""What the reusable parts of a screen take: plain values, worded and linked by the view."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.functional import Promise

Words = str | Promise
"""A text for people: translated already, or when it is shown."""

TONES = ("neutral", "recovered", "due", "failed")


@dataclass(frozen=True, slots=True)
class Link:
    """A word that leads somewhere; with `is_on` it is where one is."""

    label: Words
    url: str
    is_on: bool = False
    count: str = ""
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the numbers on Home; the whole tile leads to the rows that it counts."""

    label: Words
    value: Words
    url: str
    change: str = ""  # "+12.4%" against the period before
    change_words: Words = ""  # "than last week"
    direction: str = "flat"  # up, down, flat: the arrow
    tone: str = "neutral"  # recovered when the change is good, failed when it is bad
    series: Sequence[float] = ()
    is_hero: bool = False


@dataclass(frozen=True, slots=True)
class FilterMenu:
    """A chip that opens a list of values; `value` is the chosen one's word, empty when none is."""

    label: Words
    options: Sequence[Link]
    value: Words = ""
    clear_url: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a list: views as chips, then menus, then what clears them."""

    views: Sequence[Link] = ()
    menus: Sequence[FilterMenu] = ()
    clear_url: str = ""  # only when something is set


@dataclass(frozen=True, slots=True)
class Pager:
    """Paging by key. `summary` says how many rows there are: "1,240 orders" or "10,000+ orders"."""

    summary: Words = ""
    newer_url: str = ""
    older_url: str = ""
    count_url: str = ""  # asks for the exact count when the summary is rounded


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a timeline. `kind` is what the filter above it goes by."""

    at: datetime
    title: Words
    icon: str
    kind: str = ""
    tone: str = "neutral"
    body: Words = ""
    actor: Words = ""
    url: str = ""
    link_label: Words = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Events, newest first, and the kinds that they may be filtered by (code, word)."""

    events: Sequence[Event]
    kinds: Sequence[tuple[str, Words]] = ()
    older_url: str = ""


@dataclass(frozen=True, slots=True)
class NextStep:
    """What the system will do next, with its time: "Second reminder tomorrow 10:00, unless paid."."""

    text: Words
    mood: str = "due"  # quiet when nothing will happen, recovered when all is done
    icon: str = "calendar-clock"
    detail: Words = ""


@dataclass(frozen=True, slots=True)
class Move:
    """A state that a status may move to; some ask for a reason first."""

    code: str
    label: Words
    icon: str = "circle"
    tone: str = "neutral"
    help: Words = ""
    asks: str = ""  # id of the dialog that asks for more before the move


@dataclass(frozen=True, slots=True)
class Choice:
    """A field of a confirm dialog; `options` makes it a select, or with kind `radio` a few to see at once; else a text."""

    name: str
    label: Words
    options: Sequence[tuple[str, Words]] = ()
    help: Words = ""
    is_required: bool = False
    kind: str = "text"  # text, textarea, date, radio


@dataclass(frozen=True, slots=True)
class Confirm:
    """A dialog that says what an action will do; its button names the effect."""

    id: str
    title: Words
    url: str
    button: Words
    text: Words = ""
    effects: Sequence[Words] = ()
    fields: Sequence[Choice] = ()
    hidden: Sequence[tuple[str, str]] = ()
    tone: str = "primary"  # or error


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One row of numbers of a chart; `shown` are the same in words, for hover and table."""

    name: Words
    values: Sequence[float | None]
    shown: Sequence[str]
    tone: str = "recovered"
    kind: str = "bar"  # or line


@dataclass(frozen=True, slots=True)
class Chart:
    """Money or counts by period, in one currency. The table under it holds the same numbers."""

    title: Words
    labels: Sequence[str]  # "3 Nov"
    series: Sequence[ChartSeries]
    summary: Words  # one sentence that says what it shows, for those who do not see it
    titles: Sequence[str] = ()  # "Week 45, 3–9 Nov", for hover and table; else the labels
    period_label: Words = ""
    currency: str = ""
    urls: Sequence[str] = field(default_factory=tuple)  # the rows of each period


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that a person must look at."""

    title: Words
    url: str
    icon: str = "circle-alert"
    tone: str = "due"
    detail: Words = ""
    at: datetime | None = None
    action: Words = ""
    settle_url: str = ""  # POST: ticks it off
