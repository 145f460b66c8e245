"""The address that every link begins with (T60): what it may be, where it is kept, and how programs hear of a new one.

`RECOUP_PUBLIC_URL` fixes it; else it stands in `var/public-address`, the present one first and then those it had before:
their names are still answered to, because links in mails that were sent begin with them.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

log = structlog.get_logger(__name__)

MOST_KEPT = 6
_LOCAL = ("127.0.0.1", "localhost")
_seen: tuple[int, int] | None = None  # the file as this process knows it


class AddressRefused(ImproperlyConfigured):
    """It cannot be the public address. `is_unsafe` says that only https was missing."""

    def __init__(self, words: str, *, is_unsafe: bool = False) -> None:
        super().__init__(words)
        self.is_unsafe = is_unsafe


def read_address(text: str, *, may_be_local: bool = False) -> str:
    """Return an address as links need it: scheme and host as browsers write them, without a slash at its end.

    :raises AddressRefused: with what it must look like. Only the demo may be local and use http.
    """
    url = text.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError:  # a broken port or name
        raise AddressRefused(_SHAPE) from None
    if parts.scheme != "https" and not (may_be_local and host in _LOCAL):
        raise AddressRefused(
            "RECOUP_PUBLIC_URL must begin with https://; only the demo may use http.", is_unsafe=True
        )
    if not host or any((parts.path, parts.query, parts.fragment, parts.username)) or " " in host:
        raise AddressRefused(_SHAPE)
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{port}" if port else f"{parts.scheme}://{host}"


_SHAPE = "RECOUP_PUBLIC_URL must look like https://recoup.example.com, without a path."


def address_file(var: Path) -> Path:
    """Return the file that keeps the address."""
    return var / "public-address"


def kept_addresses(var: Path) -> list[str]:
    """Return what the file keeps, the present address first; nothing if there is none.

    :raises AddressRefused: if somebody wrote something else into it.
    """
    try:
        lines = address_file(var).read_text().splitlines()
    except FileNotFoundError:
        return []
    return [read_address(line) for line in lines if line.strip()]


def keep_address(address: str, *, var: Path) -> Path:
    """Write an address into the file, whole or not at all, before those that were there; return the file."""
    path = address_file(var)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        former = kept_addresses(var)
    except AddressRefused:
        former = []
    lines = [address, *(one for one in former if one != address)][:MOST_KEPT]
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text("".join(f"{line}\n" for line in lines))
    draft.replace(path)
    return path


def public_addresses() -> list[str]:
    """Return the present address and then those that are still answered to."""
    present = settings.PUBLIC_URL.rstrip("/")
    return [present, *(one for one in settings.PUBLIC_URLS if one != present)]


def hosts_of(addresses: list[str]) -> list[str]:
    """Return the hosts that are answered to, and this machine for health checks."""
    hosts = {urlsplit(address).hostname or "" for address in addresses}
    return sorted({*hosts, *_LOCAL} - {""})


def hear_of_new_address() -> None:
    """Take over an address that was kept since this process looked last. Costs a look at the file's date."""
    global _seen  # noqa: PLW0603 - one file for the process
    if settings.IS_ADDRESS_FIXED:
        return
    try:
        found = os.stat(address_file(settings.VAR_DIR))
        mark = (found.st_mtime_ns, found.st_ino)
        if mark == _seen:
            return
        _seen = mark
        kept = kept_addresses(settings.VAR_DIR)
    except FileNotFoundError:
        return
    except (OSError, AddressRefused) as error:
        log.error("core.public_address.unreadable", error=repr(error))
        return
    if kept:
        settings.PUBLIC_URL, settings.PUBLIC_URLS = kept[0], kept
        settings.ALLOWED_HOSTS = hosts_of(kept)
        settings.CSRF_TRUSTED_ORIGINS = kept[:1]
