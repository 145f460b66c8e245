"""One connection of the mail server for tests: what it says, and how it misbehaves (see `smtp_sink`)."""

import base64
import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

_BEHAVIOUR = re.compile(
    rb"\+(?:(\d{3})(verb|data)?|(held|hangverb|hangdot|hangdata|hang|cutverb|cutdata|cutafterdot|cutbefore|cut)|slow([\d.]+))@"
)
_PLAIN_ENVELOPE = re.compile(
    rb"MAIL FROM:<([!-~]*)>[^\r\n]*\r\nRCPT TO:<([!-*,-~]+)>\r\nDATA\r\n",
)
_ADDRESS = re.compile(rb"<([^>]*)>")


def boot_time() -> float:
    """Return the clock that the stamps are made with; the same in every process of the machine."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(slots=True)
class SinkMail:
    """One mail that was taken."""

    sender: str
    recipients: list[str]
    content: bytes
    mail_at: float
    rcpt_at: float
    data_at: float
    dot_at: float
    answer_at: float = 0.0


@dataclass(frozen=True, slots=True)
class SinkOptions:
    """How the server behaves towards everybody."""

    pipelining: bool = True
    smtputf8: bool = False
    largest_mail: int = 0
    starttls: bool = False
    tls: bool = False
    wrong_name: bool = False
    """The certificate names another host."""

    username: str = ""
    password: str = ""
    greeting: str = "220 sink ready"
    delay: float = 0.0
    """Before each answer."""

    quit_after: int = 0
    """A connection that had so many mails taken is told 421 at its next MAIL."""

    most: int = 0
    """After so many mails in all, MAIL is answered 421 and the line closed; 0 is never."""

    data_after_refusal: int = 554
    """What DATA is answered with when every recipient was refused: 554, or 354 as some servers do."""

    enhanced: str = ""
    """Put between code and words of each refusal, such as 5.7.1."""

    keep_content: bool = True
    discard: bool = False
    """Keep nothing in memory: for benches, where the log is enough."""


@dataclass(slots=True)
class Envelope:
    """Who a mail is from and for, and when that was said."""

    sender: bytes = b""
    recipients: list[bytes] = field(default_factory=list)
    refused: bool = False
    mail_at: float = 0.0
    rcpt_at: float = 0.0
    data_at: float = 0.0

    def behaviour(self) -> re.Match[bytes] | None:
        return (
            _BEHAVIOUR.search(self.recipients[-1])
            if self.recipients and b"+" in self.recipients[-1]
            else None
        )


class Hang(Exception):
    """The connection is to say nothing any more."""


class Cut(Exception):
    """The connection is to end without a word."""


class Taker(Protocol):
    """Who writes down what a connection takes."""

    options: SinkOptions
    commands: list[bytes]
    accepted: int
    released: threading.Event

    def take(self, envelope: Envelope, content: bytes) -> SinkMail:
        """Write a mail down."""

    def take_quickly(self, sender: bytes, recipient: bytes, began_at: float, content: bytes) -> None:
        """Write a mail of a bench down."""


class Session:
    """One connection."""

    def __init__(self, sink: Taker, line: socket.socket, context: ssl.SSLContext | None) -> None:
        self.sink, self.line, self.context = sink, line, context
        self.options = sink.options
        self.buffer = bytearray()
        self.out: list[bytes] = []
        self.envelope = Envelope()
        self.taken = 0
        self.is_signed_in = not self.options.username

    def run(self) -> None:
        """Talk until the other side hangs up."""
        if self.options.tls:
            self._secure()
        self._answer(self.options.greeting.encode())
        is_plain = self.options.discard and not self.options.delay and not self.options.quit_after
        while True:
            while is_plain and self._take_quickly():
                pass
            row = self._row()
            if row is None:
                return
            if not self.options.discard:
                self.sink.commands.append(row)
            if not self._command(row):
                self._flush()
                return

    def _take_quickly(self) -> bool:
        """Take a pipelined mail without wishes in one go: benches must not wait for their own server."""
        if not self.buffer:
            self._more()
        match = _PLAIN_ENVELOPE.match(self.buffer)
        if match is None or self.envelope.mail_at or not self.is_signed_in:
            return False
        sender, recipient = match[1], match[2]
        now = boot_time()
        del self.buffer[: match.end()]
        self.out += (b"250 ok", b"250 ok", b"354 go on")
        content = self._content()
        self.sink.take_quickly(sender, recipient, now, content)
        self.out.append(b"250 2.0.0 taken")
        return True

    def _row(self) -> bytes | None:
        while True:
            end = self.buffer.find(b"\r\n")
            if end >= 0:
                row = bytes(self.buffer[:end])
                del self.buffer[: end + 2]
                return row
            if not self._more():
                return None

    def _more(self) -> bool:
        self._flush()
        piece = self.line.recv(262144)
        self.buffer += piece
        return bool(piece)

    def _answer(self, answer: bytes) -> None:
        if self.options.delay:
            self._flush()
            time.sleep(self.options.delay)
        self.out.append(answer)

    def _refuse(self, code: bytes, words: bytes) -> None:
        enhanced = f" {self.options.enhanced}".encode() if self.options.enhanced else b""
        self._answer(code + enhanced + b" " + words)

    def _flush(self) -> None:
        if self.out:
            self.out.append(b"")
            self.line.sendall(b"\r\n".join(self.out))
            self.out.clear()

    def _command(self, row: bytes) -> bool:
        verb = row[:4].upper()
        if verb == b"MAIL":
            return self._mail(row)
        if verb == b"RCPT":
            self._rcpt(row)
        elif verb == b"DATA":
            self._data()
        elif verb in {b"EHLO", b"HELO"}:
            self._hello()
        elif verb == b"RSET":
            self.envelope = Envelope()
            self._answer(b"250 reset")
        elif verb == b"NOOP":
            self._answer(b"250 ok")
        elif verb == b"STAR" and self.context is not None:
            self._start_tls()
        elif verb == b"AUTH":
            self._auth(row)
        elif verb == b"QUIT":
            self._answer(b"221 bye")
            return False
        else:
            self._answer(b"502 unknown")
        return True

    def _hello(self) -> None:
        words = ["sink"]
        words += ["PIPELINING"] if self.options.pipelining else []
        words += ["SMTPUTF8"] if self.options.smtputf8 else []
        words += [f"SIZE {self.options.largest_mail}"] if self.options.largest_mail else []
        words += ["STARTTLS"] if self.options.starttls and not isinstance(self.line, ssl.SSLSocket) else []
        words += ["AUTH PLAIN LOGIN"] if self.options.username else []
        rows = [f"250-{word}" for word in words[:-1]] + [f"250 {words[-1]}"]
        self._answer("\r\n".join(rows).encode())

    def _start_tls(self) -> None:
        self._answer(b"220 go on")
        self._flush()
        self._secure()

    def _secure(self) -> None:
        assert self.context is not None
        self.line = self.context.wrap_socket(self.line, server_side=True)

    def _auth(self, row: bytes) -> None:
        kind, _, first = row[5:].partition(b" ")
        if kind.upper() == b"PLAIN":
            _, username, password = base64.b64decode(first or self._ask(b"")).split(b"\0")
        else:
            username = base64.b64decode(first or self._ask(b"VXNlcm5hbWU6"))
            password = base64.b64decode(self._ask(b"UGFzc3dvcmQ6"))
        self.is_signed_in = (username.decode(), password.decode()) == (
            self.options.username,
            self.options.password,
        )
        self._answer(b"235 welcome" if self.is_signed_in else b"535 5.7.8 wrong user name or password")

    def _ask(self, words: bytes) -> bytes:
        self._answer(b"334 " + words)
        return self._row() or b""

    def _mail(self, row: bytes) -> bool:
        if not self.is_signed_in:
            self._answer(b"530 5.7.0 sign in first")
            return True
        most = self.sink.options.most
        is_full = most and self.sink.accepted >= most
        if is_full or (self.options.quit_after and self.taken >= self.options.quit_after):
            self._answer(b"421 4.7.0 too many mails")
            return False
        if self.envelope.sender or self.envelope.mail_at:
            self._answer(b"503 5.5.1 nested MAIL")
            return True
        address = _ADDRESS.search(row)
        sender = address[1] if address else b""
        found = _BEHAVIOUR.search(sender)
        if found and found[1]:
            self._refuse(found[1], b"sender refused")
            return True
        self.envelope = Envelope(sender=sender, mail_at=boot_time())
        self._answer(b"250 ok")
        return True

    def _rcpt(self, row: bytes) -> None:
        if not self.envelope.mail_at:
            self._answer(b"503 5.5.1 MAIL first")
            return
        address = _ADDRESS.search(row)
        recipient = address[1] if address else b""
        found = _BEHAVIOUR.search(recipient) if b"+" in recipient else None
        if found and found[1] and not found[2]:
            self.envelope.refused = True
            self._refuse(found[1], b"recipient refused")
            if found[1] == b"421":
                self._flush()
                raise Cut
            return
        if found:
            self._misbehave(found[3], b"hang", b"cut")
        self.envelope.recipients.append(recipient)
        self.envelope.rcpt_at = boot_time()
        self._answer(b"250 ok")

    def _misbehave(self, wish: bytes | None, hang: bytes, cut: bytes) -> None:
        if wish == hang:
            self._flush()
            raise Hang
        if wish == cut:
            self._flush()
            raise Cut

    def _data(self) -> None:
        envelope, found = self.envelope, self.envelope.behaviour()
        envelope.data_at = boot_time()
        if not envelope.recipients and not (envelope.refused and self.options.data_after_refusal == 354):
            self._answer(b"554 5.5.1 no valid recipients" if envelope.mail_at else b"503 5.5.1 MAIL first")
            return
        if found:
            self._misbehave(found[3], b"hangverb", b"cutverb")
            if found[1] and found[2] == b"verb":
                self._refuse(found[1], b"not now")
                return
        self._answer(b"354 go on")
        if found:
            self._misbehave(found[3], b"hangdata", b"cutdata")
        content = self._content()
        self.envelope = Envelope()
        if not envelope.recipients:
            self._answer(b"554 5.5.1 no valid recipients")
            return
        self._finish(envelope, content, found)

    def _finish(self, envelope: Envelope, content: bytes, found: re.Match[bytes] | None) -> None:
        if found:
            self._misbehave(found[3], b"hangdot", b"cutbefore")
            if found[1] and found[2] == b"data":
                self._refuse(found[1], b"content refused")
                return
        mail = self.sink.take(envelope, content)
        if found:
            self._misbehave(found[3], b"", b"cutafterdot")
            if found[3] == b"held":
                self._flush()
                self.sink.released.wait()
            if found[4]:
                self._flush()
                time.sleep(float(found[4]))
        self.taken += 1
        mail.answer_at = boot_time()
        self._answer(b"250 2.0.0 taken")

    def _content(self) -> bytes:
        """Return the mail up to the line with a lone dot, which alone ends it, with doubled dots halved."""
        start = 0
        while True:
            if self.buffer.startswith(b".\r\n"):
                del self.buffer[:3]
                return b""
            end = self.buffer.find(b"\r\n.\r\n", start)
            if end >= 0:
                break
            start = max(len(self.buffer) - 5, 0)
            if not self._more():
                raise Cut
        content = bytes(self.buffer[: end + 2])
        del self.buffer[: end + 5]
        if content.startswith(b".."):
            content = content[1:]
        return content.replace(b"\r\n..", b"\r\n.")
