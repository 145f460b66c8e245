"""The people who are left alone, so that what a process brings can be told from what would have come anyway (engine 10.6).

A share of the people of each process, and if the shop wants, of all its people from every process. Who it is, chance
decides that is the same each time (`engine.bucket`), so nobody is moved by a new version or a second order. Precedence,
independence and what is never withheld: `docs/decisions/0004`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.processes.models import HoldoutShare, Process
from recoup.shops.models import Shop

NEW_SHARE_BP = 1000  # of a process that is new: 10 %
MOST_SHARE_BP = 5000  # more than half left alone is no comparison but a process switched off


class ShareRefused(Exception):
    """A share that is not between 0 and 50 %."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the share stayed the same. Enrolments belong to it by their numbers: after one, up to another."""

    share_bp: int
    after: int  # the last enrolment before it
    until: int | None = None  # its own last enrolment; none while it lasts
    since: datetime | None = None  # none from the beginning
    ended_at: datetime | None = None


def set_share(process: Process, share_bp: int, *, actor: Actor, now: datetime) -> bool:
    """Leave another share of the new people of a process alone; `False` if it is the share already.

    Who is inside stays in their group. Waits for those who are just coming in.

    :raises ShareRefused: if it is not between 0 and 50 %.
    """
    _refuse_wrong(share_bp)
    with transaction.atomic():
        process = Process.objects.select_for_update(no_key=True, of=("self",)).get(pk=process.pk)
        was = process.holdout_bp
        if was == share_bp:
            return False
        Process.objects.filter(pk=process.pk).update(holdout_bp=share_bp)
        _note(process.shop_id, process, was, share_bp, actor=actor, now=now)
    return True


def set_shop_share(shop: Shop, share_bp: int, *, actor: Actor, now: datetime) -> bool:
    """Leave another share of all new people of a shop alone, whatever process they come to; `False` if it is so already.

    :raises ShareRefused: if it is not between 0 and 50 %.
    """
    _refuse_wrong(share_bp)
    with transaction.atomic():
        Shop.objects.select_for_update(no_key=True).get(pk=shop.pk)  # one changes it at a time
        rows = Process.objects.select_for_update(no_key=True, of=("self",)).filter(shop=shop)
        list(rows.order_by("pk").values_list("pk", flat=True))  # whoever is at a door is waited for
        was = shop_share(shop)
        if was == share_bp:
            return False
        _note(shop.pk, None, was, share_bp, actor=actor, now=now)
    return True


def _refuse_wrong(share_bp: int) -> None:
    if not 0 <= share_bp <= MOST_SHARE_BP:
        raise ShareRefused(share_bp)


def _note(
    shop_id: int, process: Process | None, was: int, share: int, *, actor: Actor, now: datetime
) -> None:
    HoldoutShare.objects.create(
        shop_id=shop_id,
        process=process,
        was_bp=was,
        share_bp=share,
        since=now,
        after_enrolment=_last_enrolment(),
        made_by=actor.id,
    )
    activity.record(
        "processes.holdout.changed",
        shop_id=shop_id,
        subject=("process", process.pk) if process is not None else ("shop", shop_id),
        at=now,
        actor=actor,
        was=was,
        to=share,
    )


def _last_enrolment() -> int:
    """Return the last number given to an enrolment. The doors are locked: whoever comes later gets a higher one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM processes_enrolment_id_seq"
        )
        row: tuple[Any, ...] = cursor.fetchone()
    return int(row[0])


def shop_share(shop: Shop) -> int:
    """Return the share of all people of a shop who are left alone, in basis points."""
    last = HoldoutShare.objects.filter(shop=shop, process=None).order_by("-id").first()
    return last.share_bp if last is not None else 0


def stretches_of(process: Process) -> list[Stretch]:
    """Return the times in which the share of a process stayed the same, the present one first."""
    changes = HoldoutShare.objects.filter(shop_id=process.shop_id, process=process)
    return _stretches(list(changes.order_by("id")), process.holdout_bp)


def stretches_of_shop(shop: Shop) -> list[Stretch]:
    """Return the times in which the share of the whole shop stayed the same, the present one first."""
    return _stretches(list(HoldoutShare.objects.filter(shop=shop, process=None).order_by("id")), 0)


def _stretches(changes: list[HoldoutShare], present_bp: int) -> list[Stretch]:
    if not changes:
        return [Stretch(present_bp, after=0)]
    first = changes[0]
    found = [Stretch(first.was_bp, 0, first.after_enrolment, None, first.since)]
    for number, change in enumerate(changes):
        following = changes[number + 1] if number + 1 < len(changes) else None
        found.append(
            Stretch(
                change.share_bp,
                change.after_enrolment,
                following.after_enrolment if following else None,
                change.since,
                following.since if following else None,
            )
        )
    return found[::-1]
