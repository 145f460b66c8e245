"""The render child: reads requests, writes answers, and cannot take more memory or time than it was given.

It imports no Django, holds no secret, opens no socket, and ends when its parent does.
"""

import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from types import FrameType
from typing import Any, BinaryIO

from recoup.messaging.rendering.compiling import Document, compile_source
from recoup.messaging.rendering.findings import Finding
from recoup.messaging.rendering.limits import (
    ITEM_CPU_SECONDS,
    MEMORY_BYTES,
)
from recoup.messaging.rendering.rendering import Prepared, RenderProblem, TooHeavy
from recoup.messaging.rendering.samples import sample_context
from recoup.messaging.rendering.tokens import Context
from recoup.messaging.rendering.wire import (
    DOCUMENT,
    LEAVING,
    MAIL,
    PROBLEM,
    READY,
    encode_answer,
    read_request,
)

_LOCALES = ("en", "pl", "ru", "de")
_FAILURES_BEFORE_REFUSING = 3
"""After so many mails of one template were too heavy, the rest of it is refused without being tried."""

_TICKS = 4
_CPU_SECONDS_IN_C = 4
"""Of processor time without a tick, after which the system ends the child."""

_FLUSH_BYTES = 64 * 1024
_FLUSH_SECONDS = 0.2
"""Answers are written together; the parent hears from a child at work several times a second."""


class _Watch:
    """Interrupts what takes too long; C code that never returns dies by the limit on the processor's time."""

    def __init__(self) -> None:
        self._ticks = 0
        self._is_guarding = False
        signal.signal(signal.SIGPROF, self._tick)

    def begin(self) -> None:
        """Give what follows its time."""
        self._ticks = 0
        self._is_guarding = True

    def end(self) -> None:
        """Interrupt nothing any more."""
        self._is_guarding = False

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Tick while a request is answered: four times in each second of processor time."""
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + _CPU_SECONDS_IN_C)
        signal.setitimer(signal.ITIMER_PROF, ITEM_CPU_SECONDS / _TICKS, ITEM_CPU_SECONDS / _TICKS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _tick(self, _signal: int, _frame: FrameType | None) -> None:
        _limit(resource.RLIMIT_CPU, int(time.process_time()) + _CPU_SECONDS_IN_C)
        self._ticks += 1
        if self._is_guarding and self._ticks > _TICKS:
            raise TooHeavy


class Child:
    """Answers one request after another."""

    def __init__(self, requests: BinaryIO, answers: int) -> None:
        self._requests, self._answers = requests, answers
        self._watch = _Watch()
        self._templates: dict[str, Prepared] = {}
        self._frames: list[bytes] = []
        self._frame_bytes = 0
        self._flushed_at = 0.0
        self._is_careful = False
        self._is_leaving = False

    def serve(self) -> None:
        """Answer until the parent hangs up or the memory is spent."""
        self._send(READY)
        self._flush()
        while not self._is_leaving:
            request = read_request(self._requests)
            if request is None:
                return
            self._flushed_at = time.monotonic()
            with self._watch.running():
                if request["op"] == "compile":
                    self._compile(request)
                else:
                    self._is_careful = request["careful"]
                    self._render(request)
            self._flush()

    def _send(self, kind: int, *parts: bytes) -> None:
        frame = encode_answer(kind | LEAVING if self._is_leaving else kind, *parts)
        self._frames.append(frame)
        self._frame_bytes += len(frame)
        is_late = time.monotonic() - self._flushed_at > _FLUSH_SECONDS
        if self._is_careful or self._frame_bytes > _FLUSH_BYTES or is_late:
            self._flush()

    def _flush(self) -> None:
        with memoryview(b"".join(self._frames)) as view:
            written = 0
            while written < len(view):
                written += os.write(self._answers, view[written:])
        self._frames.clear()
        self._frame_bytes = 0
        self._flushed_at = time.monotonic()

    def _compile(self, request: dict[str, Any]) -> None:
        self._watch.begin()
        try:
            document = compile_source(request)
        except TooHeavy:
            document = _refusal("trial_too_heavy", "time")
        except MemoryError:
            document = _refusal("trial_too_heavy", "memory")
        except Exception as error:  # noqa: BLE001 - what an author writes never ends the child
            document = _refusal("trial_liquid_failed", f"{type(error).__name__}: {error}"[:200])
        self._watch.end()
        if any(found["values"].get("detail") == "memory" for found in document["findings"]):
            self._is_leaving = True
        self._send(DOCUMENT, json.dumps(document).encode())

    def _render(self, request: dict[str, Any]) -> None:
        if request["forget"]:
            self._templates.clear()
        new: dict[str, Any] = request["templates"]
        heavy: dict[str, int] = {}
        for key, locale, zone, context in request["items"]:
            if heavy.get(key, 0) >= _FAILURES_BEFORE_REFUSING:
                self._send_problem(RenderProblem("too_heavy", "earlier mails of this template were"))
                continue
            problem = self._render_one(key, new, locale, zone, context)
            if problem is not None:
                heavy[key] = heavy.get(key, 0) + (problem.code == "too_heavy")
                self._is_leaving = problem.detail == "memory"
                self._send_problem(problem)
            if self._is_leaving:
                return

    def _render_one(
        self, key: str, new: dict[str, Any], locale: str, zone: str, context: dict[str, Any]
    ) -> RenderProblem | None:
        """Send the mail, or return what keeps it from being written."""
        self._watch.begin()
        try:
            template = self._templates.get(key) or self._prepare(key, new)
            parts = template.render(context, locale, zone)
            self._watch.end()
            self._send(MAIL, *parts)
        except RenderProblem as problem:
            return problem
        except TooHeavy:
            return RenderProblem("too_heavy", "time")
        except MemoryError:
            return RenderProblem("too_heavy", "memory")
        except Exception as error:  # noqa: BLE001 - one odd mail never stops the batch
            return RenderProblem("liquid_failed", f"{type(error).__name__}: {error}"[:200])
        finally:
            self._watch.end()
        return None

    def _prepare(self, key: str, new: dict[str, Any]) -> Prepared:
        self._templates[key] = Prepared(new[key])
        return self._templates[key]

    def _send_problem(self, problem: RenderProblem) -> None:
        words = {"code": problem.code, "detail": problem.detail, "place": problem.place, "line": problem.line}
        self._send(PROBLEM, json.dumps(words).encode())


def _refusal(code: str, detail: str) -> Document:
    return {"findings": [asdict(Finding(code, "html", 0, {"detail": detail}))], "compiled": None}


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    soft = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS knows the address-space limit by name only
        resource.setrlimit(kind, (soft, hard))


def _address_space() -> int:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 512 * 1024 * 1024


def _warm_up() -> None:
    """Load the languages before the limits fall, and touch every path once."""
    source = "{{ order.number }}{{ order.total }}{{ order.placed_at }}"
    tokens = ["order.number", "order.total", "order.placed_at"]
    prepared = Prepared({"subject": source, "html": source, "text": source, "tokens": tokens})
    for locale in _LOCALES:
        prepared.render(sample_context(Context.ORDER, locale), locale, "UTC")


def main() -> None:
    """Take over standard input and output, then serve."""
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not fall between two answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _warm_up()
    for kind, value in (
        (resource.RLIMIT_AS, _address_space() + MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        _limit(kind, value)
    with contextlib.suppress(BrokenPipeError):
        Child(sys.stdin.buffer, answers).serve()


if __name__ == "__main__":
    main()
