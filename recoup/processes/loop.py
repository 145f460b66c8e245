"""The engine's loop body over PostgreSQL: one transaction for each batch."""

from datetime import datetime

import structlog
from django.db import Error as DatabaseError
from django.db import connection, transaction

from recoup.core.clock import boot_seconds, real_now
from recoup.processes.engine.batch import BATCH, Due, advance_all
from recoup.processes.engine.codes import State
from recoup.processes.engine.endings import poison
from recoup.processes.engine.records import Enrolment, Outcome
from recoup.processes.store import PostgresStore

log = structlog.get_logger(__name__)

# A wall clock that leaves the boot clock by more pauses the engine: it was set by somebody, or is wrong (R17).
MOST_DRIFT_SECONDS = 300.0


class ClockJumped(Exception):
    """The wall clock moved against the boot clock; nothing is advanced until both agree for a while."""


class Engine:
    """Advances what is due. One for each engine thread."""

    def __init__(self) -> None:
        self.store = PostgresStore()
        self._drift = _drift()

    def run_once(self, *, limit: int = BATCH) -> int:
        """Advance one batch in one transaction and return how many enrolments it held.

        An advance that raises is put off alone. A batch that cannot be written is halved down to the one row, which is
        put off likewise.

        :raises ClockJumped: if the wall clock was moved.
        """
        drift = _drift()
        if abs(drift - self._drift) > MOST_DRIFT_SECONDS:
            self._drift = drift  # believed from the next round on
            raise ClockJumped
        with transaction.atomic():
            now = self.store.now()
            due = self.store.pick(limit, now)
            if not due:
                return 0
            batch = advance_all(due, now)
            for enrolment, error in batch.errors:
                _report(enrolment, error)
            self._save(due, batch.outcomes, now)
        return len(due)

    def _save(self, due: list[Due], outcomes: list[Outcome], now: datetime) -> None:
        try:
            with transaction.atomic():
                self.store.save(outcomes, now)
                _bury(outcomes)
        except Exception as error:
            if isinstance(error, DatabaseError) and not connection.is_usable():
                raise
            if len(outcomes) > 1:
                middle = len(outcomes) // 2
                self._save(due[:middle], outcomes[:middle], now)
                self._save(due[middle:], outcomes[middle:], now)
                return
            _report(due[0].enrolment, error)
            put_off = [poison(due[0].enrolment, now)]
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
    if failed:
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO core_deadletter (shop_id, what, payload, error, first_at, last_at, times, state)"
                " VALUES (%s, 'enrolment', jsonb_build_object('enrolment_id', %s::bigint), 'advance failed',"
                " clock_timestamp(), clock_timestamp(), 5, 'open')",
                [(e.shop_id, e.id) for e in failed],
            )
