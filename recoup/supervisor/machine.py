"""Which processes live on this machine, and which of them work in a folder of ours."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not collected by its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        state = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in {"Z", "X"}


def working_folder(pid: int) -> Path | None:
    """Return the folder that a process works in, or None if it cannot be told."""
    try:
        return Path(os.readlink(PROC / str(pid) / "cwd"))
    except OSError:
        return None


def processes_in(folder: Path) -> list[int]:
    """Return the processes that work in a folder, as PostgreSQL and its children do in their data folder."""
    if not PROC.is_dir():
        return []
    wanted = folder.resolve()
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if working_folder(pid) == wanted and is_alive(pid)]


def is_postgres_of(pid: int, data: Path) -> bool:
    """Tell whether a process is the server of a data folder, and no stranger with a recycled number."""
    if not is_alive(pid):
        return False
    folder = working_folder(pid)
    if folder is not None:
        return folder == data.resolve() and "postgres" in _command(pid)
    return "postgres" in _command(pid)


def _command(pid: int) -> str:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        listed = subprocess.run(
            ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return listed.stdout


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.05) -> bool:
    """Wait for a condition and return whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


def birth(pid: int) -> str:
    """Return what tells a process from a later one of the same number, or an empty word."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        listed = subprocess.run(
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        return listed.stdout.strip()
