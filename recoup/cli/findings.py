"""What `doctor` looks at: one function for each matter, each of which says what is wrong and what to do."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
from django.conf import settings
from django.db import connection

from recoup.cli.backup import secret_key_file
from recoup.cli.finding import Finding, State
from recoup.cli.migrate import pending
from recoup.cli.tools_of_postgres import OLDEST_SERVER
from recoup.config.watchdog import words
from recoup.core.clock import real_now
from recoup.core.installation import get_installation
from recoup.supervisor.places import var_folder
from recoup.web.health import troubles
from recoup.web.reach import Reach, reach_public_address

CLOCK_TOLERANCE = timedelta(seconds=5)
# As promised in the guide: a warning at 15 %, sending stops at 5 %.
LOW_DISK, FULL_DISK = 0.15, 0.05
NEWEST_SERVER = 18


def database() -> Iterator[Finding]:
    """Look whether the server is one that we know, and whether the tables fit this version."""
    connection.ensure_connection()
    assert connection.connection is not None
    version = connection.connection.info.server_version // 10_000
    if OLDEST_SERVER <= version <= NEWEST_SERVER:
        yield Finding("Database", State.GOOD, f"PostgreSQL {version} answers")
    else:
        advice = f"Use PostgreSQL {OLDEST_SERVER} to {NEWEST_SERVER}."
        yield Finding("Database", State.BAD, f"PostgreSQL {version} is not supported", advice)
    names = pending()
    if names:
        yield Finding("Tables", State.BAD, f"{len(names)} migrations are pending", "Run: recoup migrate")
    else:
        yield Finding("Tables", State.GOOD, "up to date")


def sending() -> Iterator[Finding]:
    """Look whether this copy may send."""
    installation = get_installation()
    if installation.silenced_at is None:
        yield Finding("Sending", State.GOOD, "allowed")
        return
    says = f"silent since {installation.silenced_at:%Y-%m-%d %H:%M} UTC ({installation.silenced_reason})"
    advice = "Sign in as owner and confirm that no other copy of this installation is running."
    yield Finding("Sending", State.DOUBTFUL, says, advice)


def public_address(*, client: httpx.Client | None = None) -> Iterator[Finding]:
    """Look whether the address in our mails leads here, as a buyer's browser would find it."""
    matter, address = "Public address", str(settings.PUBLIC_URL)
    reached = reach_public_address(client=client)
    if settings.IS_DEMO:
        yield Finding(matter, State.GOOD, f"the demo is only at {address}")
    elif reached.by is Reach.UNSET:
        advice = "Set RECOUP_PUBLIC_URL to the https address at which buyers reach this server."
        yield Finding(matter, State.BAD, "not set; no link can be written into a mail", advice)
    elif reached.by is Reach.NOBODY:
        advice = "Check the name in DNS, the certificate, and the proxy that passes requests to Recoup."
        yield Finding(matter, State.BAD, f"{address} does not answer as Recoup: {reached.reason}", advice)
    elif reached.by is Reach.OTHERS:
        advice = "Another server, or another copy of Recoup, answers there. Correct the address or DNS."
        yield Finding(matter, State.BAD, f"{address} answers, but it is not this installation", advice)
    else:
        yield Finding(matter, State.GOOD, f"{address} leads here")


def disk() -> Iterator[Finding]:
    """Look whether there is room to work, where we write and where the database writes."""
    folders = {"Disk": var_folder()}
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('data_directory', true)")
        row = cursor.fetchone()
    if row and row[0] and Path(row[0]).exists():
        folders["Disk of the database"] = Path(row[0])
    for matter, folder in folders.items():
        usage = shutil.disk_usage(folder)
        yield of_disk(matter, folder, free=usage.free, total=usage.total)


def of_disk(matter: str, folder: Path, *, free: int, total: int) -> Finding:
    """Judge the room on one disk."""
    share = free / total
    says = f"{free / 1024**3:.1f} GB free ({share:.0%})"
    if share >= LOW_DISK:
        return Finding(matter, State.GOOD, says)
    state = State.BAD if share < FULL_DISK else State.DOUBTFUL
    return Finding(matter, state, says, f"Make room on the disk of {folder}; sending stops at 5 %.")


def clock() -> Iterator[Finding]:
    """Look whether this machine and the database agree about the time."""
    before = real_now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        there = cursor.fetchone()[0]
    apart = max(before - there, there - real_now(), timedelta(0))
    if apart <= CLOCK_TOLERANCE:
        yield Finding("Clock", State.GOOD, f"{real_now():%Y-%m-%d %H:%M:%S} UTC here and in the database")
        return
    says = f"{apart.total_seconds():.0f} s apart from the database's"
    yield Finding("Clock", State.DOUBTFUL, says, "Let both machines set their clocks over the network (NTP).")


def loops() -> Iterator[Finding]:
    """Look at what the page /health judges: the loops that detect, send and apply, and what waits for them."""
    found = [code for code in troubles(now=real_now()) if code != "disk_low"]
    for code in found:
        yield Finding("Worker", State.BAD, code.replace("_", " "), words(code))
    if not found:
        yield Finding("Worker", State.GOOD, "alive, and nothing waits too long")


def secret_key() -> Iterator[Finding]:
    """Look whether the key that opens stored passwords is kept from others."""
    path = secret_key_file()
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and os.access(path, os.R_OK):
        says = f"{path} can be read by others (mode {mode:o})"
        yield Finding("Secret key", State.BAD, says, f"Run: chmod 600 {path}")
    else:
        yield Finding("Secret key", State.GOOD, "kept from others; without it a backup cannot be opened")
