"""Only one supervisor works on a var/ folder at a time, and the second is told who the first is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recoup.supervisor import locks
from recoup.supervisor.errors import AlreadyRunning


@contextmanager
def only_supervisor(path: Path, *, about: str) -> Iterator[None]:
    """Hold the lock for the time of the block. `about` is what the next one who asks is told.

    :raises AlreadyRunning: if somebody else holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = locks.open_lock_file(path)
    try:
        if not locks.try_exclusive(descriptor):
            holder = os.pread(descriptor, 4096, 0).decode(errors="replace").strip()
            raise AlreadyRunning(
                f"Recoup runs from {path.parent} already: {holder}.",
                advice="Stop that one first (Ctrl-C, or SIGTERM to its process), or set RECOUP_VAR to another folder.",
            )
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, {about}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
