"""First reminders that wait until the shop has said whether their order is paid: its last word is too old (R6, F23).

The last look holds them; `recovery.asking` asks the shops; whatever was heard of meanwhile is let go here.
"""

from datetime import datetime, timedelta

from django.db import connection

HEARD_WITHIN = timedelta(hours=1)

# Both cross shops on purpose; the index of what waits gives them their rows.
_CLAIM = """
    WITH picked AS MATERIALIZED (
        SELECT o.id FROM orders_order o
        WHERE o.id IN (SELECT order_id FROM messaging_message WHERE state = 'due' AND reason = 'source_silent')
            AND (o.reminder_ask_at IS NULL OR o.reminder_ask_at <= %(now)s)
            AND greatest(o.learnt_at, o.version_learnt_at, o.asked_at) <= %(heard)s
        ORDER BY o.reminder_ask_at NULLS FIRST, o.id LIMIT %(limit)s FOR NO KEY UPDATE OF o SKIP LOCKED)
    UPDATE orders_order o SET reminder_ask_at = %(later)s FROM picked p WHERE o.id = p.id RETURNING o.id
"""
_LET_GO = """
    UPDATE messaging_message SET due_at = %(now)s
    WHERE id = ANY (ARRAY(
        SELECT m.id FROM messaging_message m JOIN orders_order o ON o.id = m.order_id
        WHERE m.state = 'due' AND m.reason = 'source_silent' AND m.due_at > %(now)s
            AND (greatest(o.learnt_at, o.version_learnt_at, o.asked_at) > %(heard)s
                OR (m.manual_key IS NOT NULL AND o.ask_failures > 0))
        ORDER BY m.id FOR NO KEY UPDATE OF m SKIP LOCKED))
"""


def claim_unheard(*, now: datetime, later: datetime, limit: int) -> list[int]:
    """Return orders whose sources are to be asked now, and put each off until `later`: nobody else asks meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"now": now, "later": later, "heard": now - HEARD_WITHIN, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def let_go(*, now: datetime) -> int:
    """Let the reminders be looked at again whose orders were heard of, and return how many.

    So are those that a person sends, once their shop was asked in vain.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LET_GO, {"now": now, "heard": now - HEARD_WITHIN})
        return int(cursor.rowcount)
