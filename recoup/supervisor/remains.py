"""What a killed supervisor left running, noted in a file so that the next one can end it."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from recoup.supervisor import machine


@dataclass(frozen=True)
class Noted:
    """A process as it was noted: its number alone may belong to another one by now."""

    pid: int
    born: str

    def is_there(self) -> bool:
        """Tell whether exactly this process still runs."""
        return machine.is_alive(self.pid) and machine.birth(self.pid) == self.born


def note(path: Path, pids: list[int]) -> None:
    """Write down the processes that run under this supervisor."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps([{"pid": pid, "born": machine.birth(pid)} for pid in pids]))
    fresh.rename(path)


def end_noted(path: Path, *, grace: float) -> int:
    """End what the file names and still runs: politely, then with its group. Return how many."""
    try:
        noted = [Noted(pid=int(row["pid"]), born=str(row["born"])) for row in json.loads(path.read_text())]
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    left = [process for process in noted if process.is_there()]
    for process in left:
        _send(process.pid, signal.SIGTERM)
    machine.wait_until(lambda: not any(process.is_there() for process in left), seconds=grace)
    for process in left:
        if process.is_there():
            _send(-process.pid, signal.SIGKILL)
    path.unlink(missing_ok=True)
    return len(left)


def _send(pid: int, told: signal.Signals) -> None:
    try:
        os.kill(pid, told)
    except ProcessLookupError:
        pass
