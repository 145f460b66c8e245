"""Limits for calls that nobody signed (T29). A signed call is never counted, whatever address it comes from."""

import time
from datetime import timedelta

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse

from recoup.core.callers import client_address
from recoup.core.ratelimit import is_allowed

PER_ADDRESS = 60
PER_KEY = 600
WINDOW = timedelta(minutes=1)
_MOST = 10_000
_blocked: dict[str, float] = {}  # what is over its limit, until when: further calls cost no statement


def refuse(request: HttpRequest, key: str, status: int) -> HttpResponse:
    """Return the refusal of an unsigned call: `status`, or 429 once there were too many."""
    counted = [(f"hook:from:{client_address(request)}", PER_ADDRESS)]
    if status != 404:
        counted.append((f"hook:key:{key[:60]}", PER_KEY))
    if all(_is_within(name, limit) for name, limit in counted):
        return HttpResponse(status=status)
    return HttpResponse(status=429, headers={"Retry-After": str(int(WINDOW.total_seconds()))})


def _is_within(name: str, limit: int) -> bool:
    moment = time.monotonic()
    if _blocked.get(name, 0.0) > moment:
        return False
    try:
        within = is_allowed(name, limit=limit, per=WINDOW)
    except DatabaseError:
        return True  # the refusal itself stands anyway
    if not within:
        if len(_blocked) >= _MOST:
            _blocked.clear()
        _blocked[name] = moment + WINDOW.total_seconds() / 2
    return within


def forget() -> None:
    """Forget who is blocked; what tests call."""
    _blocked.clear()
