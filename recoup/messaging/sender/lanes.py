"""The brake of a lane: trouble with its server never counts against a person (F12, F18, F20)."""

from datetime import datetime

from django.db import connection, transaction

from recoup.core import attention
from recoup.messaging.models import Lane
from recoup.messaging.ports import LineTrouble

_FIRST_PAUSE, _FIRST_PAUSE_FOR_PERSON, _LONGEST_PAUSE = 30, 300, 3600  # seconds, doubled each time
_TELL_FROM = 120  # a short absence of a server is not worth anybody's eye
_KINDS = {"email": "messaging.lane_in_trouble", "sms": "messaging.sms_in_trouble"}


def kind_of(channel: str) -> str:
    """Return the kind of what is asked of a person when a channel is in trouble."""
    return _KINDS.get(channel, _KINDS["email"])


def pause(lane_id: int, shop_id: int, trouble: LineTrouble, *, now: datetime) -> None:
    """Stop a lane for a while, longer each time, and tell somebody when it will not heal by itself."""
    first = _FIRST_PAUSE_FOR_PERSON if trouble.is_for_person else _FIRST_PAUSE
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_lane SET backoff_seconds = least(greatest(backoff_seconds * 2, %s), %s),"
            " in_trouble_since = coalesce(in_trouble_since, clock_timestamp()), trouble = %s,"
            " next_at = clock_timestamp() + make_interval(secs => least(greatest(backoff_seconds * 2, %s), %s))"
            " WHERE id = %s RETURNING backoff_seconds, channel",
            [first, _LONGEST_PAUSE, trouble.reason[:500], first, _LONGEST_PAUSE, lane_id],
        )
        seconds, channel = cursor.fetchone()
        if trouble.is_for_person or seconds >= _TELL_FROM:
            attention.ask(
                kind_of(channel),
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


def stands(lane_id: int, shop_id: int, *, now: datetime) -> None:
    """Note that the server can be had again; whether it takes messages, the first of them will tell."""
    with transaction.atomic():
        Lane.objects.filter(pk=lane_id).update(in_trouble_since=None, trouble="")
        for kind in _KINDS.values():
            attention.settle(kind, shop_id=shop_id, key=str(lane_id), now=now)


def clear(lane_id: int, shop_id: int, *, now: datetime) -> None:
    """Note that the lane works again: its server took a message."""
    with transaction.atomic():
        Lane.objects.filter(pk=lane_id).update(
            in_trouble_since=None, trouble="", backoff_seconds=0, next_at=None
        )
        for kind in _KINDS.values():
            attention.settle(kind, shop_id=shop_id, key=str(lane_id), now=now)


def set_way(lane_id: int, way: str) -> None:
    """Choose how a lane hands over."""
    Lane.objects.filter(pk=lane_id).update(way=way)
