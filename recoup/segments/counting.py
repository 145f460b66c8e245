"""How many rows meet each saved segment, counted in the background: a page of segments reads the numbers that are kept."""

from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import Q
from psycopg.errors import QueryCanceled

from recoup.core.clock import real_now
from recoup.segments.models import NEVER, Segment
from recoup.segments.queries import count_of
from recoup.segments.tree import ConditionRefused
from recoup.shops.models import Shop

COUNTED_ANEW_AFTER = timedelta(minutes=10)
AT_ONCE = 3  # segments of one turn: a loop that is longer than two minutes about it is taken for dead
LONGEST = "20s"  # what takes longer shows no number rather than hold the database


def count_due(*, now: datetime) -> int:
    """Count the segments whose number is old or not there yet, a few at a time; return how many. Crosses shops.

    A segment that was changed meanwhile keeps no number of its earlier condition.
    """
    done = 0
    for _ in range(AT_ONCE):
        segment = _take(real_now())
        if segment is None:
            break
        rows, is_capped = _count(segment, now)
        Segment.objects.filter(pk=segment.pk, changed_at=segment.changed_at).update(
            rows=rows, is_capped=is_capped, rows_at=now
        )
        done += 1
    return done


def _take(instant: datetime) -> Segment | None:
    """Take the one that was not looked at for longest; another worker takes another one."""
    with transaction.atomic():
        due = Q(looked_at__lte=instant - COUNTED_ANEW_AFTER)
        found = Segment.objects.select_for_update(skip_locked=True).filter(due).order_by("looked_at", "id")
        segment = found.first()
        if segment is not None:
            segment.looked_at = instant
            segment.save(update_fields=["looked_at"])
        return segment


def _count(segment: Segment, now: datetime) -> tuple[int | None, bool]:
    shop = Shop.objects.get(pk=segment.shop_id)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST])
            found = count_of(shop, segment.about, segment.condition, now=now)
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return None, False
    except ConditionRefused:  # of another version of Recoup: the other segments are counted all the same
        return None, False
    return found.number, found.is_capped


def forget_count(segment: Segment) -> None:
    """Let a segment be counted anew: its condition is another one. Its row is saved by the caller."""
    segment.rows, segment.rows_at, segment.looked_at = None, None, NEVER
