"""Runs web, worker and their like as one: one stream of lines, restarts, an orderly stop."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from recoup.supervisor import child, remains
from recoup.supervisor.keeper import DatabaseKeeper, pause_after

# A program that ran this long was not broken from the start, so its next restart comes at once.
SETTLED_SECONDS = 60.0
LOOK_SECONDS = 0.2
LONGEST_LINE = 64 * 1024

Tell = Callable[[str, str], None]


@dataclass(frozen=True)
class Program:
    """Something to keep running. `grace` is how long it may take to stop before it is killed."""

    name: str
    command: Sequence[str]
    grace: float = 10.0
    environment: Mapping[str, str] = field(default_factory=dict)


class Supervisor:
    """Keeps programs running until it is told to stop by SIGINT or SIGTERM.

    They are started in the given order and stopped in it too, each gone before the next is told: web first,
    so that nothing new comes in, then the worker, which gets time to finish what it holds. A second
    signal kills them all.
    """

    def __init__(
        self, programs: Sequence[Program], *, tell: Tell, notes: Path, keeper: DatabaseKeeper | None = None
    ) -> None:
        self._watched = [_Watched(program, tell) for program in programs]
        self._tell = tell
        self._notes = notes
        self._keeper = keeper
        self._signals = 0
        self._selector = selectors.DefaultSelector()

    def run(self, *, started: Callable[[], None] = lambda: None) -> None:
        """Start everything, call `started`, and return when all is stopped."""
        ended = remains.end_noted(self._notes, grace=max((w.program.grace for w in self._watched), default=0))
        if ended:
            self._tell("run", f"ended {ended} programs that a killed supervisor had left")
        before = {wanted: signal.signal(wanted, self._hear) for wanted in (signal.SIGINT, signal.SIGTERM)}
        if self._keeper:
            self._keeper.start()
        try:
            self._look()
            started()
            while not self._signals:
                self._look()
        finally:
            self._stop_all()
            for wanted, handler in before.items():
                signal.signal(wanted, handler)

    def request_stop(self) -> None:
        """Stop as if a signal had come."""
        self._signals += 1

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _look(self) -> None:
        """Start what is due, then pass on lines and notice deaths for a moment."""
        changed = False
        for watched in self._watched:
            if watched.is_due():
                watched.start()
                self._selector.register(watched.output, selectors.EVENT_READ, watched)
                changed = True
        if changed:
            remains.note(self._notes, [watched.pid for watched in self._watched if watched.pid])
        self._pass_on(LOOK_SECONDS)
        for watched in self._watched:
            if watched.has_died():
                self._bury(watched)

    def _pass_on(self, seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            watched: _Watched = key.data
            if watched.read() == 0:
                self._selector.unregister(watched.output)

    def _bury(self, watched: _Watched, *, for_good: bool = False) -> None:
        watched.kill_children()
        while watched.read() > 0:  # the last words
            pass
        if watched.output in self._selector.get_map():
            self._selector.unregister(watched.output)
        watched.bury(for_good=for_good)

    def _stop_all(self) -> None:
        for watched in self._watched:
            if not watched.pid:
                continue
            self._tell("run", f"stopping {watched.program.name}")
            watched.send(signal.SIGTERM)
            deadline = time.monotonic() + watched.program.grace
            while not watched.has_died() and time.monotonic() < deadline and self._signals < 2:
                self._pass_on(LOOK_SECONDS)
            if not watched.has_died():
                self._tell("run", f"killing {watched.program.name}")
                watched.kill()
            self._bury(watched, for_good=True)
        if self._keeper:
            self._keeper.stop()
        self._notes.unlink(missing_ok=True)


class _Watched:
    """A program and the process that runs it at the moment."""

    def __init__(self, program: Program, tell: Tell) -> None:
        self.program = program
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._started_at = 0.0
        self._failures = 0
        self._due_at = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def output(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def is_due(self) -> bool:
        return self._process is None and time.monotonic() >= self._due_at

    def start(self) -> None:
        """Start in a session of its own, so that Ctrl-C reaches the supervisor alone."""
        command = [sys.executable, "-S", "-E", child.__file__, str(os.getpid()), *self.program.command]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.program.environment},
            start_new_session=True,
        )
        os.set_blocking(self.output, False)
        self._started_at = time.monotonic()

    def read(self) -> int:
        """Pass on whole lines. Return how many bytes came: 0 at the end of all, -1 if none yet."""
        try:
            piece = os.read(self.output, LONGEST_LINE)
        except BlockingIOError:
            return -1
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if not piece or len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            if line.strip():
                self._tell(self.program.name, line.decode(errors="replace").rstrip())
        return len(piece)

    def has_died(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def send(self, told: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(told)

    def kill(self) -> None:
        """Kill the process with its whole group and wait for it."""
        assert self._process is not None
        self.kill_children()
        self._process.wait()

    def kill_children(self) -> None:
        """Kill the group of the process, which outlives it: children that would hold on to its port."""
        assert self._process is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def bury(self, *, for_good: bool) -> None:
        """Let go of a dead process, and set the time of its next start unless it is to stay away."""
        process, self._process = self._process, None
        assert process is not None
        assert process.stdout is not None
        process.stdout.close()
        if for_good:
            return
        now = time.monotonic()
        settled = now - self._started_at >= SETTLED_SECONDS
        self._failures = 1 if settled else self._failures + 1
        pause = pause_after(self._failures)
        self._due_at = now + pause
        self._tell(self.program.name, f"ended with {process.returncode}; next start in {pause:g} s")
