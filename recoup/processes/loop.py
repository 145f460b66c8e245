"""The engine's loop body over PostgreSQL: one transaction for each batch."""

from datetime import datetime

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction

from recoup.core import attention
from recoup.core.clock import boot_seconds, real_now, trade_now
from recoup.core.outbox import FAILED_WORK, heals
from recoup.processes.engine.batch import BATCH, advance_all
from recoup.processes.engine.codes import State
from recoup.processes.engine.endings import poison
from recoup.processes.engine.records import Enrolment, Outcome
from recoup.processes.store import PostgresStore

log = structlog.get_logger(__name__)

FAILED_ENROLMENT = "enrolment"  # `DeadLetter.what`; `processes.actions.retry_failed` takes it up again

# A wall clock that leaves the boot clock by more pauses the engine: it was set by somebody, or is wrong (R17).
MOST_DRIFT_SECONDS = 300.0
# A clock that was set right is believed when it has gone on evenly for so long.
TRUST_AFTER_SECONDS = 300.0


class ClockJumped(Exception):
    """The wall clock moved against the boot clock: nothing is advanced until both agree, or the new one proved steady."""


class Engine:
    """Advances what is due. One for each engine thread."""

    def __init__(self) -> None:
        self.store = PostgresStore()
        self._drift = _drift()
        self._doubted: tuple[float, float] | None = None  # another drift, and since when by the boot clock

    def run_once(self, *, limit: int = BATCH) -> int:
        """Advance one batch in one transaction and return how many enrolments it held.

        An advance that raises is put off alone, as is one whose version cannot be read. A batch that cannot be written is
        halved down to the one row, which is put off likewise.

        :raises ClockJumped: while the wall clock is not to be believed.
        """
        self._doubt_clock()
        with transaction.atomic():
            now = self.store.now()
            due = self.store.pick(limit, now)
            unreadable = self.store.take_unreadable()
            batch = advance_all(due, now)
            for enrolment, error in [*batch.errors, *unreadable]:
                _report(enrolment, error)
            before = [one.enrolment for one in due] + [enrolment for enrolment, _ in unreadable]
            outcomes = batch.outcomes + [poison(enrolment, now) for enrolment, _ in unreadable]
            if before:
                self._save(before, outcomes, now)
        return len(before)

    def _doubt_clock(self) -> None:
        drift, now = _drift(), boot_seconds()
        if abs(drift - self._drift) <= MOST_DRIFT_SECONDS:
            self._doubted = None
            return
        if self._doubted is None or abs(drift - self._doubted[0]) > MOST_DRIFT_SECONDS:
            self._doubted = (drift, now)
        if now - self._doubted[1] < TRUST_AFTER_SECONDS:
            raise ClockJumped
        self._drift, self._doubted = drift, None

    def _save(self, before: list[Enrolment], outcomes: list[Outcome], now: datetime) -> None:
        try:
            with transaction.atomic():
                self.store.save(outcomes, now)
                _bury(outcomes)
        except Exception as error:
            if isinstance(error, DatabaseError) and not connection.is_usable():
                raise
            if len(outcomes) > 1:
                middle = len(outcomes) // 2
                self._save(before[:middle], outcomes[:middle], now)
                self._save(before[middle:], outcomes[middle:], now)
                return
            if heals(error):
                raise
            _report(before[0], error)
            put_off = [poison(before[0], now)]
            self.store.save(put_off, now)
            _bury(put_off)


def _drift() -> float:
    return real_now().timestamp() - boot_seconds()


def _report(enrolment: Enrolment, error: Exception) -> None:
    log.error(
        "processes.advance.failed", enrolment_id=enrolment.id, attempt=enrolment.attempt, error=repr(error)
    )


def _bury(outcomes: list[Outcome]) -> None:
    failed = [o.enrolment for o in outcomes if o.enrolment.state == State.FAILED]
    if not failed:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_deadletter (shop_id, what, payload, error, first_at, last_at, times, state)"
            " SELECT shop_id, %s, jsonb_build_object('enrolment_id', id), 'advance failed',"
            " clock_timestamp(), clock_timestamp(), 5, 'open' FROM unnest(%s::bigint[], %s::bigint[]) AS f (shop_id, id)"
            " RETURNING id, shop_id",
            [FAILED_ENROLMENT, [e.shop_id for e in failed], [e.id for e in failed]],
        )
        letters = cursor.fetchall()
    for letter_id, shop_id in letters:
        attention.ask(
            FAILED_WORK, shop_id=shop_id, key=str(letter_id), now=trade_now(), what=FAILED_ENROLMENT
        )
