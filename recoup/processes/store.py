"""The engine's store in PostgreSQL: picks in batches, writes with `unnest`, wakes by news (engine 8, T0-T2)."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import DatabaseError, connection

from recoup.core import outbox
from recoup.core.arrays import as_instant, instants, numbers, read_instants_quickly, spans
from recoup.core.clock import boot_seconds, trade_now
from recoup.processes import preempting
from recoup.processes.answers import with_rest
from recoup.processes.effects.table import carry_out, end_effects
from recoup.processes.engine.batch import Due, WakeUp
from recoup.processes.engine.codes import Code, Priority, is_final
from recoup.processes.engine.endings import stop
from recoup.processes.engine.records import Enrolment, Outcome, Step
from recoup.processes.events import EnrolmentEnded
from recoup.processes.facts import enrolment_of, facts_of
from recoup.processes.store_sql import PICK, SAVE, WAKE
from recoup.processes.versions import graph_of

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
# How long a mark may hide rows that are entered, during a backlog, with an earlier `run_at` than its head (12.4).
MARK_SECONDS = 30.0
_HALTED = frozenset({"paused", "stopped", "draft"})
# The process is locked and looked at again: somebody may be letting it go on at this moment, and whoever is set aside after
# that would wait for ever.
_SET_ASIDE = """
    WITH halted AS MATERIALIZED (
        SELECT id FROM processes_process WHERE id = ANY(%s) AND status IN ('paused', 'draft') ORDER BY id FOR SHARE
    )
    UPDATE processes_enrolment SET state = 3, run_at = NULL
    WHERE id = ANY(%s) AND process_id IN (SELECT id FROM halted)
"""
# Which priorities have somebody due: the first entry of each in the index of the pick. Crosses shops, as the pick does.
# The settings come in the same round trip: without them the planner joins all orders once there are some hundred thousand
# (engine 3.1).
_WAITING = f"""
    SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
        set_config('enable_seqscan', 'off', true);
    SELECT prio FROM unnest('{{{", ".join(str(int(prio)) for prio in Priority)}}}'::smallint[], %s::timestamptz[])
        WITH ORDINALITY AS p (prio, mark, n)
    WHERE EXISTS (SELECT 1 FROM processes_enrolment e
        WHERE e.state IN (1, 2) AND e.prio = p.prio AND e.run_at <= %s AND e.run_at >= p.mark)
    ORDER BY n
"""  # noqa: S608 - numbers of this program
_LOG = f"""
    INSERT INTO processes_step_log (enrolment_id, step_no, shop_id, version_id, node, outcome, arm, at, done_at, reason)
    SELECT id, step_no, shop_id, version_id, node, outcome, arm, {as_instant("at")}, %s, ''
    FROM unnest(%s::bigint[], %s::int[], %s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::smallint[],
        %s::bigint[]) AS l (id, step_no, shop_id, version_id, node, outcome, arm, at)
"""  # noqa: S608 - columns of this program


class PostgresStore:
    """Enrolments in PostgreSQL. One for each engine thread: it keeps the low-water marks of its picks."""

    def __init__(self) -> None:
        self._marks: dict[int, datetime] = {}
        self._opened_at = boot_seconds()
        self._unreadable: list[tuple[Enrolment, Exception]] = []

    def now(self) -> datetime:
        """Return trade time by the database's clock."""
        return trade_now()

    def wake(self, wake_ups: Sequence[WakeUp], now: datetime) -> int:
        """Make the enrolments ready that listen to these events."""
        return wake(wake_ups, now)

    def pick(self, limit: int, now: datetime) -> list[Due]:
        """Lock and return due enrolments, woken ones first.

        Those of a halted process are set aside as paused, those of a stopped one end. One that cannot be read, because its
        version cannot, is kept for `take_unreadable` and stops nobody else.
        """
        if boot_seconds() - self._opened_at > MARK_SECONDS:
            self._marks.clear()
            self._opened_at = boot_seconds()
        due: list[Due] = []
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [[self._marks.get(prio, _BEGINNING) for prio in Priority], now])
            cursor.nextset()
            waiting = [prio for (prio,) in cursor.fetchall()]
            # Behind whose mark nobody is left, their backlog is over: the next look begins at the beginning again.
            self._marks = {prio: mark for prio, mark in self._marks.items() if prio in waiting}
            # The long statement is planned anew each time, so it is spared where nobody is due.
            for prio in waiting:
                if len(due) < limit:
                    due += self._pick_prio(cursor, prio, limit - len(due), now)
        return due

    def _pick_prio(self, cursor: Any, prio: int, limit: int, now: datetime) -> list[Due]:
        mark = self._marks.get(prio, _BEGINNING)
        read_instants_quickly(cursor)
        cursor.execute(PICK, {"prio": prio, "now": now, "mark": mark, "limit": limit})
        rows = cursor.fetchall()
        # Only while a backlog is drained: else somebody who enters with an earlier `run_at` would wait for no reason.
        if len(rows) == limit:
            self._marks[prio] = min(row[15] for row in rows)
        else:
            self._marks.pop(prio, None)
        halted = [row for row in rows if row[22] in _HALTED]
        if halted:
            self._set_aside(cursor, halted, now)
        due = []
        for row in rows:
            if row[22] not in _HALTED:
                try:
                    graph = graph_of(row[3])
                    due.append(Due(graph, enrolment_of(row), facts_of(row, graph)))
                except DatabaseError:
                    raise
                except Exception as error:  # noqa: BLE001 - one poisoned version must not stop every shop
                    self._unreadable.append((enrolment_of(row), error))
        return with_rest(due)

    def _set_aside(self, cursor: Any, rows: Sequence[tuple[Any, ...]], now: datetime) -> None:
        cursor.execute(_SET_ASIDE, [sorted({row[2] for row in rows}), [row[0] for row in rows]])
        # Stopping was cut off before it reached them.
        left = [enrolment_of(row) for row in rows if row[22] == "stopped"]
        self.save([stop(enrolment, Code.STOPPED_PROCESS, now) for enrolment in left], now)

    def take_unreadable(self) -> list[tuple[Enrolment, Exception]]:
        """Return the enrolments that the last pick locked and could not read, and why."""
        found, self._unreadable = self._unreadable, []
        return found

    def save(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        """Write enrolments, ledger lines and effects of a batch in the present transaction."""
        if not outcomes:
            return
        _save_enrolments([outcome.enrolment for outcome in outcomes])
        _save_steps(outcomes, now)
        carry_out(outcomes, now)
        _end(outcomes, now)


preempting.end_by(PostgresStore().save)


def wake(wake_ups: Sequence[WakeUp], now: datetime) -> int:
    """Make the waiting enrolments ready that listen to these events; return how many."""
    if not wake_ups:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            WAKE,
            {
                "kinds": [one.subject_kind for one in wake_ups],
                "subjects": [one.subject_id for one in wake_ups],
                "bits": [one.event_bit for one in wake_ups],
                "now": now,
            },
        )
        return int(cursor.rowcount)


def _save_enrolments(enrolments: Sequence[Enrolment]) -> None:
    columns: list[Any] = [
        numbers(e.id for e in enrolments),
        numbers(e.state for e in enrolments),
        numbers(e.node for e in enrolments),
        numbers(e.step_no for e in enrolments),
        instants(e.node_at for e in enrolments),
        spans(e.anchor_shift for e in enrolments),
        instants(e.due_at for e in enrolments),
        instants(e.run_at for e in enrolments),
        numbers(e.wait_mask for e in enrolments),
        numbers(e.prio for e in enrolments),
        numbers(e.last_message_step for e in enrolments),
        numbers(e.attempt for e in enrolments),
        numbers(e.flags for e in enrolments),
        [json.dumps(e.variables) if e.variables else None for e in enrolments],
    ]
    with connection.cursor() as cursor:
        cursor.execute(SAVE, columns)


def _save_steps(outcomes: Sequence[Outcome], now: datetime) -> None:
    lines: list[tuple[Enrolment, Step]] = [
        (outcome.enrolment, step) for outcome in outcomes for step in outcome.steps
    ]
    if not lines:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _LOG,
            [
                now,
                numbers(e.id for e, _ in lines),
                numbers(s.step_no for _, s in lines),
                numbers(e.shop_id for e, _ in lines),
                numbers(e.version_id for e, _ in lines),
                numbers(s.node for _, s in lines),
                numbers(s.outcome for _, s in lines),
                numbers(s.arm for _, s in lines),
                instants(s.at for _, s in lines),
            ],
        )


def _end(outcomes: Sequence[Outcome], now: datetime) -> None:
    ended = [o for o in outcomes if is_final(o.enrolment.state)]
    if not ended:
        return
    end_effects(ended, now)
    outbox.announce(
        *[
            EnrolmentEnded(
                shop_id=o.enrolment.shop_id,
                enrolment_id=o.enrolment.id,
                case_id=o.enrolment.case_id,
                outcome=Code(o.steps[-1].outcome).name.lower() if o.steps else "",
                at=now,
            )
            for o in ended
        ]
    )
