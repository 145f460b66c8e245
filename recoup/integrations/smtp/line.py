"""The bare line to a server: bytes out with an account of what left, answers in with a time limit."""

import select
import socket
import ssl
import time
from dataclasses import dataclass
from typing import NoReturn

_LONGEST_ANSWER = 64 * 1024


class LineBroken(Exception):
    """The line is of no use any more; why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer: its code, and its lines joined."""

    code: int
    text: str


_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boot_time() -> float:
    """Return a clock that runs on while the machine sleeps, so that a woken sender knows how late it is."""
    return time.clock_gettime(_BOOT_CLOCK)


class Line:
    """An open socket, secured or not. What cannot be written at once is written while answers are awaited."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._pending = bytearray()
        self._received = bytearray()
        self._sent = self._attempted = 0
        self.queued = 0
        """Bytes given to `write` since the line was opened."""

        self.is_open = True
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    @property
    def has_pending(self) -> bool:
        """Whether the system has not yet taken all that was written."""
        return bool(self._pending)

    def has_left(self, position: int) -> bool:
        """Tell whether the byte before this position has certainly been taken by the system."""
        return self._sent >= position

    def may_have_left(self, position: int) -> bool:
        """Tell whether the byte before this position may have reached the server.

        In the clear only what the system took can have left. Under TLS a record may have left although the call that wrote
        it failed later, so that everything tried counts.
        """
        return (self._attempted if self._is_tls else self._sent) >= position

    def write(self, data: bytes) -> None:
        """Begin to write.

        :raises LineBroken: if the line ends.
        """
        self.queued += len(data)
        if self._pending:
            self._pending += data
            return
        self._pending += data[self._send(data) :]

    def read(self, *, seconds: float) -> Answer | None:
        """Write on, and return the next answer, or nothing if none is complete in time.

        :raises LineBroken: if the line ends or the server says something that is no answer.
        """
        if (answer := self._take_answer()) is not None:
            return answer
        deadline = boot_time() + seconds
        while True:
            if self._pending:
                del self._pending[: self._send(self._pending)]
            if self._receive():
                if (answer := self._take_answer()) is not None:
                    return answer
                continue
            room = deadline - boot_time()
            if room <= 0:
                return None
            self._poll.modify(self._socket, select.POLLIN | (select.POLLOUT if self._pending else 0))
            self._poll.poll(room * 1000 + 1)

    def close(self) -> None:
        """Close the socket; nothing is said any more."""
        self.is_open = False
        self._socket.close()

    def _send(self, data: bytes | bytearray) -> int:
        """Return how much of it the system took."""
        taken = 0
        with memoryview(data) as view:
            while taken < len(view):
                self._attempted = self.queued
                try:
                    taken += self._socket.send(view[taken:])
                except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    break
                except OSError as error:
                    self._sent += taken
                    self._broken(_reason(error))
        self._sent += taken
        return taken

    def _receive(self) -> bool:
        """Take in what has arrived; tell whether anything has."""
        try:
            piece = self._socket.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError as error:
            self._broken(_reason(error))
        if not piece:
            self._broken("the server closed the line")
        self._received += piece
        if len(self._received) > _LONGEST_ANSWER:
            self._broken("the server's answer does not end")
        return True

    def _take_answer(self) -> Answer | None:
        """Cut one whole answer, of one row or several, off what was received."""
        if not self._received:
            return None
        begin = 0
        texts: list[str] = []
        while True:
            end = self._received.find(b"\n", begin)
            if end < 0:
                return None
            row = bytes(self._received[begin:end]).rstrip(b"\r")
            if not row[:3].isdigit() or row[3:4] not in {b"", b" ", b"-"}:
                self._broken("the server said something that is no answer")
            texts.append(row[4:].decode("utf-8", "replace"))
            begin = end + 1
            if row[3:4] != b"-":
                del self._received[:begin]
                return Answer(int(row[:3]), _joined(texts))

    def _broken(self, reason: str) -> NoReturn:
        self.close()
        raise LineBroken(reason)


def _joined(texts: list[str]) -> str:
    """Return the rows of an answer as one text; an enhanced code repeated on each row stands once."""
    if len(texts) == 1:
        return texts[0]
    first = texts[0].partition(" ")[0]
    if first.count(".") == 2 and first.replace(".", "").isdigit():
        texts = [texts[0], *(text.removeprefix(first).strip() for text in texts[1:])]
    return " ".join(text for text in texts if text)


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
