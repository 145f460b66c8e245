"""One render child as its parent sees it: started, asked, listened to with a time limit, killed."""

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic_core import to_json

import recoup
from recoup.messaging.rendering.limits import (
    ANSWER_SECONDS,
    CACHED_SOURCE_BYTES,
    CACHED_TEMPLATES,
    START_SECONDS,
)
from recoup.messaging.rendering.templates import CompiledTemplate
from recoup.messaging.rendering.wire import ANSWER, LARGEST_PART, LENGTH, READY

_STARVED_SECONDS = 20.0
"""A child that had no processor is given longer than one that used its time up."""

_PIPE_BYTES = 1024 * 1024
_TICKS = os.sysconf("SC_CLK_TCK")


class ChildDied(Exception):
    """The child ended, fell silent or spoke nonsense while it was owed an answer."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


class RenderChild:
    """A running child. Used by one thread at a time."""

    def __init__(self) -> None:
        root = str(Path(recoup.__file__).parent.parent)
        # Its environment is bare: the passwords and keys of ours are none of its business.
        environment = {
            "PYTHONPATH": root,
            "LANG": "C.UTF-8",
            "PATH": os.defpath,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recoup.messaging.rendering.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        with contextlib.suppress(OSError, AttributeError):  # Linux only; elsewhere the pipe keeps its size
            fcntl.fcntl(self._answers.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)
        self._buffer = bytearray()
        self._known: set[str] = set()
        self._known_bytes = 0
        self._await_ready()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None and not self._requests.closed

    def learn(self, templates: Mapping[str, CompiledTemplate]) -> tuple[list[str], bool]:
        """Note what the child will know after this batch: keys new to it, and whether it must forget the others first."""
        new = [key for key in templates if key not in self._known]
        size = _size(templates[key] for key in new)
        is_full = (
            len(self._known) + len(new) > CACHED_TEMPLATES or self._known_bytes + size > CACHED_SOURCE_BYTES
        )
        forget = bool(new) and is_full and bool(self._known)
        if forget:
            new = list(templates)
            self._known, self._known_bytes = set(), 0
            size = _size(templates.values())
        self._known.update(new)
        self._known_bytes += size
        return new, forget

    def ask(self, request: Mapping[str, Any]) -> None:
        """Send a request.

        :raises ChildDied: if nobody listens.
        """
        frame = memoryview(_request_frame(request))
        try:
            while frame:
                frame = frame[os.write(self._requests.fileno(), frame) :]
        except OSError as error:
            raise ChildDied("crashed", str(error)) from error

    def answer(self) -> tuple[int, tuple[bytes, bytes, bytes]]:
        """Return the next answer: its kind and parts.

        :raises ChildDied: if it ended, or used up the time for one answer.
        """
        self._read(ANSWER.size)
        kind, *lengths = ANSWER.unpack_from(self._buffer)
        if sum(lengths) > LARGEST_PART:
            raise ChildDied("crashed", "an answer of impossible size")
        self._read(ANSWER.size + sum(lengths))
        first, second = ANSWER.size + lengths[0], ANSWER.size + lengths[0] + lengths[1]
        view = bytes(self._buffer[: ANSWER.size + sum(lengths)])
        del self._buffer[: ANSWER.size + sum(lengths)]
        return kind, (view[ANSWER.size : first], view[first:second], view[second:])

    def close(self) -> None:
        """Let the child end by itself; kill it if it does not."""
        self._requests.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def kill(self) -> None:
        """End the child at once."""
        self._process.kill()
        self._process.wait()
        self._requests.close()
        self._answers.close()

    def _await_ready(self) -> None:
        if not self._poll.poll(START_SECONDS * 1000):
            self.kill()
            raise ChildDied("crashed", "the render child did not start")
        kind, _ = self.answer()
        assert kind == READY

    def _read(self, size: int) -> None:
        """Fill the buffer up to this size."""
        if len(self._buffer) >= size:
            return
        began, cpu_began = time.monotonic(), -1.0
        while len(self._buffer) < size:
            if not self._poll.poll(250):
                cpu_began = self._cpu_seconds() if cpu_began < 0 else cpu_began
                self._check_time(began, cpu_began)
                continue
            piece = os.read(self._answers.fileno(), _PIPE_BYTES)
            if not piece:
                code = "too_heavy" if self._process.wait() in (-9, -24) else "crashed"
                raise ChildDied(code, f"the render child ended with {self._process.returncode}")
            self._buffer += piece

    def _check_time(self, began: float, cpu_began: float) -> None:
        waited = time.monotonic() - began
        worked = self._cpu_seconds() - cpu_began + 0.25
        if waited > _STARVED_SECONDS or (waited > ANSWER_SECONDS and worked > ANSWER_SECONDS * 0.6):
            raise ChildDied("too_heavy", "no answer in time")

    def _cpu_seconds(self) -> float:
        """Return the processor time that the child has used; the clock on the wall where that cannot be read."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / _TICKS
        except (OSError, IndexError, ValueError):
            return time.monotonic()


def _request_frame(request: Mapping[str, Any]) -> bytes:
    try:
        body = to_json(request, fallback=str)  # lazy translations, UUIDs
    except ValueError:  # half a character: only the escapes of JSON can say it
        body = json.dumps(request, default=str).encode("ascii")
    return LENGTH.pack(len(body)) + body


def _size(templates: Iterable[CompiledTemplate]) -> int:
    return sum(len(template.html) + len(template.text) for template in templates)
