"""Saves and deletes segments."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.segments.counting import forget_count
from recoup.segments.models import Segment
from recoup.segments.tree import as_raw, read_condition
from recoup.shops.models import Shop


class NameTaken(Exception):
    """Another segment of the shop has this name."""


def save_segment(
    shop: Shop,
    *,
    name: str,
    about: int,
    condition: Any,
    actor: Actor,
    now: datetime,
    segment: Segment | None = None,
) -> Segment:
    """Save a segment, a new one or another state of one that is there.

    :raises ConditionRefused: if the condition is none.
    :raises NameTaken:
    """
    raw = as_raw(read_condition(condition, about))
    row = segment or Segment(shop=shop, about=about)
    if row.condition != raw:
        forget_count(row)
    row.name, row.condition, row.changed_at, row.changed_by = name, raw, now, actor.id
    try:
        with transaction.atomic():
            row.save()
            activity.record(
                "segments.segment.saved",
                shop_id=shop.pk,
                subject=("segment", row.pk),
                actor=actor,
                at=now,
                name=name,
            )
    except IntegrityError:
        raise NameTaken(name) from None
    return row


def delete_segment(segment: Segment, *, actor: Actor, now: datetime) -> None:
    """Delete a segment. Whoever took its condition along has it; `processes.segments_used` looks whether it is named."""
    with transaction.atomic():
        activity.record(
            "segments.segment.deleted",
            shop_id=segment.shop_id,
            subject=("segment", segment.pk),
            actor=actor,
            at=now,
            name=segment.name,
        )
        segment.delete()
