"""What a channel must implement. Loaded by kind through `messaging.channels`."""

from collections.abc import Hashable
from datetime import timedelta
from typing import Protocol

from recoup.messaging.handover import Mail, Outcome, Rejected
from recoup.messaging.models import MailAccount


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
    def counts_attempt(self) -> bool:
        """Whether it was the message's own try and not the server's trouble."""

    @property
    def policy(self) -> bool:
        """Whether the server dislikes what we send or who we are."""

    @property
    def slow_down(self) -> bool:
        """Whether the server asks for fewer messages."""


class Exchange(Protocol):
    """One conversation on an open line. Nothing here raises: whatever breaks, every mail begun gets its outcome."""

    @property
    def owed(self) -> bool:
        """Whether an answer is still to come."""

    @property
    def is_alive(self) -> bool:
        """Whether the line still serves."""

    def began(self, key: Hashable) -> float | None:
        """Return the instant, on the boot clock, at which the mail's DATA was about to be written."""

    def write_next(self, mail: Mail) -> None:
        """Batch way: the content and dot of the open mail, then MAIL, RCPT and DATA of this one, in one write."""

    def write_last(self) -> None:
        """Batch way: the content and dot of the open mail, when no other follows."""

    def open(self, mail: Mail) -> Outcome | None:
        """Single way: sender and recipient; `None` if DATA may follow."""

    def reset(self) -> None:
        """Single way: the check said no."""

    def write_data(self) -> None:
        """Single way: DATA, after which the content follows by itself."""

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


class Channel(Protocol):
    """A way to reach people."""

    def line(self, account: MailAccount) -> Line:
        """Return a line for these settings, not opened yet.

        :raises LineTrouble: if the settings may not be used (the demo talks to its own mailbox alone).
        """

    def verdict_of(self, refusal: Rejected) -> Verdict:
        """Return what follows from a refusal."""

    def retry_delay(self, attempt: int) -> timedelta:
        """Return how long to wait after this many tries."""
