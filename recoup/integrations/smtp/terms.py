"""What both sides of a line go by: how long we wait, what the server can do, and what went over."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds (RFC 5321 4.5.3.2, shortened where nothing can be lost by it)."""

    connect: float = 60.0
    answer: float = 60.0
    data: float = 120.0
    dot: float = 600.0


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the server said that it can do."""

    pipelining: bool = False
    smtputf8: bool = False
    largest_mail: int = 0
    """In bytes; zero if it names no limit."""


@dataclass(slots=True)
class Counts:
    """What went over a connection."""

    opened: int = 0
    accepted: int = 0
    rejected: int = 0
    not_handed: int = 0
    uncertain: int = 0
    written_bytes: int = 0
