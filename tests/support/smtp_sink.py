"""A mail server for tests and benches: it misbehaves on request, and writes down what it took before it says so.

How it treats a mail is chosen by the recipient, after a plus sign: `u+550@` is refused at RCPT, `u+451data@` after the
content, `u+550verb@` at DATA; `u+hang@`, `u+hangverb@` and `u+hangdot@` are never answered, `u+hangdata@` is never read;
`u+cut@`, `u+cutverb@` and `u+cutdata@` lose the line, `u+cutafterdot@` is taken and loses it before the answer,
`u+cutbefore@` is lost with it; `u+slow0.5@` is answered half a second late, `u+held@` when `released` is set. A sender
`s+550@` is refused at MAIL.

As a program, `python -m tests.support.smtp_sink --port 0 --log FILE` prints one JSON line with its port and runs until
SIGTERM.
"""

import argparse
import json
import os
import re
import signal
import socket
import ssl
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.certificates import throwaway_certificate
from tests.support.smtp_session import Cut, Envelope, Hang, Session, SinkMail, SinkOptions, boot_time

__all__ = ["SinkMail", "SinkOptions", "SmtpSink", "boot_time"]

_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.IGNORECASE | re.MULTILINE)


class SmtpSink:
    """The server; a context manager that listens on 127.0.0.1 while it is open."""

    def __init__(
        self,
        options: SinkOptions | None = None,
        *,
        port: int = 0,
        log: Path | None = None,
        bodies: Path | None = None,
    ) -> None:
        self.options = options or SinkOptions()
        self._mails: list[SinkMail] = []
        self.commands: list[bytes] = []
        """Every command line, as it came."""

        self.connections = 0
        self.accepted = 0
        self._lock = threading.Lock()
        self.released = threading.Event()
        """Set it, and mails that are held are answered."""

        self._stopping = threading.Event()
        self._open: set[Session] = set()
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
        if self._stopping.is_set():
            return
        self._stopping.set()
        self.released.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            sessions = list(self._open)
        for session in sessions:
            _hang_up(session.line)
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
            self._start(lambda line=line: self._serve(line))  # type: ignore[misc]

    def _serve(self, line: socket.socket) -> None:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = Session(self, line, self._context)
        with self._lock:
            self._open.add(session)
        try:
            session.run()
        except Hang:
            self._stopping.wait()
        except (Cut, OSError):
            pass
        finally:
            _hang_up(session.line)
            with self._lock:
                self._open.discard(session)

    def take(self, envelope: Envelope, content: bytes) -> SinkMail:
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

    def take_quickly(self, sender: bytes, recipient: bytes, began_at: float, content: bytes) -> None:
        """Write a mail of a bench down; addresses are plain ASCII there."""
        found = _MESSAGE_ID.search(content, 0, 1024)
        message_id = found[1].decode() if found else ""
        with self._lock:
            self.accepted += 1
            if self._bodies >= 0:
                os.write(self._bodies, content)
            if self._log >= 0:
                row = (
                    f'{{"from":"{sender.decode()}","to":"{recipient.decode()}","message_id":"{message_id}",'
                    f'"mail_at":{began_at:.6f},"rcpt_at":{began_at:.6f},"data_at":{began_at:.6f},'
                    f'"dot_at":{boot_time():.6f},"offset":{self._body_offset},"size":{len(content)}}}\n'
                )
                os.write(self._log, row.encode())
            self._body_offset += len(content)

    def _row(self, mail: SinkMail, content: bytes) -> bytes:
        found = _MESSAGE_ID.search(content, 0, 4096)
        message_id = found[1].decode("ascii", "replace") if found else ""
        to = mail.recipients[0] if len(mail.recipients) == 1 else ",".join(mail.recipients)
        return (
            f'{{"from":{json.dumps(mail.sender)},"to":{json.dumps(to)},"message_id":{json.dumps(message_id)},'
            f'"mail_at":{mail.mail_at:.6f},"rcpt_at":{mail.rcpt_at:.6f},"data_at":{mail.data_at:.6f},'
            f'"dot_at":{mail.dot_at:.6f},"offset":{self._body_offset},"size":{len(content)}}}\n'
        ).encode()


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
