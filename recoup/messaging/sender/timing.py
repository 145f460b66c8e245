"""How long things may take, in seconds. Waits of the sender run on the boot clock, leases on the database's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """The times of a sender; tests shorten them."""

    poll: float = 0.1
    """Between two looks for due lanes: an idle look takes a fraction of a millisecond, and somebody waits for a link."""

    lease: float = 60.0
    """Renewed while its sender lives and knows of the message, so that a dead one's messages are seen within a minute."""

    longest_claim: float = 300.0
    """After this a lease is not renewed any more, even by a living sender (M5)."""

    longest_handing: float = 900.0
    """The same for a message being handed over: 120 s for 354 and 600 s after the dot fit in."""

    sweep: float = 5.0
    fresh: float = 1.0
    """DATA is written only this soon after the check."""

    hold: float = 2.0
    """Locks are held for no longer than this after DATA began."""

    claim: int = 100
    """Messages claimed at once: 16 times as many a second as one by one."""

    reopen: float = 5.0
    """While a backlog is drained, the claim looks below its low-water mark this often."""

    idle_line: float = 30.0
    """An unused line to a server is closed after this."""


TIMING = Timing()
