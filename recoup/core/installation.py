"""The installation: its id, its places, and whether it may send (R19).

A database has one place for each way that its workers reach it: two machines may see it under two addresses. A place that
nobody has confirmed silences it; one where no worker was seen for a week is forgotten, so that a copy that is taken there
later stays silent.
"""

import hashlib
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from django.db import connection, transaction

from recoup.core.models import Installation

# In `Installation.place`, a line each: fingerprint and when a worker was seen there. A question mark in front says that
# nobody has confirmed it.
_UNCONFIRMED = "?"
FORGOTTEN_AFTER = timedelta(days=7)
_SEEN_EVERY = timedelta(hours=1)  # not written with every check


def get_installation() -> Installation:
    """Return the one row, made on the first call."""
    return Installation.objects.get_or_create(pk=1)[0]


def place_now() -> str:
    """Return a fingerprint of where this database lives: server, database, address; folder and machine if it is here.

    The same after every restart, and for all hosts that reach the server under the same address.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT system_identifier FROM pg_control_system()), current_database(),"
            " coalesce(host(inet_server_addr()), ''), coalesce(inet_server_port(), 0)"
        )
        parts = [str(part) for part in cursor.fetchone()]
    host = str(connection.settings_dict["HOST"])
    if _is_here(host):  # the server is on this machine, so the machine is part of the place
        parts += [_machine(), host]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _machine() -> str:
    path = Path("/etc/machine-id")
    return path.read_text().strip() if path.exists() else ""


def _is_here(host: str) -> bool:
    if not host or host.startswith("/") or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def silence_installation(*, reason: str, now: datetime) -> None:
    """Stop all sending until an owner confirms. `reason` is a code: `restored`, `moved`."""
    get_installation()
    Installation.objects.filter(pk=1, silenced_at=None).update(silenced_at=now, silenced_reason=reason)


def is_silenced() -> bool:
    """Tell whether nothing may leave until an owner confirms: not a message, nor a test, nor a call to another program."""
    return get_installation().silenced_at is not None


def confirm_place(*, now: datetime) -> None:
    """Let the places where workers were seen send again: an owner has confirmed that no other copy does."""
    get_installation()
    with transaction.atomic():
        installation = Installation.objects.select_for_update().get(pk=1)
        places = _places(installation.place, now)
        confirmed = {place.removeprefix(_UNCONFIRMED): seen for place, seen in places.items()}
        installation.place = _lines({**confirmed, place_now(): now})
        installation.silenced_at, installation.silenced_reason = None, ""
        installation.save(update_fields=["place", "silenced_at", "silenced_reason"])


def check_place(*, now: datetime) -> bool:
    """Silence the installation if its database woke up elsewhere; tell whether it may send. Workers ask every minute.

    `now` is real time.
    """
    get_installation()
    here = place_now()
    with transaction.atomic():
        installation = Installation.objects.select_for_update().get(pk=1)
        places = _places(installation.place, now)
        is_known = here in places or not places
        line = here if is_known else _UNCONFIRMED + here
        if now - places.get(line, now - _SEEN_EVERY) >= _SEEN_EVERY:
            fresh = {place: seen for place, seen in places.items() if now - seen < FORGOTTEN_AFTER}
            installation.place = _lines({**fresh, line: now})
            installation.save(update_fields=["place"])
        if not is_known:
            silence_installation(reason="moved", now=now)
        return is_known and installation.silenced_at is None


def may_write_from_here(*, now: datetime) -> bool:
    """Tell, changing nothing, whether this database may write to anybody from where it is. `now` is real time.

    A copy that no worker has seen yet is not silenced, but its place is not among those that were confirmed.
    """
    installation = get_installation()
    places = _places(installation.place, now)
    return installation.silenced_at is None and (not places or place_now() in places)


def _places(text: str, now: datetime) -> dict[str, datetime]:
    """Return when a worker was last seen at each place."""
    pairs = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return {place: datetime.fromisoformat(seen) if seen else now for place, _, seen in pairs}


def _lines(places: dict[str, datetime]) -> str:
    return "\n".join(f"{place} {seen.isoformat()}" for place, seen in sorted(places.items()))


def move_trade_clock(by: timedelta) -> None:
    """Move the demo's clock forward.

    :raises NotADemo: anywhere but in a demo, where trade time is real time.
    """
    moved = Installation.objects.filter(pk=1, is_demo=True)
    if by <= timedelta(0) or not moved.exists():
        raise NotADemo
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_installation SET trade_offset = trade_offset + make_interval(secs => %s),"
            " trade_moved_at = clock_timestamp() WHERE is_demo",
            [by.total_seconds()],
        )


class NotADemo(Exception):
    """Only the demo's clock can be moved, and only forward."""
