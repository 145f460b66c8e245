"""Writing down what became of messages, and keeping it until it is written."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

import psycopg
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from recoup.core import arrays, outbox
from recoup.messaging.events import MessageSettled
from recoup.messaging.sender import failpoints
from recoup.messaging.sender.details import Detail, note_details
from recoup.messaging.sender.limits import KEPT
from recoup.messaging.sender.passing import pass_on
from recoup.messaging.sender.records import End

log = structlog.get_logger(__name__)

# The session is gone, or the server says that it cannot now; anything else a database says is a fault of ours.
DATABASE_ERRORS = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)
HandOver = tuple[int, datetime]  # contact and instant

# A row that another look has called uncertain meanwhile is put right by the owner who knows better. One that was called off
# and did not leave keeps the reason for that: it ends with it at the next look.
_RECORD = """
    UPDATE messaging_message m SET
        state = CASE WHEN e.state = 'uncertain' AND (m.is_asked_for OR e.may_repeat) AND NOT m.is_resent THEN 'due'
            WHEN e.state = 'cancelled' AND m.is_resent AND m.handed_at IS NOT NULL THEN 'uncertain' ELSE e.state END,
        is_resent = m.is_resent OR (e.state = 'uncertain' AND (m.is_asked_for OR e.may_repeat)),
        reason = CASE WHEN e.state = 'due' AND m.cancel_requested_at IS NOT NULL THEN m.reason ELSE e.reason END,
        answer = e.answer,
        due_at = coalesce(e.due_at, m.due_at),
        handed_at = CASE WHEN e.state IN ('sent', 'uncertain') THEN coalesce(e.handed_at, m.handed_at)
            WHEN m.is_resent AND e.state <> 'failed' THEN m.handed_at END,
        settled_at = CASE WHEN e.state = 'due' THEN NULL ELSE e.at END,
        attempt = m.attempt + e.attempts, deferrals = m.deferrals + e.deferrals,
        lease_owner = CASE WHEN e.state = 'uncertain' THEN m.lease_owner END, lease_until = NULL
    FROM (
        SELECT (r ->> 0)::bigint AS id, r ->> 1 AS state, r ->> 2 AS reason, r ->> 3 AS answer,
            (r ->> 4)::timestamptz AS at, (r ->> 5)::timestamptz AS due_at, (r ->> 6)::timestamptz AS handed_at,
            (r ->> 7)::smallint AS attempts, (r ->> 8)::smallint AS deferrals, (r ->> 9)::boolean AS may_repeat
        FROM jsonb_array_elements(%s::jsonb) AS r
    ) AS e
    WHERE m.id = e.id AND m.lease_owner = %s AND m.state IN ('claimed', 'handing', 'uncertain')
    RETURNING m.shop_id, m.id, m.enrolment_id, m.step_no, m.case_id, m.state, coalesce(m.handed_at, m.settled_at)
"""


def record_ends(ends: Sequence[End], *, owner: int) -> int:
    """Write ends in the present transaction and announce those that settle; return how many rows changed.

    Writing twice changes nothing: only what is still this owner's is written.
    """
    if not ends:
        return 0
    ends = pass_on(ends, owner=owner)
    # As one text: a batch as nine arrays of parameters takes several times as long to be put together.
    rows = [
        (
            end.message_id,
            end.state,
            end.reason,
            end.answer.replace("\0", "")[:500],
            _moment(end.at),
            _moment(end.due_at),
            _moment(end.handed_at),
            end.attempts,
            end.deferrals,
            end.may_repeat,
        )
        for end in ends
    ]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [arrays.rows(rows), owner])
        rows = cursor.fetchall()
    outbox.announce(*[MessageSettled(*row) for row in rows if row[5] != "due"])
    return len(rows)


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None


def lock_messages(ids: Iterable[int]) -> None:
    """Lock message rows in key order, where they are not locked yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM messaging_message WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", [sorted(ids)]
        )


_ADD_HAND_OVERS = f"""
    WITH news AS (
        SELECT (r ->> 0)::bigint AS contact_id, array_agg((r ->> 1)::timestamptz ORDER BY r ->> 1) AS ats
        FROM jsonb_array_elements(%s::jsonb) AS r GROUP BY 1
    )
    UPDATE customers_contactgate g
    SET recent = (g.recent || n.ats)[cardinality(g.recent) + cardinality(n.ats) - {KEPT - 1}:]
    FROM news n WHERE g.contact_id = n.contact_id AND NOT n.ats <@ g.recent
"""  # noqa: S608 - a number of ours


def add_hand_overs(hand_overs: Iterable[HandOver]) -> None:
    """Note hand-overs in the gates, for the caps. Noting the same one again changes nothing."""
    pairs = [(contact_id, at.isoformat()) for contact_id, at in hand_overs]
    if pairs:
        with connection.cursor() as cursor:
            cursor.execute(_ADD_HAND_OVERS, [arrays.rows(pairs)])


def take_back_hand_overs(hand_overs: Iterable[HandOver]) -> None:
    """Take hand-overs out of the gates again that turned out not to be any."""
    for contact_id, at in sorted(hand_overs):
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE customers_contactgate SET recent = array_remove(recent, %s) WHERE contact_id = %s",
                [at, contact_id],
            )


class Ledger:
    """What is known and not written yet: the answers of servers outlive an absence of the database (M5)."""

    def __init__(self, owner: int) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._ends: dict[int, End] = {}
        self._noted: set[HandOver] = set()
        self._undone: set[HandOver] = set()
        self._details: dict[int, Detail] = {}

    def keep(
        self,
        ends: Iterable[End],
        noted: Iterable[HandOver] = (),
        undone: Iterable[HandOver] = (),
        details: Mapping[int, Detail] = MappingProxyType({}),
    ) -> None:
        """Keep ends until they are written, with hand-overs to note for the caps and those to take back."""
        with self._lock:
            self._ends.update({end.message_id: end for end in ends})
            self._noted.update(noted)
            self._undone.update(undone)
            self._details.update(details)

    def __len__(self) -> int:
        return len(self._ends)

    def flush(self) -> int:
        """Write what is kept; what cannot be written now stays kept. Return how many are left.

        One thread writes at a time, so that no end is written after its message was claimed again.
        """
        with self._writing:
            return self._flush()

    def _flush(self) -> int:
        with self._lock:
            ends, noted, undone = dict(self._ends), set(self._noted), set(self._undone)
            details = dict(self._details)
        if not ends:
            return 0
        try:
            with transaction.atomic():
                _lock_gates(contact_id for contact_id, _ in noted | undone)
                lock_messages(ends)
                add_hand_overs(noted)
                take_back_hand_overs(undone)
                note_details(details)
                record_ends(list(ends.values()), owner=self._owner)
                failpoints.reach("before_end_commit")
        except DATABASE_ERRORS as error:
            log.info("messaging.ends.kept", count=len(ends), error=type(error).__name__)
            connection.close()
            return len(ends)
        failpoints.reach("after_end")
        with self._lock:
            self._ends = {key: end for key, end in self._ends.items() if ends.get(key) is not end}
            self._noted -= noted
            self._undone -= undone
            self._details = {key: one for key, one in self._details.items() if key not in details}
        return 0


def _lock_gates(contact_ids: Iterable[int]) -> None:
    wanted = sorted(set(contact_ids))
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM customers_contactgate WHERE contact_id = ANY(%s)"
                " ORDER BY contact_id FOR NO KEY UPDATE",
                [wanted],
            )
