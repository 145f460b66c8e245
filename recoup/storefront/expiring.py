"""Payments that were opened with an offer whose time is over: ended, unless the buyer is just finishing them (K2)."""

from datetime import datetime, timedelta

import structlog
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core.installation import is_silenced
from recoup.payments.adapters import OperatorUnknown
from recoup.payments.models import Attempt
from recoup.payments.sessions import NotPayable, SessionUnknown, close_session

log = structlog.get_logger(__name__)

GRACE = timedelta(minutes=15)  # whoever agreed to the price in time may finish at the bank
_MOST = 50
_OVER = """
    SELECT id FROM (
        SELECT DISTINCT a.id FROM offers_offer f
        JOIN offers_redemption r ON r.offer_id = f.id AND r.freed_at IS NULL AND r.paid_at IS NULL
        JOIN payments_attempt a ON a.order_id = r.order_id AND a.is_open_session AND a.created_at <= f.valid_until
        WHERE f.state IN ('granted', 'asked') AND f.valid_until <= %s) AS over
    ORDER BY random() LIMIT %s  -- those that their operator does not end must not take every turn
"""


def close_expired_sessions(*, now: datetime) -> int:
    """End open payments with expired offers, across shops; return how many ended. The worker's loop calls it.

    Of one that cannot be ended the operator decides: what is paid through it counts. A silenced copy ends none (R19).
    """
    if is_silenced():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_OVER, [now - GRACE, _MOST])
        ids = [row[0] for row in cursor.fetchall()]
    ended = 0
    with scopes_disabled():
        for attempt in Attempt.objects.filter(pk__in=ids).select_related("order", "operator_account"):
            try:
                close_session(attempt, now=now)
                ended += 1
            except (NotPayable, SessionUnknown, OperatorUnknown) as error:
                log.info("storefront.session.left_open", attempt_id=attempt.pk, error=type(error).__name__)
    return ended
