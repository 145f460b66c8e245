"""What calls to other programs have told of people is forgotten some time after they ended; that they were made is not."""

from datetime import datetime, timedelta

from django.db import connection

KEPT_FOR = timedelta(days=30)
"""Long enough to look into what went wrong, or to take up again what was given up over a holiday."""

BATCH = 500  # rows are locked for some 20 ms

_EMPTY = """
    UPDATE processes_webhookcall SET payload = '{}', emptied_at = %s WHERE id = ANY (ARRAY(
        SELECT id FROM processes_webhookcall
        WHERE state IN ('done', 'dead') AND emptied_at IS NULL AND answered_at < %s
        ORDER BY answered_at LIMIT %s FOR UPDATE SKIP LOCKED))
"""


def empty_payloads(*, now: datetime) -> int:
    """Empty what the calls of all shops have told that ended longer ago; return how many. The worker's loop."""
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY, [now, now - KEPT_FOR, BATCH])
        return int(cursor.rowcount)
