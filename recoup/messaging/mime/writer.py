"""One mail from its parts: a skeleton made once for each sender, and quoted-printable bodies, their lines remembered."""

import hashlib
import secrets
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import NamedTuple

from recoup.messaging.handover import CrlfLines
from recoup.messaging.mime.addresses import AddressRefused, wire_address
from recoup.messaging.mime.headers import address_field, mailbox, unstructured

_REMEMBERED_LENGTH = 1000
"""Lines are encoded one by one and remembered unless one is longer: most of a mail is the same as in the mail before."""

_LINE = 76

_BOUNDARY = b"=_" + secrets.token_hex(12).encode()
"""Quoted-printable text never holds `=_`: no body can end its part, and one boundary serves every mail of a process."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: from the shop's settings, never from what a customer typed."""

    name: str
    address: str
    reply_to: str = ""


class MailHeaders(NamedTuple):
    """What differs from mail to mail."""

    to_name: str
    to_address: str
    message_id: str
    """Made at queueing and kept, so that a second try is the same mail."""

    date: datetime
    unsubscribe_link: str | None
    """The https address that takes the POST of RFC 8058; nothing for mails about a purchase."""

    language: str = ""


def new_message_id(sender_domain: str, key: str) -> str:
    """Return the Message-ID for a message's key; the same key gives the same id."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"<{digest}@{wire_address(f'x@{sender_domain}')[2:]}>"


def build_mail(sender: Sender, headers: MailHeaders, *, subject: str, html: bytes, text: bytes) -> CrlfLines:
    """Return the whole mail with CRLF line ends, 7-bit unless the recipient's own address is not.

    :raises AddressRefused: if the recipient is not one address; the sender's was checked when the settings were saved.
    :raises ValueError: if the link to unsubscribe or the Message-ID could break its header.
    """
    to_address = wire_address(headers.to_address)
    skeleton = _skeleton(sender)
    parts = b"".join(
        (
            skeleton.head,
            _date(headers.date),
            b"Message-ID: ",
            _one_token(headers.message_id),
            b"\r\n",
            address_field("To", mailbox(headers.to_name, to_address)),
            unstructured("Subject", subject),
            _leaving(headers.unsubscribe_link) if headers.unsubscribe_link else b"",
            _language(headers.language),
            skeleton.text_part,
            encode_body(text),
            skeleton.html_part,
            encode_body(html),
            skeleton.end,
        )
    )
    return CrlfLines(parts)


def encode_body(body: bytes) -> bytes:
    """Return the body as quoted-printable (RFC 2045, 6.7), whatever line ends it came with.

    Lines end with CRLF, are no longer than 76 characters, and none begins with a dot: nothing is to be doubled on the wire.
    """
    if b"\r" in body:
        body = body.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\0" in body:
        body = body.replace(b"\0", b"")
    lines = body.split(b"\n")
    encode = _remembered_line if max(map(len, lines)) <= _REMEMBERED_LENGTH else _encode_line
    return b"\r\n".join(map(encode, lines))


def _encode_line(line: bytes) -> bytes:
    # The encoder breaks long lines as the first line end of the text does; without one it would write bare line feeds.
    encoded = b2a_qp(line + b"\r\n", istext=True)[:-2]
    # A dot would be doubled on the wire, and the escape of a last blank may make a line too long.
    if encoded.startswith(b".") or b"\n." in encoded or line.endswith((b" ", b"\t")):
        return _wrapped(encoded.replace(b"=\r\n", b""))
    return encoded


def _wrapped(text: bytes) -> bytes:
    """Break a line softly; no escape is cut, and a piece that would begin with a dot begins with its escape."""
    pieces, start = [], 0
    while True:
        lead = b""
        if text.startswith(b".", start):
            lead, start = b"=2E", start + 1
        end = start + _LINE - len(lead)
        if end >= len(text):
            pieces.append(lead + text[start:])
            return b"=\r\n".join(pieces)
        end -= 1
        inside = text.rfind(b"=", end - 2, end)
        end = inside if inside >= 0 else end
        pieces.append(lead + text[start:end])
        start = end


_remembered_line = lru_cache(maxsize=2048)(_encode_line)


@dataclass(frozen=True, slots=True)
class _Skeleton:
    head: bytes
    text_part: bytes
    html_part: bytes
    end: bytes


@lru_cache(maxsize=256)
def _skeleton(sender: Sender) -> _Skeleton:
    head = address_field("From", mailbox(sender.name, wire_address(sender.address)))
    if sender.reply_to:
        head += address_field("Reply-To", wire_address(sender.reply_to))
    head += b"Auto-Submitted: auto-generated\r\n"
    boundary = b'Content-Type: multipart/alternative; boundary="' + _BOUNDARY + b'"\r\n'
    return _Skeleton(
        head=head,
        text_part=b"MIME-Version: 1.0\r\n" + boundary + b"\r\n--" + _BOUNDARY + b"\r\n" + _part(b"plain"),
        html_part=b"\r\n--" + _BOUNDARY + b"\r\n" + _part(b"html"),
        end=b"\r\n--" + _BOUNDARY + b"--\r\n",
    )


def _part(subtype: bytes) -> bytes:
    return (
        b"Content-Type: text/"
        + subtype
        + b"; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )


def _date(moment: datetime) -> bytes:
    """Return the field `Date`; one second's mails share one text."""
    return _date_of(moment.replace(microsecond=0))


@lru_cache(maxsize=64)
def _date_of(moment: datetime) -> bytes:
    return f"Date: {format_datetime(moment)}\r\n".encode("ascii")


def _language(language: str) -> bytes:
    code = language.replace("_", "-").partition("-")[0]
    return f"Content-Language: {code}\r\n".encode("ascii") if code.isalpha() and code.isascii() else b""


def _one_token(token: str) -> bytes:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError("a header token with blanks or control characters")
    return token.encode("ascii")


def _leaving(link: str) -> bytes:
    """Return the two fields of one-click leaving; the address must be https for RFC 8058."""
    token = _one_token(link)
    # The demo runs over http on this machine alone; everywhere else RFC 8058 asks for https.
    if not token.startswith((b"https://", b"http://127.0.0.1", b"http://localhost")):
        raise ValueError("the link to unsubscribe is not https")
    if b"<" in token or b">" in token:
        raise ValueError("the link to unsubscribe holds an angle bracket")
    return b"List-Unsubscribe: <" + token + b">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


__all__ = ["AddressRefused", "MailHeaders", "Sender", "build_mail", "encode_body", "new_message_id"]
