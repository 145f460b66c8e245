"""Sources by the key of their address, remembered for a moment: a call then costs one statement and no decryption.

A changed secret counts two seconds later at most. While the database is away, what was remembered still checks signatures.
"""

import time
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError
from django_scopes import scopes_disabled

from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.models import Source
from recoup.shops.ports import ShopPlatform

MEMORY_SECONDS = 2.0
_MOST = 1000
AWAY = (OperationalError, InterfaceError)  # what the driver raises when the database cannot be used


class DatabaseAway(Exception):
    """The database cannot be asked, and this source is not remembered."""


@dataclass(frozen=True, slots=True)
class Known:
    """A source with its adapter. Shared by threads: read only."""

    source: Source
    platform: ShopPlatform
    read_at: float


_remembered: dict[str, Known] = {}


def known_source(key: str) -> Known | None:
    """Return the source that is called at this key, or `None`.

    :raises DatabaseAway: if it cannot be told.
    """
    known = _remembered.get(key)
    if known is not None and time.monotonic() - known.read_at < MEMORY_SECONDS:
        return known
    try:
        with scopes_disabled():
            source = Source.objects.filter(key=key).first()
    except AWAY as error:
        if known is not None:
            return known
        raise DatabaseAway from error
    if source is None:
        _remembered.pop(key, None)
        return None
    try:
        found = Known(source, platform(source.kind), time.monotonic())
    except PlatformUnknown:
        return None
    if len(_remembered) >= _MOST:
        _remembered.clear()
    _remembered[key] = found
    return found


def forget() -> None:
    """Forget all sources; what tests and a changed secret in this process call."""
    _remembered.clear()
