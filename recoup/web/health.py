"""The page that a watchdog reads: green, or red with what is wrong. It runs outside every loop that it judges."""

import shutil
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from recoup.core.clock import real_now, trade_now
from recoup.core.installation import get_installation
from recoup.core.models import Heartbeat
from recoup.messaging.sender import quota

LONGEST_SILENCE = timedelta(minutes=2)
LATEST_MESSAGE = timedelta(minutes=10)
LATEST_NEWS = timedelta(minutes=10)
LEAST_FREE = 0.05  # of the disk


def troubles(*, now: datetime) -> list[str]:
    """Return the codes of what is wrong; nothing when all is well. `now` is real time."""
    found = []
    beats = {beat.name: beat.beat_at for beat in Heartbeat.objects.exclude(name="watchdog")}
    # Sender threads and loops of workers that were stopped for good leave old beats: the youngest of a name counts.
    if not beats or max(beats.values()) < now - LONGEST_SILENCE:
        found.append("worker_missing")
    else:
        found += [f"loop_silent:{name}" for name, at in sorted(beats.items()) if at < now - LONGEST_SILENCE]
    installation = get_installation()
    message_at, news_at = _oldest_waiting()
    # Both instants are of the trade clock. Where that was moved, nothing has waited longer than since its move.
    trade, moved_at = trade_now(), installation.trade_moved_at
    longest = now - moved_at if moved_at is not None else timedelta.max
    is_silenced = installation.silenced_at is not None  # nothing may leave a restored copy, on purpose
    if message_at is not None and min(trade - message_at, longest) > LATEST_MESSAGE and not is_silenced:
        found.append("messages_late")
    if news_at is not None and min(trade - news_at, longest) > LATEST_NEWS:
        found.append("inbox_late")
    usage = shutil.disk_usage(settings.VAR_DIR if settings.VAR_DIR.exists() else "/")
    if usage.free < usage.total * LEAST_FREE:
        found.append("disk_low")
    return found


def _first_due(prio: int) -> str:
    """Return a subquery for when the first message of lane `l` with this priority was due."""
    return (
        "(SELECT due_at FROM messaging_message WHERE lane_id = l.id AND state = 'due'"  # noqa: S608 - a number of ours
        f" AND prio = {prio} ORDER BY due_at LIMIT 1)"
    )


def _oldest_waiting() -> tuple[datetime | None, datetime | None]:
    """Return since when a message of a lane that may send has been due, and the oldest unread news.

    A lane whose day is full rests on purpose, and what it holds has waited for it since that day's end at most. Mail to
    many lets all other mail pass, so it is late only where nothing else is due.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT (SELECT min(greatest(m.due_at, CASE WHEN {quota.QUOTA} IS NOT NULL
                        THEN {quota.MIDNIGHT} + coalesce(i.trade_offset, interval '0') END))
                FROM messaging_lane l JOIN shops_shop s ON s.id = l.shop_id LEFT JOIN core_installation i ON true
                CROSS JOIN LATERAL (SELECT coalesce(least({_first_due(0)}, {_first_due(1)}), {_first_due(2)}) AS due_at) m
                WHERE m.due_at IS NOT NULL AND coalesce({quota.LEFT}, 1) > 0),
            (SELECT received_at FROM core_inbox WHERE state = 'new' AND next_try_at IS NULL ORDER BY id LIMIT 1)
            """  # noqa: S608 - pieces of ours
        )
        message_at, news_at = cursor.fetchone()
    return message_at, news_at


def health(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - the shape of a view
    """Answer 200 when all is well, else 503 with the codes of what is not. Names nobody and no version."""
    try:
        found = troubles(now=real_now())
        instance = str(get_installation().instance_id)
    except DatabaseError:
        return JsonResponse({"status": "red", "troubles": ["database_away"]}, status=503)
    status = "red" if found else "green"
    return JsonResponse(
        {"status": status, "troubles": found, "installation": instance}, status=503 if found else 200
    )
