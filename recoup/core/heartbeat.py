"""Beats of the loops that must not stop. Read by `/health`, which runs outside all of them."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from recoup.core.models import Heartbeat


def beat(name: str, *, now: datetime, **details: Any) -> None:
    """Say that a loop is alive. `now` is real time."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": now, "details": details})


def keep_only(names: Collection[str]) -> None:
    """Forget the beats of loops that are no more, such as those of an older release: nobody will ever beat for them."""
    Heartbeat.objects.exclude(name__in=names).delete()


def silent_loops(*, now: datetime, longer_than: timedelta) -> list[Heartbeat]:
    """Return the loops that have not beaten for that long, oldest first."""
    return list(Heartbeat.objects.filter(beat_at__lt=now - longer_than).order_by("beat_at"))
