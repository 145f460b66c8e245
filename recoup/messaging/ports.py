"""What a channel must implement. Loaded by the kind of its account through `messaging.channels`.

Channels differ in seven things, all of them here: whom they reach (`refusal_of`), what they make of a text (`compose`), how
they hand it over (`Line`, `Exchange`), how fresh the last look must be (`fresh`), what an answer means (`verdict_of`),
what it costs (`is_paid`), and what they tell later (`Teller`).
"""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from recoup.messaging.handover import Letter, Outcome, Parcel, Rejected


class LineTrouble(Exception):
    """The server cannot be reached, secured or signed in to: the trouble of the lane, never of a message (F12, F18).

    `is_for_person` says that it will not heal by waiting: somebody must look at the settings.
    """

    def __init__(self, reason: str, *, stage: str, is_for_person: bool) -> None:
        super().__init__(reason)
        self.reason, self.stage, self.is_for_person = reason, stage, is_for_person


class Verdict(Protocol):
    """What follows from a refusal."""

    @property
    def then(self) -> str:
        """`retry`, `fail`, or `halt`: back to due, and the lane stops until somebody has looked."""

    @property
    def suppress(self) -> bool:
        """Whether nothing more is written to this address."""

    @property
    def suppress_as(self) -> str:
        """Why: `bounced`, or `unsubscribed` where the person has said so to the provider."""

    @property
    def counts_attempt(self) -> bool:
        """Whether it was the message's own try and not the server's trouble."""

    @property
    def policy(self) -> bool:
        """Whether the server dislikes what we send or who we are."""

    @property
    def slow_down(self) -> bool:
        """Whether the server asks for fewer messages."""


class Exchange(Protocol):
    """One conversation on an open line. Nothing here raises: whatever breaks, every parcel begun gets its outcome."""

    @property
    def owed(self) -> bool:
        """Whether an answer is still to come."""

    @property
    def is_alive(self) -> bool:
        """Whether the line still serves."""

    def began(self, key: Hashable) -> float | None:
        """Return the instant, on the boot clock, at which the parcel's DATA or request was about to be written."""

    def write_next(self, mail: Any) -> None:
        """Batch way: the content and dot of the open mail, then MAIL, RCPT and DATA of this one, in one write."""

    def write_last(self) -> None:
        """Batch way: the content and dot of the open mail, when no other follows."""

    def open(self, mail: Any) -> Outcome | None:
        """Single way: everything that may be done before the last look; `None` if the message may follow.

        Here, and never later, a channel asks what became of a parcel that was offered before.
        """

    def reset(self) -> None:
        """Single way: the check said no."""

    def write_data(self, before: float = math.inf) -> None:
        """Single way: begin to hand over, not later than `before` on the boot clock, or write nothing at all."""

    def collect(self, timeout: float | None) -> list[tuple[Hashable, Outcome]]:
        """Wait for what is owed and return what is settled since the last call."""


class Pace(Protocol):
    """How many mails to check under one lock: as many as the server takes in 50 ms."""

    @property
    def size(self) -> int:
        """The number found so far."""

    def note(self, count: int, seconds: float) -> None:
        """Learn from what the last lock took."""


class Line(Protocol):
    """An open way to a server, kept between batches."""

    @property
    def pace(self) -> Pace:
        """How fast this server is."""

    @property
    def can_pipeline(self) -> bool:
        """Whether the batch way may be used."""

    def ready(self) -> None:
        """See that the server listens, opening the line anew if need be.

        :raises LineTrouble: if it does not.
        """

    def exchange(self) -> Exchange:
        """Begin to hand over."""

    def close(self) -> None:
        """Say goodbye if possible."""


class Account(Protocol):
    """How a shop sends over a channel; its `adapter` is the kind that serves it."""

    shop_id: int

    @property
    def adapter(self) -> str:
        """The kind of channel that talks to this server or provider."""


class ParcelRefused(Exception):
    """A text cannot be sent to this person over this channel; `reason` is a code of `messaging.reasons`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason, self.detail = reason, detail


class Channel(Protocol):
    """A way to reach people."""

    fresh: float
    """Seconds between the last look and the first byte, at most."""

    is_paid: bool
    """Whether each message costs money, so that the guard of `sender.spending` stands before it."""

    def settings_of(self, account: Any) -> tuple[object, ...]:
        """Return what a kept line depends on; another line is made when it changes."""

    def line(self, account: Any) -> Line:
        """Return a line for these settings, not opened yet.

        :raises LineTrouble: if the settings may not be used (the demo talks to its own mailbox alone).
        """

    def refusal_of(self, account: Any, recipient: str) -> str:
        """Return the reason why this channel never reaches this address, or nothing. Called before a text is written."""

    def compose(self, account: Any, letter: Letter) -> Parcel:
        """Make a parcel of a text.

        :raises ParcelRefused: with the reason.
        """

    def verdict_of(self, refusal: Rejected) -> Verdict:
        """Return what follows from a refusal."""

    def retry_delay(self, attempt: int) -> timedelta:
        """Return how long to wait after this many tries."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a provider, as it came."""

    method: str
    urls: Sequence[str]
    """What may have been called, with its query: at the public address of today first, then at those that it had before.

    A message keeps the address for its reports that was given with it, and proxies change the host that we see.
    """

    headers: Mapping[str, str]
    params: Mapping[str, Sequence[str]]
    """Of the query and the form together."""

    form: Mapping[str, Sequence[str]]
    """Of the form alone: what a signature covers."""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What a provider says became of a message. Reports come twice, late, and in any order."""

    ref: str
    state: str
    """`accepted`, `delivered` or `undelivered`."""

    at: datetime
    code: str = ""
    provider_ref: str = ""
    is_address_gone: bool = False
    """Nothing more is written to this number."""

    is_unsubscribed: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A message from a person. `wish` is `stop`, `start`, or nothing that we understand."""

    sender: str
    text: str
    wish: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What a call says, and what it wants to hear in return."""

    reports: Sequence[DeliveryReport] = ()
    answers: Sequence[Answer] = ()
    reply: str = ""
    content_type: str = "text/plain"


class CallRefused(Exception):
    """The call is not signed by the provider."""


class Teller(Protocol):
    """A channel whose provider calls us."""

    def read_call(self, account: Any, call: Call, *, now: datetime) -> Told:
        """Check a call and return what it says; a word that it does not know says nothing.

        :raises CallRefused: if it is not the provider's.
        """


@dataclass(frozen=True, slots=True)
class Standing:
    """What a provider says about the account."""

    balance: str = ""
    """With its unit; empty if the provider does not say."""


class Accountant(Protocol):
    """A channel whose provider tells what is left."""

    def standing(self, account: Any) -> Standing:
        """Ask for the balance, which also tells whether the credentials are right.

        :raises LineTrouble: if the provider does not answer or does not know us.
        """
