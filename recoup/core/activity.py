"""The line that every change leaves for people to read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recoup.core.models import Activity


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: the system, a person, a process, a source or a buyer."""

    kind: str
    id: int | None = None


SYSTEM = Actor("system")


def record(
    verb: str, *, shop_id: int, subject: tuple[str, int], at: datetime, actor: Actor = SYSTEM, **details: Any
) -> None:
    """Record one change. `verb` is dotted, widest first: `orders.order.status_changed`; details hold no personal data."""
    Activity.objects.create(
        shop_id=shop_id,
        verb=verb,
        subject_kind=subject[0],
        subject_id=subject[1],
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=at,
        details=details,
    )
