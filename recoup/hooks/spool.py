"""Where calls wait while the database is away (R2): one file each, on disk before the answer, drained in order later.

A file holds one line of JSON and the raw body. Its signature is checked now if the source is remembered, else when the
file is drained. The spool is of this machine alone; whoever serves web pages drains it.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from recoup.hooks.known import DatabaseAway

log = structlog.get_logger(__name__)

MOST_FILES = 50_000
LEAST_FREE_BYTES = 64 * 1024 * 1024
_SUFFIX = ".call"
_PAUSE_SECONDS = 1.0


class SpoolFull(Exception):
    """The spool cannot take more: the caller answers 503 and the source keeps its call."""


@dataclass(frozen=True, slots=True)
class SpooledCall:
    """A call as it waits. `is_checked` says that its signature was checked when it came."""

    key: str
    raw: bytes
    headers: Mapping[str, str]
    received_at: datetime  # real time
    is_checked: bool


def folder() -> Path:
    """Return the folder of the calls that wait for this database: another one on this machine has its own."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", str(connection.settings_dict["NAME"]))
    return Path(settings.VAR_DIR) / "spool" / name


def put(call: SpooledCall) -> None:
    """Write a call to disk, durably.

    :raises SpoolFull: if the disk refuses, is nearly full, or too much waits already.
    """
    place = folder()
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    head = {
        "key": call.key,
        "headers": dict(call.headers),
        "received_at": call.received_at.isoformat(),
        "is_checked": call.is_checked,
    }
    try:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Calls that nobody could check yet leave room for those that were.
        most = MOST_FILES if call.is_checked else MOST_FILES // 2
        if shutil.disk_usage(place).free < LEAST_FREE_BYTES or count() >= most:
            raise SpoolFull
        _write(place / f"{name}.part", json.dumps(head).encode() + b"\n" + call.raw)
        os.rename(place / f"{name}.part", place / f"{name}{_SUFFIX}")
        _sync_folder(place)
    except OSError as error:
        log.error("hooks.spool.refused", error=repr(error))
        raise SpoolFull from error
    log.warning("hooks.spool.kept", key=call.key)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def count() -> int:
    """Return how many calls wait here; `/health` shows it."""
    try:
        with os.scandir(folder()) as entries:
            return sum(entry.name.endswith(_SUFFIX) for entry in entries)
    except FileNotFoundError:
        return 0


def drain(take: Callable[[SpooledCall], None]) -> int:
    """Hand the waiting calls to `take` in the order they came, and forget each once it returned; return how many.

    One drainer at a time on this machine. An error of the database stops the draining and leaves the call where it is; a
    call that fails by itself is put beside, so that it does not block the rest (R7).
    """
    place = folder()
    if not count():
        return 0
    with open(place / "drain.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        done = 0
        for path in sorted(place.glob(f"*{_SUFFIX}")):
            try:
                take(_read(path))
            except (DatabaseError, DatabaseAway):
                raise
            except Exception as error:  # noqa: BLE001 - one bad file; it stays on disk for a person
                log.error("hooks.spool.put_beside", file=path.name, error=repr(error))
                path.rename(path.with_suffix(".bad"))
                continue
            path.unlink()
            done += 1
        _sync_folder(place)
    return done


def _read(path: Path) -> SpooledCall:
    head, _, raw = path.read_bytes().partition(b"\n")
    told = json.loads(head)
    return SpooledCall(
        key=told["key"],
        raw=raw,
        headers=told["headers"],
        received_at=datetime.fromisoformat(told["received_at"]),
        is_checked=told["is_checked"],
    )


_drainer_lock = threading.Lock()
_drainers: list[threading.Thread] = []
_has_looked = False


def start_once(drain_all: Callable[[], int]) -> None:
    """Drain what an earlier process left; looks once in the life of this one."""
    global _has_looked  # noqa: PLW0603 - one look for the process
    if not _has_looked:
        _has_looked = True
        if count():
            start_draining(drain_all)


def start_draining(drain_all: Callable[[], int]) -> None:
    """Try to drain in the background of this process until nothing waits; a second call changes nothing."""
    with _drainer_lock:
        if _drainers and _drainers[0].is_alive():
            return
        thread = threading.Thread(target=_keep_draining, args=(drain_all,), daemon=True, name="recoup-spool")
        _drainers[:] = [thread]
        thread.start()


def _keep_draining(drain_all: Callable[[], int]) -> None:
    while count():
        time.sleep(_PAUSE_SECONDS)
        try:
            close_old_connections()
            drain_all()
        except Exception as error:  # noqa: BLE001 - the database is still away; nothing is lost by trying again
            log.info("hooks.spool.waiting", error=type(error).__name__)
    close_old_connections()
