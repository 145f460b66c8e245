"""The installation: its id, its place, and whether it may send (R19)."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection

from recoup.core.models import Installation


def get_installation() -> Installation:
    """Return the one row, made on the first call."""
    return Installation.objects.get_or_create(pk=1)[0]


def place_now() -> str:
    """Return a fingerprint of where this database lives: server, database, folder, and this machine when embedded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system()), current_database(),"
            " coalesce(host(inet_server_addr()), ''), coalesce(inet_server_port(), 0)"
        )
        parts = [str(part) for part in cursor.fetchone()]
    if not parts[2]:  # a unix socket: the server is on this machine, so the machine is part of the place
        machine = Path("/etc/machine-id")
        parts += [machine.read_text().strip() if machine.exists() else "", connection.settings_dict["HOST"]]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def silence_installation(*, reason: str, now: datetime) -> None:
    """Stop all sending until an owner confirms. `reason` is a code: `restored`, `moved`."""
    get_installation()
    Installation.objects.filter(pk=1, silenced_at=None).update(silenced_at=now, silenced_reason=reason)


def confirm_place() -> None:
    """Let this place send again: an owner has confirmed that no other copy does."""
    Installation.objects.filter(pk=1).update(silenced_at=None, silenced_reason="", place=place_now())


def check_place(*, now: datetime) -> bool:
    """Silence the installation if its database woke up elsewhere; tell whether it may send."""
    installation = get_installation()
    here = place_now()
    if not installation.place:
        Installation.objects.filter(pk=1, place="").update(place=here)
    elif installation.place != here:
        silence_installation(reason="moved", now=now)
        return False
    return installation.silenced_at is None


def move_trade_clock(by: timedelta) -> None:
    """Move the demo's clock forward.

    :raises NotADemo: anywhere but in a demo, where trade time is real time.
    """
    moved = Installation.objects.filter(pk=1, is_demo=True)
    if by <= timedelta(0) or not moved.exists():
        raise NotADemo
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_installation SET trade_offset = trade_offset + make_interval(secs => %s) WHERE is_demo",
            [by.total_seconds()],
        )


class NotADemo(Exception):
    """Only the demo's clock can be moved, and only forward."""
