"""File locks that the kernel drops when their holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recoup.supervisor.errors import FolderNotOurs


def open_lock_file(path: Path) -> int:
    """Open (or make) a lock file and return its descriptor, which no child process inherits.

    :raises FolderNotOurs: if the file belongs to another account.
    """
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as error:
        raise FolderNotOurs(
            f"{path} cannot be opened: it belongs to another account.",
            advice="Start Recoup as the account that made it, or set RECOUP_VAR to a folder of your own.",
        ) from error


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock alone for the time of the block; wait for whoever has it."""
    descriptor = open_lock_file(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def try_exclusive(descriptor: int) -> bool:
    """Take, or turn a shared lock into, a lock of our own. False if somebody else holds it too."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def share(descriptor: int) -> None:
    """Hold a lock beside others who share it."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)
