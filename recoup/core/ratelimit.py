"""A counter in a window, shared by all processes through one table, bumped by one statement."""

from datetime import timedelta

from django.db import connection


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
