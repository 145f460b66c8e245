"""The brake of a lane: trouble with its server never counts against a person (F12, F18, F20)."""

from datetime import datetime

from django.db import connection, transaction

from recoup.core import attention
from recoup.messaging.models import Lane, MailAccount
from recoup.messaging.ports import LineTrouble

_FIRST_PAUSE, _FIRST_PAUSE_FOR_PERSON, _LONGEST_PAUSE = 30, 300, 3600  # seconds, doubled each time
_TELL_FROM = 120  # a short absence of a server is not worth anybody's eye
KIND = "messaging.lane_in_trouble"


def find_account(shop_id: int) -> MailAccount | None:
    """Return how a shop sends, or `None` if it is not set up."""
    account = MailAccount.objects.filter(shop_id=shop_id).first()
    return account if account is not None and account.host and account.from_email else None


def pause(lane_id: int, shop_id: int, trouble: LineTrouble, *, now: datetime) -> None:
    """Stop a lane for a while, longer each time, and tell somebody when it will not heal by itself."""
    first = _FIRST_PAUSE_FOR_PERSON if trouble.is_for_person else _FIRST_PAUSE
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_lane SET backoff_seconds = least(greatest(backoff_seconds * 2, %s), %s),"
            " in_trouble_since = coalesce(in_trouble_since, clock_timestamp()), trouble = %s,"
            " next_at = clock_timestamp() + make_interval(secs => least(greatest(backoff_seconds * 2, %s), %s))"
            " WHERE id = %s RETURNING backoff_seconds",
            [first, _LONGEST_PAUSE, trouble.reason[:500], first, _LONGEST_PAUSE, lane_id],
        )
        seconds = cursor.fetchone()[0]
        if trouble.is_for_person or seconds >= _TELL_FROM:
            attention.ask(
                KIND,
                shop_id=shop_id,
                key=str(lane_id),
                now=now,
                subject=("lane", lane_id),
                stage=trouble.stage,
                reason=trouble.reason[:200],
            )


def slow_down(lane_id: int) -> None:
    """Wait a while before the next claim: the server asked for fewer mails."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_lane SET backoff_seconds = least(greatest(backoff_seconds * 2, %s), %s),"
            " next_at = clock_timestamp() + make_interval(secs => least(greatest(backoff_seconds * 2, %s), %s))"
            " WHERE id = %s",
            [_FIRST_PAUSE, _LONGEST_PAUSE, _FIRST_PAUSE, _LONGEST_PAUSE, lane_id],
        )


def clear(lane_id: int, shop_id: int, *, now: datetime) -> None:
    """Note that the lane works again."""
    with transaction.atomic():
        Lane.objects.filter(pk=lane_id).update(
            in_trouble_since=None, trouble="", backoff_seconds=0, next_at=None
        )
        attention.settle(KIND, shop_id=shop_id, key=str(lane_id), now=now)


def set_way(lane_id: int, way: str) -> None:
    """Choose how a lane hands over."""
    Lane.objects.filter(pk=lane_id).update(way=way)
