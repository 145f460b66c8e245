"""A real shop whose messages are really handed over, to a mail server and a provider of short messages on this machine."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from recoup.messaging.past.deciding import PastMessage
from recoup.messaging.sender.loop import Sender
from recoup.processes.backtest.shop import PastShop
from recoup.processes.engine.codes import Code
from recoup.processes.facts import message_outcome
from tests.processes.backtest.real_shop import RealShop


class Handed(NamedTuple):
    """How a message ended: over which channel, why, when to the second, and what it cost."""

    outcome: int
    channel: str
    reason: str
    message_class: str
    at: datetime
    parts: int
    price: Decimal


Ends = dict[tuple[int, int, int], Handed]  # by kind and id of the subject, and step


@dataclass
class SendingShop(RealShop):
    """Its sender is the product's own; a hand-over takes no time of trade but milliseconds."""

    lag: timedelta = timedelta(0)
    pause: timedelta = timedelta(milliseconds=20)

    def run(self, until: datetime) -> None:
        """Live until an instant."""
        self._sender = Sender()
        try:
            super().run(until)
        finally:
            self._sender.close()

    def _hand_over(self, clock: datetime) -> bool:
        is_any = False
        while self._sender.run_once(lambda: clock):
            is_any = True
        return is_any

    def handed(self) -> Ends:
        """Return how the messages of the process ended that is tried."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT e.subject_kind, e.subject_id, m.step_no, m.state, m.reason, m.channel, m.message_class,"
                " coalesce(m.handed_at, m.settled_at), coalesce(m.parts, 0), coalesce(m.price, 0)"
                " FROM messaging_message m JOIN processes_enrolment e ON e.id = m.enrolment_id"
                " WHERE m.settled_at IS NOT NULL AND e.process_id = %s",
                [self.process.pk],
            )
            rows = cursor.fetchall()
        return {
            (kind, subject, step): Handed(
                message_outcome(state, reason),
                channel,
                reason,
                message_class,
                second(at),
                *(found if state == "sent" else (0, Decimal(0))),
            )
            for kind, subject, step, state, reason, channel, message_class, at, *found in rows
        }


def handed_in(shop: PastShop) -> Ends:
    """Return the same of a store of a back-test."""
    found: Ends = {}
    for (enrolment_id, step), message in shop.messages.items():
        known, enrolment = shop.sending.messages[enrolment_id, step], shop.enrolments[enrolment_id]
        if message.settled_at is not None:
            found[enrolment.subject_kind, enrolment.subject_id, step] = _handed(
                known, message.outcome, message.settled_at
            )
    return found


def _handed(known: PastMessage, outcome: int, at: datetime) -> Handed:
    is_out = outcome == Code.SENT
    return Handed(
        outcome,
        known.channel,
        known.reason or ("stopped" if outcome == Code.SKIPPED_STOPPED else ""),
        known.bases[0].message_class,
        second(at),
        known.parts if is_out else 0,
        known.price if is_out else Decimal(0),
    )


def second(at: datetime) -> datetime:
    """Return an instant without what the machine took."""
    return at.replace(microsecond=0)
