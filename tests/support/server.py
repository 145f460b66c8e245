"""A web server started as `recoup web` starts it, and callers over plain sockets."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from recoup.supervisor import machine


@contextmanager
def serving(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """Have a server for the time of the block."""
    server = subprocess.Popen(command, env=os.environ | environment)
    try:
        assert machine.wait_until(lambda: is_open(port), seconds=60, pause=0.1), "the server does not start"
        yield
    finally:
        server.terminate()
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def is_open(port: int) -> bool:
    """Tell whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def call(port: int, raw: bytes, *, seconds: float = 60) -> bytes:
    """Send bytes and return all that comes until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), seconds) as line:
        line.sendall(raw)
        found = b""
        while block := line.recv(65536):
            found += block
        return found


def silent_reader(port: int, path: str) -> socket.socket:
    """Ask for something large and read nothing of it."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    line.connect(("127.0.0.1", port))
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    return line


class Dripper:
    """A caller that sends a chunked body, one byte at a time."""

    def __init__(self, port: int, path: str) -> None:
        self.began = time.monotonic()
        self.ended_after: float | None = None
        self.answer = b""
        self.line = socket.create_connection(("127.0.0.1", port), 10)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        self.line.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n")
        self.line.setblocking(False)

    def drip(self) -> None:
        """Send one byte, and see whether the server has had enough."""
        if self.ended_after is not None:
            return
        try:
            self.line.sendall(b"1\r\n{\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.look()

    def look(self) -> None:
        """See whether the server closed the line."""
        if self.ended_after is not None:
            return
        try:
            while block := self.line.recv(65536):
                self.answer += block
        except BlockingIOError:
            return
        except ConnectionResetError:
            pass
        self.ended_after = time.monotonic() - self.began
        self.line.close()
