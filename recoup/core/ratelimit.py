"""A counter in a window, shared by all processes through one table, bumped by one statement."""

from datetime import timedelta

from django.db import connection

_MOST_FORGOTTEN = 20_000
_FORGET = (
    # No window of ours is longer than a day.
    """DELETE FROM core_rate_bucket WHERE key IN (
        SELECT key FROM core_rate_bucket WHERE window_at < clock_timestamp() - interval '2 days' LIMIT %s)""",
    """DELETE FROM core_cache WHERE cache_key IN (
        SELECT cache_key FROM core_cache WHERE expires < clock_timestamp() LIMIT %s)""",
)


def is_allowed(key: str, *, limit: int, per: timedelta) -> bool:
    """Count one call under `key` and tell whether it is within `limit` per window of real time."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_rate_bucket AS b (key, window_at, hits) VALUES (%s, clock_timestamp(), 1)"
            " ON CONFLICT (key) DO UPDATE SET"
            " hits = CASE WHEN b.window_at < clock_timestamp() - make_interval(secs => %s) THEN 1 ELSE b.hits + 1 END,"
            " window_at = CASE WHEN b.window_at < clock_timestamp() - make_interval(secs => %s)"
            " THEN clock_timestamp() ELSE b.window_at END"
            " RETURNING hits",
            [key[:200], per.total_seconds(), per.total_seconds()],
        )
        hits: int = cursor.fetchone()[0]
    return hits <= limit


def forget_limits() -> int:
    """Delete counters of windows that are over, those of sign-in too; return how many rows were gone.

    The cache of sign-in empties itself only when it is full, and would then drop counters that still count (R35).
    """
    gone = 0
    with connection.cursor() as cursor:
        for statement in _FORGET:
            cursor.execute(statement, [_MOST_FORGOTTEN])
            gone += cursor.rowcount
    return gone
