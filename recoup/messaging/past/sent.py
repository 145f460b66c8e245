"""What people really got, or were to get, from everything else that writes to them: it takes its places under the caps."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from recoup.core.arrays import read_instants_quickly
from recoup.messaging.sender.limits import WEEK
from recoup.messaging.sender.look import RIVALS_WITHIN


class SentRow(NamedTuple):
    """A message of somebody else."""

    contact_id: int
    enrolment_id: int | None
    source_id: int | None
    order_id: int | None
    template_id: int | None
    channel: str
    counts: bool  # among those of which a person gets only so many
    may_rival: bool
    is_asked_for: bool
    is_by_hand: bool
    is_out: bool
    recipient: str
    queued_at: datetime
    due_at: datetime
    not_after: datetime
    gone_at: datetime | None  # out, or called off
    handed_at: datetime | None


# As `look` and `shop_facts` read them. What counts is told by the message alone: not what was asked for, nor thanks that
# carry out a contract.
_ROWS = """
    SELECT contact_id, enrolment_id, source_id, order_id, template_id, channel,
        NOT is_asked_for AND NOT (purpose = 'thanks' AND message_class = 'contract'),
        purpose = 'reminder' AND NOT is_asked_for AND manual_key IS NULL AND source_id IS NOT NULL,
        is_asked_for, manual_key IS NOT NULL, state IN ('sent', 'uncertain'), recipient, queued_at, due_at, not_after,
        least(settled_at, cancel_requested_at), handed_at
    FROM messaging_message
    WHERE shop_id = %s AND contact_id = ANY(%s) AND NOT is_test AND source_id IS DISTINCT FROM %s AND queued_at <= %s
        AND coalesce(settled_at, 'infinity') > %s
"""
_SPENT = """
    SELECT (handed_at AT TIME ZONE %s)::date, sum(price) FROM messaging_message
    WHERE shop_id = %s AND channel <> 'email' AND state IN ('sent', 'uncertain') AND NOT is_test AND price IS NOT NULL
        AND source_id IS DISTINCT FROM %s AND handed_at >= %s AND handed_at <= %s GROUP BY 1
"""


@dataclass(slots=True)
class Others:
    """The messages of others to some people."""

    rows: dict[int, list[SentRow]] = field(default_factory=dict)  # by person
    recent: dict[int, Sequence[datetime]] = field(
        default_factory=dict
    )  # of gates: all that counts until now, where the present is asked for
    dropped: dict[int, datetime] = field(default_factory=dict)  # enrolments that would not have been there

    def counted(self, contact_id: int, at: datetime, *, channel: str = "") -> list[datetime]:
        """Return the hand-overs of the week before an instant that count for the caps."""
        if not channel and contact_id in self.recent:
            return [one for one in self.recent[contact_id] if one <= at]
        return [
            row.handed_at
            for row in self._out(contact_id, at)
            if row.counts
            and row.handed_at is not None
            and row.handed_at > at - WEEK
            and channel in ("", row.channel)
        ]

    def about_order(self, contact_id: int, order_id: int, at: datetime) -> int:
        """Return how many reminders of an order went out by an instant."""
        return sum(row.order_id == order_id and not row.is_asked_for for row in self._out(contact_id, at))

    def by_hand(self, contact_id: int, order_id: int, at: datetime) -> list[int]:
        """Return the texts that a person sent by hand about an order on the day before an instant."""
        return [
            row.template_id
            for row in self._out(contact_id, at)
            if row.is_by_hand
            and row.order_id == order_id
            and row.template_id is not None
            and row.handed_at is not None
            and row.handed_at > at - RIVALS_WITHIN
        ]

    def to_number(self, contact_id: int, number: str, since: datetime, at: datetime) -> int:
        """Return how many messages went to a number of somebody since the day began."""
        return sum(
            row.recipient == number and row.handed_at is not None and row.handed_at >= since
            for row in self._out(contact_id, at)
        )

    def rivals(self, contact_id: int, ranks: Mapping[int, int], rank: int, at: datetime) -> list[datetime]:
        """Return when messages of a higher rank were due to somebody within a day that had not gone out yet."""
        return [
            row.due_at
            for row in self.rows.get(contact_id, ())
            if row.may_rival
            and row.queued_at <= at
            and (row.gone_at is None or row.gone_at > at)
            and row.due_at < at + RIVALS_WITHIN
            and row.not_after > at
            and ranks.get(row.source_id or 0, 0) > rank
            and not self._is_dropped(row, at)
        ]

    def drop(self, enrolment_id: int, at: datetime) -> None:
        """Forget what an enrolment sent from an instant on: it would not have been there."""
        self.dropped[enrolment_id] = min(at, self.dropped.get(enrolment_id, at))

    def _out(self, contact_id: int, at: datetime) -> Iterable[SentRow]:
        for row in self.rows.get(contact_id, ()):
            if (
                row.is_out
                and row.handed_at is not None
                and row.handed_at <= at
                and not self._is_dropped(row, row.handed_at)
            ):
                yield row

    def _is_dropped(self, row: SentRow, at: datetime) -> bool:
        since = self.dropped.get(row.enrolment_id or 0) if self.dropped else None
        return since is not None and since <= at


def read_others(
    shop_id: int, contact_ids: Collection[int], *, but: int | None, since: datetime, now: datetime
) -> Others:
    """Read what everything but one source has sent to people from a week before an instant on."""
    with connection.cursor() as cursor:
        read_instants_quickly(cursor)
        cursor.execute(_ROWS, [shop_id, list(contact_ids), but, now, since - WEEK])
        found: dict[int, list[SentRow]] = defaultdict(list)
        for row in cursor.fetchall():
            found[row[0]].append(SentRow._make(row))
    return Others(dict(found))


def spent_by_others(
    shop_id: int, zone: str, *, but: int | None, since: datetime, now: datetime
) -> dict[date, Decimal]:
    """Return what everything but one source has spent on short messages, by the day of the shop."""
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, [zone, shop_id, but, since, now])
        return dict(cursor.fetchall())
