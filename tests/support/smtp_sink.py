"""A mail server for tests and benches: takes everything, misbehaves on request, and writes down what it took before it says so.

How it treats a mail is chosen by the recipient, after a plus sign: `u+550@` is refused at RCPT, `u+451data@` after the content,
`u+550verb@` at DATA, `u+hang@`, `u+hangverb@` and `u+hangdot@` are never answered, `u+cut@`, `u+cutverb@`, `u+cutdata@` lose the
line, `u+cutafterdot@` is taken and loses it before the answer, `u+cutbefore@` is lost with it, `u+slow0.5@` is answered half a
second late. A sender `s+550@` is refused at MAIL.

As a program: `python -m tests.support.smtp_sink --port 0 --log FILE`; it prints one JSON line with its port and runs until SIGTERM.
"""

import argparse
import base64
import json
import os
import re
import signal
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.certificates import throwaway_certificate

_BEHAVIOUR = re.compile(rb"\+(?:(\d{3})(verb|data)?|(hangverb|hangdot|hang|cutverb|cutdata|cutafterdot|cutbefore|cut)|slow([\d.]+))@")
_ADDRESS = re.compile(rb"<([^>]*)>")
_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.IGNORECASE | re.MULTILINE)


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

    data_after_refusal: int = 554
    """What DATA is answered with when every recipient was refused: 554, or 354 as some servers do."""

    enhanced: str = ""
    """Put between code and words of each refusal, such as 5.7.1."""

    keep_content: bool = True
    discard: bool = False
    """Keep nothing in memory: for benches, where the log is enough."""


@dataclass(slots=True)
class _Envelope:
    sender: bytes = b""
    recipients: list[bytes] = field(default_factory=list)
    refused: bool = False
    mail_at: float = 0.0
    rcpt_at: float = 0.0
    data_at: float = 0.0

    def behaviour(self) -> re.Match[bytes] | None:
        return _BEHAVIOUR.search(self.recipients[-1]) if self.recipients and b"+" in self.recipients[-1] else None


class _Hang(Exception):
    pass


class _Cut(Exception):
    pass


class SmtpSink:
    """The server; a context manager that listens on 127.0.0.1 while it is open."""

    def __init__(
        self, options: SinkOptions | None = None, *, port: int = 0, log: Path | None = None, bodies: Path | None = None
    ) -> None:
        self.options = options or SinkOptions()
        self._mails: list[SinkMail] = []
        self.commands: list[bytes] = []
        """Every command line, as it came."""

        self.connections = 0
        self.accepted = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._log = os.open(log, flags, 0o600) if log else -1
        self._bodies = os.open(bodies, flags, 0o600) if bodies else -1
        self._body_offset = os.fstat(self._bodies).st_size if bodies else 0
        self._folder = tempfile.TemporaryDirectory(prefix="sink-")
        self.ca_file = ""
        self._context = self._make_context() if self.options.starttls or self.options.tls else None
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def mails(self) -> list[SinkMail]:
        """Return what was taken so far."""
        with self._lock:
            return list(self._mails)

    def stop(self) -> None:
        """Close every line at once."""
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            lines = list(self._open)
        for line in lines:
            _hang_up(line)
        for thread in self._threads:
            thread.join(timeout=5)
        for descriptor in (self._log, self._bodies):
            if descriptor >= 0:
                os.close(descriptor)
        self._folder.cleanup()

    def _make_context(self) -> ssl.SSLContext:
        name = "elsewhere.example" if self.options.wrong_name else "127.0.0.1"
        certificate, key = throwaway_certificate(Path(self._folder.name), name)
        self.ca_file = str(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(line)
            self._start(lambda line=line: self._serve(line))  # type: ignore[misc]

    def _serve(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.options.tls and self._context:
                line = self._context.wrap_socket(line, server_side=True)
            _Session(self, line, self._context).run()
        except _Hang:
            self._stopping.wait()
        except (_Cut, OSError):
            pass
        finally:
            _hang_up(line)
            with self._lock:
                self._open.discard(line)

    def take(self, envelope: _Envelope, content: bytes) -> SinkMail:
        """Write a mail down; the caller answers only after that."""
        dot_at = boot_time()
        mail = SinkMail(
            sender=envelope.sender.decode("utf-8", "replace"),
            recipients=[address.decode("utf-8", "replace") for address in envelope.recipients],
            content=content if self.options.keep_content else b"",
            mail_at=envelope.mail_at,
            rcpt_at=envelope.rcpt_at,
            data_at=envelope.data_at,
            dot_at=dot_at,
        )
        with self._lock:
            self.accepted += 1
            if not self.options.discard:
                self._mails.append(mail)
            if self._bodies >= 0:
                os.write(self._bodies, content)
            if self._log >= 0:
                os.write(self._log, self._row(mail, content))
            self._body_offset += len(content)
        return mail

    def _row(self, mail: SinkMail, content: bytes) -> bytes:
        found = _MESSAGE_ID.search(content, 0, 4096)
        message_id = found[1].decode("ascii", "replace") if found else ""
        to = mail.recipients[0] if len(mail.recipients) == 1 else ",".join(mail.recipients)
        return (
            f'{{"from":{json.dumps(mail.sender)},"to":{json.dumps(to)},"message_id":{json.dumps(message_id)},'
            f'"mail_at":{mail.mail_at:.6f},"rcpt_at":{mail.rcpt_at:.6f},"data_at":{mail.data_at:.6f},'
            f'"dot_at":{mail.dot_at:.6f},"offset":{self._body_offset},"size":{len(content)}}}\n'
        ).encode()


class _Session:
    """One connection."""

    def __init__(self, sink: SmtpSink, line: socket.socket, context: ssl.SSLContext | None) -> None:
        self.sink, self.line, self.context = sink, line, context
        self.options = sink.options
        self.buffer = bytearray()
        self.out: list[bytes] = []
        self.envelope = _Envelope()
        self.taken = 0
        self.is_signed_in = not self.options.username

    def run(self) -> None:
        """Talk until the other side hangs up."""
        self._answer(self.options.greeting.encode())
        while True:
            row = self._row()
            if row is None:
                return
            if not self.options.discard:
                self.sink.commands.append(row)
            if not self._command(row):
                self._flush()
                return

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
            self.envelope = _Envelope()
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
        assert self.context is not None
        self._answer(b"220 go on")
        self._flush()
        self.line = self.context.wrap_socket(self.line, server_side=True)

    def _auth(self, row: bytes) -> None:
        kind, _, first = row[5:].partition(b" ")
        if kind.upper() == b"PLAIN":
            _, username, password = base64.b64decode(first or self._ask(b"")).split(b"\0")
        else:
            username = base64.b64decode(first or self._ask(b"VXNlcm5hbWU6"))
            password = base64.b64decode(self._ask(b"UGFzc3dvcmQ6"))
        self.is_signed_in = (username.decode(), password.decode()) == (self.options.username, self.options.password)
        self._answer(b"235 welcome" if self.is_signed_in else b"535 5.7.8 wrong user name or password")

    def _ask(self, words: bytes) -> bytes:
        self._answer(b"334 " + words)
        return self._row() or b""

    def _mail(self, row: bytes) -> bool:
        if not self.is_signed_in:
            self._answer(b"530 5.7.0 sign in first")
            return True
        if self.options.quit_after and self.taken >= self.options.quit_after:
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
        self.envelope = _Envelope(sender=sender, mail_at=boot_time())
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
                raise _Cut
            return
        if found:
            self._misbehave(found[3], b"hang", b"cut")
        self.envelope.recipients.append(recipient)
        self.envelope.rcpt_at = boot_time()
        self._answer(b"250 ok")

    def _misbehave(self, wish: bytes | None, hang: bytes, cut: bytes) -> None:
        if wish == hang:
            self._flush()
            raise _Hang
        if wish == cut:
            self._flush()
            raise _Cut

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
            self._misbehave(found[3], b"", b"cutdata")
        content = self._content()
        self.envelope = _Envelope()
        if not envelope.recipients:
            self._answer(b"554 5.5.1 no valid recipients")
            return
        self._finish(envelope, content, found)

    def _finish(self, envelope: _Envelope, content: bytes, found: re.Match[bytes] | None) -> None:
        if found:
            self._misbehave(found[3], b"hangdot", b"cutbefore")
            if found[1] and found[2] == b"data":
                self._refuse(found[1], b"content refused")
                return
        mail = self.sink.take(envelope, content)
        if found:
            self._misbehave(found[3], b"", b"cutafterdot")
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
                raise _Cut
        content = bytes(self.buffer[: end + 2])
        del self.buffer[: end + 5]
        if content.startswith(b".."):
            content = content[1:]
        return content.replace(b"\r\n..", b"\r\n.")


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    line.close()


def main() -> None:
    """Run as a program until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--bodies", type=Path)
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument("--smtputf8", action="store_true")
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--quit-after", type=int, default=0)
    arguments = parser.parse_args()
    options = SinkOptions(
        pipelining=not arguments.no_pipelining,
        smtputf8=arguments.smtputf8,
        delay=arguments.delay,
        quit_after=arguments.quit_after,
        keep_content=False,
        discard=True,
    )
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: done.set())
    signal.signal(signal.SIGINT, lambda *_: done.set())
    with SmtpSink(options, port=arguments.port, log=arguments.log, bodies=arguments.bodies) as sink:
        sys.stdout.write(json.dumps({"port": sink.port, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        done.wait()
        sys.stdout.write(json.dumps({"accepted": sink.accepted, "connections": sink.connections}) + "\n")


if __name__ == "__main__":
    main()
