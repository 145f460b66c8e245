"""What a channel that hands mails over is given, and what became of each: the words between the sending loop and a line.

Free of Django. Three endings are certain and one is not: a mail whose last byte was written and never answered may or may
not have arrived (RFC 1047), and only a person can say what to do about it.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class CrlfLines(bytes):
    """Content that ends with a CRLF, has no other line ends, and no line that begins with a dot.

    What `mime.writer` makes, and nothing else, is called so.
    """


class Stage(StrEnum):
    """How far a mail had come."""

    CONNECT = "connect"
    TLS = "tls"
    AUTH = "auth"
    SENDER = "mail"
    RECIPIENT = "rcpt"
    DATA = "data"
    CONTENT = "content"
    """From the end of the content on: the final dot was written."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The server took responsibility. What follows is known of channels that take HTTP."""

    answer: str
    ref: str = ""
    """The provider's own name for it."""

    parts: int | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The server said no, in words that are kept."""

    code: int
    enhanced: str
    """`5.1.1`, if the server gave one."""

    stage: Stage
    text: str
    permanent: bool
    about_address: bool
    """The recipient's address is at fault, not the sender, the content or the server's mood."""


@dataclass(frozen=True, slots=True)
class NotHanded:
    """The final dot was not written: the mail has certainly not been taken and is due again."""

    reason: str
    stage: Stage
    is_ours: bool = False
    """We were too slow and wrote nothing: it is due again at once and no try of the message was lost."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The final dot was written, or may have been, and no answer came."""

    reason: str
    may_repeat: bool = False
    """The provider knows the message by our reference and takes it once: it may be offered a second time."""


Outcome = Accepted | Rejected | NotHanded | Uncertain


class Letter(NamedTuple):
    """A text written for one person, its links filled in: what a channel makes a parcel of."""

    key: Hashable
    recipient: str
    to_name: str
    message_ref: str
    locale: str
    at: datetime
    subject: str
    html: bytes
    text: bytes
    unsubscribe_link: str | None = None
    handed_at: datetime | None = None
    """When it was offered before and nobody knows what became of it."""


class Parcel(Protocol):
    """What a channel hands over: made ready before any lock is taken, and for the wire of that channel alone."""

    @property
    def key(self) -> Hashable:
        """Names the message."""


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """One short message, as it goes out."""

    key: Hashable
    sender: str
    recipient: str
    text: str
    ref: str
    """Ours: the idempotency key where the provider knows such, and what its reports name."""

    parts: int
    price: Decimal
    currency: str
    country: str
    report_url: str = ""
    handed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail for one recipient, made ready for the wire before any lock is taken."""

    key: Hashable
    sender: str
    """The envelope sender, where bounces go."""

    recipient: str
    content: bytes

    wire: bytes = b""
    """Content and final dot as written; computed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "wire", to_wire(self.content))


def to_wire(content: bytes) -> bytes:
    """Return the content with CRLF line ends only, leading dots doubled, and the line with the dot at its end.

    A server that takes a bare line feed for a line end would otherwise see a second mail in the middle of this one.
    """
    if isinstance(content, CrlfLines):
        return content + b".\r\n"
    line_ends = content.count(b"\r\n")
    if content.count(b"\n") != line_ends or content.count(b"\r") != line_ends:
        content = _BARE_LINE_END.sub(b"\r\n", content)
    if not content.endswith(b"\r\n"):
        content += b"\r\n"
    if content.startswith(b"."):
        content = b"." + content
    if b"\n." in content:
        content = content.replace(b"\r\n.", b"\r\n..")
    return content + b".\r\n"
