"""Messages that are not wanted any more: what still waits ends at once, what a sender holds when it looks again."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection, transaction

from recoup.core import outbox
from recoup.messaging.events import MessageSettled
from recoup.messaging.models import Message

_UNSETTLED = "('due', 'claimed', 'handing')"
_SETTLED_COLUMNS = "m.shop_id, m.id, m.enrolment_id, m.step_no, m.case_id, m.state"


def request_cancel(
    *,
    reason: str,
    now: datetime,
    enrolment_ids: Sequence[int] = (),
    order_ids: Sequence[int] = (),
    steps: Sequence[tuple[int, int]] = (),
) -> int:
    """Call off the unsettled messages of enrolments or orders, and return how many there were.

    With `steps` (enrolment and number) those of these steps alone.
    What still waits ends at once; what a sender holds ends when it looks again, or is sent if its hand-over has begun
    (this waits for it, some 2 s at most). Messages sent by hand stay: a person wanted them.
    """
    if not enrolment_ids and not order_ids and not steps:
        return 0
    which, values = "enrolment_id = ANY(%s) OR order_id = ANY(%s)", [list(enrolment_ids), list(order_ids)]
    if steps:
        columns = [list(column) for column in zip(*steps, strict=True)]
        which = "enrolment_id = ANY(%s) AND (enrolment_id, step_no) IN (SELECT * FROM unnest(%s::bigint[], %s::int[]))"
        values = [columns[0], *columns]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH held AS (
                SELECT id FROM messaging_message
                WHERE ({which}) AND enrolment_id IS NOT NULL
                    AND state IN {_UNSETTLED} AND NOT is_asked_for
                ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE messaging_message m
            SET cancel_requested_at = coalesce(m.cancel_requested_at, %s), reason = %s,
                state = CASE WHEN m.state = 'due' THEN 'cancelled' ELSE m.state END,
                settled_at = CASE WHEN m.state = 'due' THEN %s ELSE m.settled_at END
            FROM held WHERE m.id = held.id AND m.state IN {_UNSETTLED}
            RETURNING {_SETTLED_COLUMNS}
            """,  # noqa: S608 - constants of this file
            [*values, now, reason, now],
        )
        rows = cursor.fetchall()
        outbox.announce(*[MessageSettled(*(*row, now)) for row in rows if row[5] == Message.State.CANCELLED])
    return len(rows)
