"""Which process gives way to which: rank and exclusive group, set by people (engine 10.3, 10.5)."""

from datetime import datetime

from django.db import transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.messaging.models import MessageSource
from recoup.processes.models import Process

HIGHEST_RANK = 99


def set_ranking(process: Process, *, rank: int, group: str, actor: Actor, now: datetime) -> Process:
    """Set how a process stands to the others. People who are inside stay; who comes in from now on is told by it.

    :raises ValueError: if the rank is out of range.
    """
    if not 0 <= rank <= HIGHEST_RANK:
        raise ValueError(rank)
    group = " ".join(group.split())[:40]
    with transaction.atomic():
        Process.objects.filter(pk=process.pk).update(priority=rank, exclusive_group=group)
        MessageSource.objects.filter(pk=process.message_source_id).update(priority=rank)
        activity.record(
            "processes.process.ranked",
            shop_id=process.shop_id,
            subject=("process", process.pk),
            at=now,
            actor=actor,
            rank=rank,
            group=group,
        )
    process.refresh_from_db()
    return process
