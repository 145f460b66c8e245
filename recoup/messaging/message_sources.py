"""What messages come from (a process), and whether it may send."""

from datetime import datetime

from django.db import connection, transaction

from recoup.messaging.models import MessageSource
from recoup.messaging.reasons import Reason
from recoup.shops.models import Shop


def make_source(shop: Shop, *, name: str, state: str = MessageSource.State.STOPPED) -> MessageSource:
    """Make a source of messages: what a process sends by."""
    source = MessageSource(shop=shop, name=name[:120], state=state)
    source.save(force_insert=True)
    return source


def set_source_state(source_id: int, state: str, *, now: datetime) -> None:
    """Let a source send, hold its messages, or end them when they are looked at.

    Messages that a pause put off are due again as soon as the source is live.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_messagesource SET state = %s WHERE id = %s", [state, source_id])
        if state == MessageSource.State.PAUSED:
            return
        cursor.execute(
            "UPDATE messaging_message SET due_at = %s, reason = '' WHERE state = 'due' AND source_id = %s"
            " AND reason = %s AND lane_id IN (SELECT l.id FROM messaging_lane l"
            " JOIN messaging_messagesource s ON s.shop_id = l.shop_id WHERE s.id = %s)",
            [now, source_id, Reason.SOURCE_PAUSED, source_id],
        )
