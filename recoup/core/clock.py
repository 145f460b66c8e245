"""The only place that asks for the time (rule 9).

`trade_now` is the database's clock plus the demo's offset: orders, processes, offers and links live in it. `real_now` is for
leases, time-outs, sign-in, signatures and jobs. Everything else gets `now` as a parameter.
"""

import time
from datetime import UTC, datetime, timedelta

from django.db import connection


def trade_now() -> datetime:
    """Return the instant that trade lives in, aware, in UTC."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT clock_timestamp() + coalesce((SELECT trade_offset FROM core_installation), interval '0')"
        )
        row = cursor.fetchone()
    now: datetime = row[0]
    return now.astimezone(UTC)


def trade_offset() -> timedelta:
    """Return what the demo's clock adds to real time; zero anywhere else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce((SELECT trade_offset FROM core_installation), interval '0')")
        offset: timedelta = cursor.fetchone()[0]
    return offset


def real_now() -> datetime:
    """Return this machine's instant, aware, in UTC."""
    return datetime.now(UTC)


def boot_seconds() -> float:
    """Return seconds of the clock that goes on while the machine sleeps (fencing of a frozen sender)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
