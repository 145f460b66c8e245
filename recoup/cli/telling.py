"""What the supervisor prints: the lines of the programs under it."""

from __future__ import annotations

import json
import queue
import threading
from types import TracebackType

from rich.text import Text

from recoup.cli import ground

COLOURS = {"web": "cyan", "worker": "magenta", "watchdog": "yellow", "database": "blue", "run": "bold"}
MOST_KEPT = 2000  # lines for an output that nobody reads at the moment
LAST_WORDS = 2.0  # seconds that the end waits for the output to take what is left


class Teller:
    """Prints in a thread of its own: a terminal that was stopped by Ctrl-S, or a full pipe, holds up no restart.

    When more lines wait than are kept, newer ones are counted instead.
    """

    def __init__(self) -> None:
        self._lines: queue.Queue[tuple[str, str] | None] = queue.Queue(MOST_KEPT)
        self._left_out = 0
        self._thread = threading.Thread(target=self._print, name="teller", daemon=True)

    def __enter__(self) -> Teller:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            self._lines.put(None, timeout=LAST_WORDS)
        except queue.Full:
            return
        self._thread.join(LAST_WORDS)

    def __call__(self, name: str, line: str) -> None:
        """Print a line of one of the programs, soon. Never waits."""
        try:
            self._lines.put_nowait((name, line))
        except queue.Full:
            self._left_out += 1

    def _print(self) -> None:
        while (one := self._lines.get()) is not None:
            try:
                show(*one)
                if self._left_out:
                    left_out, self._left_out = self._left_out, 0
                    show("run", f"{left_out} more lines could not be printed here; they are lost")
            except (
                OSError,
                ValueError,
            ):  # a letter that the output has not, or an output that is gone; the next may do
                self._left_out += 1


def show(name: str, line: str) -> None:
    """Print a line of one of the programs with its name before it; on a terminal, its log as a person reads it."""
    if ground.console.is_terminal:
        line = readable(line)
    ground.console.print(
        Text(f"{name:>8} ", style=COLOURS.get(name, "")) + Text.from_ansi(line), soft_wrap=True
    )


def readable(line: str) -> str:
    """Return a line of the log in words: when, how grave, what, and its fields. Any other line comes back as it was."""
    try:
        fields = json.loads(line)
        level, at, event = fields.pop("level"), fields.pop("timestamp"), fields.pop("event")
    except (ValueError, LookupError, TypeError, AttributeError):
        return line
    trace = str(fields.pop("exception", ""))
    told = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in fields.items())
    lines = [f"{str(at)[11:19]} {level} {json.dumps(event, ensure_ascii=False)[1:-1]} {told}".rstrip()]
    return "\n".join([*lines, *(json.dumps(one, ensure_ascii=False)[1:-1] for one in trace.splitlines())])
