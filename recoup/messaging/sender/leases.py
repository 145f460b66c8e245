"""Leases: renewed while their sender lives and knows of the message, swept when they run out."""

import threading
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from recoup.core import outbox
from recoup.core.clock import boot_seconds
from recoup.messaging.events import MessageSettled
from recoup.messaging.sender.timing import Timing

_SWEPT_AT_ONCE = 500


class InFlight:
    """The messages that this process holds, and since when. Shared by its threads."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._lock = threading.Lock()
        self._since: dict[int, tuple[float, bool]] = {}

    def take(self, ids: Iterable[int], *, is_handing: bool = False) -> None:
        """Note messages as claimed, or as being handed over."""
        now = boot_seconds()
        with self._lock:
            self._since.update(dict.fromkeys(ids, (now, is_handing)))

    def drop(self, ids: Iterable[int]) -> None:
        """Forget messages that have ended."""
        with self._lock:
            for message_id in ids:
                self._since.pop(message_id, None)

    def renewable(self) -> list[int]:
        """Return the messages whose time is not over: a claim held by a living sender expires, too."""
        now = boot_seconds()
        limits = {False: self._timing.longest_claim, True: self._timing.longest_handing}
        with self._lock:
            return sorted(
                key for key, (since, is_handing) in self._since.items() if now - since < limits[is_handing]
            )


def renew(ids: list[int], *, owner: int, timing: Timing) -> None:
    """Renew leases that this owner still holds."""
    if not ids:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        # A row that is locked at this moment is being handed over: its lease was renewed with the mark.
        cursor.execute(
            "WITH held AS (SELECT id FROM messaging_message WHERE id = ANY(%s) AND lease_owner = %s"
            " AND state IN ('claimed', 'handing') ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)"
            " UPDATE messaging_message m SET lease_until = clock_timestamp() + make_interval(secs => %s)"
            " FROM held WHERE m.id = held.id",
            [ids, owner, timing.lease],
        )


def sweep(*, now: datetime) -> tuple[int, int]:
    """End leases that ran out, across shops on purpose; return how many are due again and how many uncertain.

    What was only claimed was certainly not sent. What was being handed over may have been: it is uncertain and shown, except
    for what the buyer asked for, which is sent once more with the same Message-ID.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (
                SELECT id FROM messaging_message
                WHERE state IN ('claimed', 'handing') AND lease_until < clock_timestamp()
                ORDER BY lease_until LIMIT {_SWEPT_AT_ONCE} FOR NO KEY UPDATE SKIP LOCKED
            )
            UPDATE messaging_message m SET
                state = CASE WHEN m.state = 'claimed' OR (m.is_asked_for AND NOT m.is_resent)
                    THEN 'due' ELSE 'uncertain' END,
                is_resent = m.is_resent OR (m.state = 'handing' AND m.is_asked_for),
                reason = CASE WHEN m.state = 'claimed' THEN m.reason ELSE 'sender_gone' END,
                handed_at = CASE WHEN m.state = 'claimed' THEN NULL ELSE coalesce(m.handed_at, %s) END,
                settled_at = CASE WHEN m.state = 'handing' AND (NOT m.is_asked_for OR m.is_resent) THEN %s END,
                lease_until = NULL, lease_owner = CASE WHEN m.state = 'claimed' THEN NULL ELSE m.lease_owner END
            FROM gone WHERE m.id = gone.id
            RETURNING m.shop_id, m.id, m.enrolment_id, m.step_no, m.case_id, m.state, m.handed_at
            """,  # noqa: S608 - a number of this file
            [now, now],
        )
        rows = cursor.fetchall()
        uncertain = [MessageSettled(*row) for row in rows if row[5] == "uncertain"]
        outbox.announce(*uncertain)
    return len(rows) - len(uncertain), len(uncertain)
