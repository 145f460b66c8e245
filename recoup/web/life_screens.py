"""What the pages about the life of a process take: those inside, what would go out, why somebody got something."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from recoup.web.parts import Words


@dataclass(frozen=True, slots=True)
class AheadPanel:
    """What would go out: a sentence, what it is compared with, a line for each text, and what is left out."""

    hour: Words
    day: Words
    unmoved: Words
    texts: Sequence[tuple[Words, str, str]]
    notes: Sequence[Words]


@dataclass(frozen=True, slots=True)
class Behind:
    """What the page of a process says about those on older versions: a sentence and where to go."""

    words: Words
    url: str
    label: Words


@dataclass(frozen=True, slots=True)
class WhyLine:
    """A line of the ledger: when it was done, at which step, what, and why."""

    at: datetime
    step: Words
    what: Words
    why: Words = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """Whether somebody got a message, and why."""

    head: Words
    why: Words
    icon: str
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class WhyProcess:
    """What one process did about an order, a cart or a person."""

    name: Words
    url: str
    answers: Sequence[WhyAnswer]
    lines: Sequence[WhyLine] = ()
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WhyOrder:
    """What each process did about one order of a person."""

    name: Words
    url: str
    processes: Sequence[WhyProcess]


@dataclass(frozen=True, slots=True)
class WalkStop:
    """Something that would happen to the person who is walked through a process."""

    at: datetime
    step: Words
    what: Words
    icon: str
    url: str = ""  # the text, shown as this person
    detail: Words = (
        ""  # of a message: over what it goes, what it costs, what it is by law, or why it does not go
    )


@dataclass(frozen=True, slots=True)
class WalkText:
    """A text that a process sends: where it is shown as this person, where it is sent to oneself, and to what address."""

    name: Words
    url: str
    test_url: str
    to: str  # empty: a short message, and the shop has no number
