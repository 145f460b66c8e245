"""What the messages of a process are credited with: cases that were paid after one of them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from recoup.core.money import Money
from recoup.processes.models import Process

# Walks the cases that ended well, by the index of outcomes.
_CREDITED = """
    SELECT c.currency, count(*), sum(c.recovered_amount - c.refunded_amount)
    FROM recovery_recoverycase c JOIN messaging_message m ON m.id = c.credited_message_id
    WHERE c.shop_id = %s AND c.outcome = 'recovered' AND m.source_id = %s AND c.opened_at >= %s AND c.opened_at < %s
    GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Credited:
    """Cases and money of one currency."""

    cases: int
    money: Money


def credited_to(process: Process, *, start: datetime, end: datetime) -> list[Credited]:
    """Return what a process is credited with, of cases that opened in a period."""
    with connection.cursor() as cursor:
        cursor.execute(_CREDITED, [process.shop_id, process.message_source_id, start, end])
        return [Credited(cases, Money(amount, currency)) for currency, cases, amount in cursor.fetchall()]
