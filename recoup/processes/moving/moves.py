"""Moving those inside to another version: asked for by a person, done by the worker a chunk at a time.

A chunk is one transaction that holds the row of its move, so that a killed worker leaves the move where its last whole chunk
ended, and two workers never do the same one. Whoever is locked at the moment is moved in a later round.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django_scopes import scopes_disabled

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.clock import real_now, trade_now
from recoup.messaging.calling_off import request_cancel
from recoup.processes.engine.codes import Code
from recoup.processes.engine.endings import stop
from recoup.processes.facts import enrolment_of
from recoup.processes.models import Process, ProcessVersion, VersionMove
from recoup.processes.moving.plan import Old, Plan, Rule, as_rows, rules_of
from recoup.processes.store import PostgresStore
from recoup.processes.store_sql import MOVE, facts_sql
from recoup.processes.versions import graph_of

log = structlog.get_logger(__name__)

LOOP = "moving"
CHUNK = 2_000  # rows of a chunk stay locked for some 100 ms
FIRST_KEY, LAST_KEY = -(2**63), 2**63 - 1  # active keys are hashes over all of bigint

State = VersionMove.State
OPEN = (State.WAITING, State.RUNNING)


def versions_left(process: Process, target_id: int | None) -> list[Old]:
    """Return the versions other than this one that somebody is on, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT v.id, v.number FROM processes_processversion v WHERE v.id IN ("
            " SELECT e.version_id FROM processes_enrolment e WHERE e.process_id = %s AND e.active_key IS NOT NULL)"
            " AND v.id <> %s ORDER BY v.number",
            [process.pk, target_id or 0],
        )
        return [Old(version_id, number, graph_of(version_id)) for version_id, number in cursor.fetchall()]


def request_move(
    process: Process, plan: Plan, *, actor: Actor, now: datetime, only: Sequence[int] | None = None
) -> VersionMove | None:
    """Have the worker move those inside to the current version, as the plan says; nothing if nobody would move.

    A move of this process that is still under way ends where it is: the new plan is about those who are left.
    `only` are the versions to move from; by default all.

    :raises PlanRefused: if the plan cannot be carried out.
    """
    with transaction.atomic():
        process = Process.objects.select_for_update(no_key=True).get(pk=process.pk)
        if process.current_version_id is None or not plan.moves_somebody:
            return None
        target = graph_of(process.current_version_id)
        olds = versions_left(process, process.current_version_id)
        olds = [old for old in olds if only is None or old.version_id in only]
        if not olds:
            return None
        whole = _count_left(process.pk, rules_of(plan, olds, target))
        VersionMove.objects.filter(process=process, state__in=OPEN).update(
            state=State.CANCELLED, ended_at=real_now()
        )
        if not whole:
            return None
        move = VersionMove.objects.create(
            shop_id=process.shop_id,
            process=process,
            version_id=process.current_version_id,
            from_versions=[old.version_id for old in olds],
            plan=plan.as_json(),
            cursor=FIRST_KEY,
            whole=whole,
            made_by=actor.id,
            created_at=now,
        )
        activity.record(
            "processes.process.move_asked",
            shop_id=process.shop_id,
            subject=("process", process.pk),
            at=now,
            actor=actor,
            people=whole,
        )
    return move


def cancel_move(move: VersionMove, *, actor: Actor, now: datetime) -> bool:
    """Leave those who have not been moved yet on their version; tell whether the move was still under way."""
    with transaction.atomic():
        if not VersionMove.objects.filter(pk=move.pk, state__in=OPEN).update(
            state=State.CANCELLED, ended_at=real_now()
        ):
            return False
        activity.record(
            "processes.process.move_cancelled",
            shop_id=move.shop_id,
            subject=("process", move.process_id),
            at=now,
            actor=actor,
        )
    return True


def run_waiting() -> int:
    """Do a chunk of the oldest move that nobody is at, of any shop; return how many were moved. The worker's loop."""
    with scopes_disabled():
        move_id = None
        try:
            with transaction.atomic():
                move = (
                    VersionMove.objects.select_for_update(skip_locked=True)
                    .filter(state__in=OPEN)
                    .order_by("looked_at", "id")
                    .first()
                )
                if move is None:
                    return 0
                move_id = move.pk
                return _do_chunk(move, trade_now())
        except Exception as error:
            if move_id is None or isinstance(error, (OperationalError, InterfaceError)):
                raise  # a lock, a lost connection: the next turn goes on
            log.exception("processes.move.failed", move_id=move_id)
            VersionMove.objects.filter(pk=move_id, state__in=OPEN).update(
                state=State.FAILED, trouble=type(error).__name__[:40], ended_at=real_now()
            )
            return 0


def _do_chunk(move: VersionMove, now: datetime) -> int:
    olds = [Old(old.pk, old.number, graph_of(old.pk)) for old in _versions(move)]
    rules = rules_of(Plan.of_json(move.plan), olds, graph_of(move.version_id))
    chunk = move_some(move, rules, now)
    move.state, move.looked_at = State.RUNNING, real_now()
    move.moved += chunk.moved
    move.ended += chunk.ended
    if chunk.picked < CHUNK or chunk.last_key >= LAST_KEY:
        move.cursor = FIRST_KEY  # another round, for those who were locked or have come to a block since
        if not _is_somebody_left(move.process_id, rules):
            move.state, move.ended_at = State.DONE, real_now()
    else:
        move.cursor = chunk.last_key + 1
    move.save()
    return chunk.moved + chunk.ended


def _versions(move: VersionMove) -> list[ProcessVersion]:
    return list(ProcessVersion.objects.filter(pk__in=move.from_versions).order_by("number"))


class Chunk(NamedTuple):
    """What a chunk did. `last_key` is where it ended."""

    picked: int
    last_key: int
    moved: int
    ended: int


def move_some(move: VersionMove, rules: Sequence[Rule], now: datetime, *, limit: int = CHUNK) -> Chunk:
    """Move a chunk of people in the present transaction.

    Messages that were queued on the old version are sent as they were; those of a block that somebody is moved away from,
    or of a place to come back to that is no such block any more, are called off.
    """
    values: Mapping[str, Any] = {
        "rules": json.dumps(as_rows(rules)),
        "shop_id": move.shop_id,
        "process": move.process_id,
        "cursor": move.cursor,
        "versions": sorted({rule.version_id for rule in rules}),
        "limit": limit,
        "target": move.version_id,
        "now": now,
        "code": Code.MIGRATED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(MOVE, values)
        picked, last_key, moved, left, lost, leaving = cursor.fetchone()
    request_cancel(enrolment_ids=left or [], reason="ended", now=now)
    request_cancel(steps=lost or [], reason="ended", now=now)
    _end(leaving or [], now)
    return Chunk(picked, LAST_KEY if last_key is None else last_key, moved, len(leaving or []))


def _end(enrolment_ids: Sequence[int], now: datetime) -> None:
    if not enrolment_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(facts_sql("e.id = ANY(%s)"), [list(enrolment_ids)])
        rows = cursor.fetchall()
    PostgresStore().save([stop(enrolment_of(row), Code.STOPPED_MIGRATED, now) for row in rows], now)


_LEFT = """
    FROM processes_enrolment e JOIN unnest(%s::bigint[], %s::smallint[]) AS r (version_id, node)
        ON r.version_id = e.version_id AND r.node = e.node
    WHERE e.process_id = %s AND e.active_key IS NOT NULL
"""


def _places(process_id: int, rules: Sequence[Rule]) -> list[Any]:
    return [[rule.version_id for rule in rules], [rule.node for rule in rules], process_id]


def _count_left(process_id: int, rules: Sequence[Rule]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {_LEFT}", _places(process_id, rules))
        return int(cursor.fetchone()[0])


def _is_somebody_left(process_id: int, rules: Sequence[Rule]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT 1 {_LEFT})", _places(process_id, rules))
        return bool(cursor.fetchone()[0])


def people_at_blocks(process: Process, target_id: int | None) -> dict[str, dict[int, int]]:
    """Return how many people on other versions stand at each block: by block, then by the number of their version."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.version_id, v.number, e.node, count(*) FROM processes_enrolment e"
            " JOIN processes_processversion v ON v.id = e.version_id"
            " WHERE e.process_id = %s AND e.active_key IS NOT NULL AND e.version_id <> %s GROUP BY 1, 2, 3",
            [process.pk, target_id or 0],
        )
        rows = cursor.fetchall()
    found: dict[str, dict[int, int]] = {}
    for version_id, number, node, count in rows:
        at = found.setdefault(graph_of(version_id).node_id(node), {})
        at[number] = at.get(number, 0) + count
    return found
