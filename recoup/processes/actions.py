"""What people do with processes: install, publish, run, pause, resume, stop (J9)."""

import secrets
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django_scopes import scope

from recoup.core import activity, attention
from recoup.core.activity import Actor
from recoup.core.models import DeadLetter
from recoup.core.outbox import FAILED_WORK
from recoup.messaging import message_sources
from recoup.messaging.models import MessageSource
from recoup.processes.engine.codes import Code, Flag
from recoup.processes.engine.endings import stop as stop_enrolment
from recoup.processes.engine.entry import Candidate
from recoup.processes.facts import enrolment_of
from recoup.processes.graph.compiling import compile_graph, keys_for, number_nodes
from recoup.processes.graph.document import SCHEMA, ProcessDocument
from recoup.processes.holdout import NEW_SHARE_BP
from recoup.processes.loop import FAILED_ENROLMENT
from recoup.processes.models import Enrolment, Process, ProcessVersion
from recoup.processes.shipped import SHIPPED, shipped_process
from recoup.processes.store import PostgresStore
from recoup.processes.store_sql import facts_sql
from recoup.processes.versions import graph_of
from recoup.shops.models import Shop

Status = Process.Status

# From where a process may be set to which status by a person.
MOVES: dict[str, tuple[str, ...]] = {
    Status.DRAFT: (Status.TEST, Status.LIVE),
    Status.TEST: (Status.LIVE, Status.DRAINING, Status.STOPPED),
    Status.LIVE: (Status.PAUSED, Status.DRAINING, Status.STOPPED),
    Status.PAUSED: (Status.LIVE, Status.DRAINING, Status.STOPPED),
    Status.DRAINING: (Status.LIVE, Status.STOPPED),
    Status.STOPPED: (Status.TEST, Status.LIVE),
}
_SOURCE_STATE: dict[str, str] = {
    Status.DRAFT: MessageSource.State.STOPPED,
    Status.TEST: MessageSource.State.LIVE,
    Status.LIVE: MessageSource.State.LIVE,
    Status.PAUSED: MessageSource.State.PAUSED,
    Status.DRAINING: MessageSource.State.LIVE,
    Status.STOPPED: MessageSource.State.STOPPED,
}
CHUNK = 2000
CHUNKS_AT_ONCE = 5  # of those who are ended, or go on, while a person waits for the page
_GOES_ON = (Status.LIVE, Status.TEST, Status.DRAINING)
# Spread over time, so that they do not come all at once. Who is locked at this moment is let go on by the next turn.
# The rows are an array: a plan may run a subquery that locks again for every row, and each run would find others.
_RESUME = """
    UPDATE processes_enrolment e SET state = 2, prio = 2, run_at = %s + (e.id %% 600) * interval '1 second'
    WHERE e.id = ANY (ARRAY(SELECT id FROM processes_enrolment WHERE process_id = %s AND state = 3
        AND EXISTS (SELECT FROM processes_process WHERE id = %s AND status = ANY(%s))
        ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED))
"""


class ProcessMoveNotAllowed(Exception):
    """A process cannot go from where it is to where it was asked to go."""


class AlreadyInside(Exception):
    """The person is in the process already, so nobody else enters in their name."""


def install_shipped(shop: Shop, *, now: datetime, holdout_bp: int = NEW_SHARE_BP) -> list[Process]:
    """Install the shipped processes that the shop does not have yet, in test mode (B6). Edits are never overwritten."""
    made = []
    with scope(shop=shop), transaction.atomic():
        for priority, key in enumerate(reversed(SHIPPED)):
            if Process.objects.filter(shop=shop, key=key).exists():
                continue
            document = shipped_process(key)
            source = MessageSource.objects.create(
                shop=shop, name=document.name, state=_SOURCE_STATE[Status.TEST], priority=priority
            )
            process = Process.objects.create(
                shop=shop,
                name=document.name,
                key=key,
                status=Status.TEST,
                priority=priority,
                salt=secrets.randbits(62),
                holdout_bp=holdout_bp,
                message_source=source,
            )
            publish(process, document, actor=activity.SYSTEM, now=now)
            made.append(process)
    return made


def publish(process: Process, document: ProcessDocument, *, actor: Actor, now: datetime) -> ProcessVersion:
    """Publish a checked document as the next version; running enrolments stay on theirs (R20)."""
    with transaction.atomic():
        process = Process.objects.select_for_update(no_key=True).get(pk=process.pk)
        latest = ProcessVersion.objects.filter(process=process).order_by("-number").first()
        node_map = number_nodes(document, latest.node_map if latest else None)
        graph = compile_graph(document, salt=process.salt, node_map=node_map)
        version = ProcessVersion.objects.create(
            shop_id=process.shop_id,
            process=process,
            number=latest.number + 1 if latest else 1,
            doc=document.as_json(),
            doc_hash=graph.doc_hash,
            node_map=node_map,
            event_mask=graph.event_mask,
            engine_schema=SCHEMA,
            published_at=now,
            published_by=actor.id,
        )
        Process.objects.filter(pk=process.pk).update(current_version=version)
        activity.record(
            "processes.process.published",
            shop_id=process.shop_id,
            subject=("process", process.pk),
            at=now,
            actor=actor,
            number=version.number,
        )
    process.current_version = version
    return version


def set_status(process: Process, to: str, *, actor: Actor, now: datetime) -> Process:
    """Run, pause, drain or stop a process. What waits in it waits on, its messages with it.

    Draining lets nobody in and lets those inside finish. Stopping ends those inside, and whoever was set aside goes on when
    it runs again; of very many, the first ones at once and the others by the worker (`finish_stops`, `finish_resumes`).

    :raises ProcessMoveNotAllowed: if there is no such move.
    """
    with transaction.atomic():
        process = Process.objects.select_for_update(no_key=True).get(pk=process.pk)
        was = process.status
        if to == was:
            return process
        if to not in MOVES[was] or process.current_version_id is None:
            raise ProcessMoveNotAllowed(f"{was} -> {to}")
        if was == Status.STOPPED:  # stopping was cut off: whoever is left inside does not come back to life
            while _stop_some(process, now):
                pass
        process.status = to
        if to == Status.LIVE and process.live_since is None:
            process.live_since = now
        process.save(update_fields=["status", "live_since"])
        message_sources.set_source_state(process.message_source_id, _SOURCE_STATE[to], now=now)
        activity.record(
            "processes.process.status_changed",
            shop_id=process.shop_id,
            subject=("process", process.pk),
            at=now,
            actor=actor,
            was=was,
            to=to,
        )
    for _ in range(CHUNKS_AT_ONCE):
        if not (_stop_some if to == Status.STOPPED else _resume_some)(process, now):
            break
    return process


def finish_stops(now: datetime) -> int:
    """End some of those who are left inside stopped processes, of any shop; return how many that were."""
    return sum(_stop_some(process, now) for process in _with_somebody_inside(Status.STOPPED))


def finish_resumes(now: datetime) -> int:
    """Let some of those go on who are still set aside in running processes, of any shop; return how many that were."""
    aside = Enrolment.objects.filter(process_id=OuterRef("pk"), state=Enrolment.State.PAUSED)
    running = Process.objects.filter(Exists(aside), status__in=_GOES_ON).order_by("pk")
    return sum(_resume_some(process, now) for process in running)


def finish_drains(now: datetime) -> int:
    """Set the draining processes whose last person has left to stopped, of any shop; return how many that were."""
    done = 0
    draining = Process.objects.filter(status=Status.DRAINING)
    inside = _with_somebody_inside(Status.DRAINING).values("pk")
    for process in draining.exclude(pk__in=inside).order_by("pk"):
        with transaction.atomic():
            # Nobody can come in any more: who let people in before holds the process until they are in.
            locked = Process.objects.select_for_update(no_key=True).get(pk=process.pk)
            if locked.status != Status.DRAINING or locked in _with_somebody_inside(Status.DRAINING):
                continue
            set_status(locked, Status.STOPPED, actor=activity.SYSTEM, now=now)
            done += 1
    return done


def _with_somebody_inside(status: str) -> QuerySet[Process]:
    inside = Enrolment.objects.filter(process_id=OuterRef("pk"), active_key__isnull=False)
    return Process.objects.filter(Exists(inside), status=status).order_by("pk")


def _resume_some(process: Process, now: datetime) -> int:
    """Make up to `CHUNK` of those ready whom the engine had set aside; nobody of a process that does not run."""
    with connection.cursor() as cursor:
        cursor.execute(_RESUME, [now, process.pk, process.pk, list(_GOES_ON), CHUNK])
        return int(cursor.rowcount)


def _stop_some(process: Process, now: datetime) -> int:
    """End up to `CHUNK` of those inside a stopped process, each with its line in the ledger."""
    sql = facts_sql(
        f"e.process_id = %s AND e.state IN (1, 2, 3) ORDER BY e.id LIMIT {CHUNK} FOR NO KEY UPDATE"
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql, [process.pk])
            rows = cursor.fetchall()
        outcomes = [stop_enrolment(enrolment_of(row), Code.STOPPED_PROCESS, now) for row in rows]
        PostgresStore().save(outcomes, now)
    return len(rows)


def stop_for_subject(*, shop_id: int, subject_kind: int, subject_id: int, code: Code, now: datetime) -> int:
    """End what every process does about an order or a cart; return how many enrolments that were."""
    sql = facts_sql(
        "e.shop_id = %s AND e.subject_kind = %s AND e.subject_id = %s AND e.state IN (1, 2, 3)"
        " ORDER BY e.id FOR NO KEY UPDATE"
    )
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(sql, [shop_id, subject_kind, subject_id])
            rows = cursor.fetchall()
        PostgresStore().save([stop_enrolment(enrolment_of(row), code, now) for row in rows], now)
    return len(rows)


def retry_failed(letter_id: int, *, shop: Shop, actor: Actor, now: datetime) -> bool:
    """Let an enrolment that failed for good go on at its step; `False` if its letter is not open any more (engine 12.5).

    :raises AlreadyInside: if the same person is in that process again by now.
    """
    with transaction.atomic():
        letter = (
            DeadLetter.objects.select_for_update()
            .filter(pk=letter_id, shop_id=shop.pk, what=FAILED_ENROLMENT, state=DeadLetter.State.OPEN)
            .first()
        )
        if letter is None:
            return False
        enrolment = Enrolment.objects.select_for_update(no_key=True).get(
            shop=shop, pk=letter.payload["enrolment_id"]
        )
        _revive(enrolment, now)
        letter.state, letter.times = DeadLetter.State.RETRIED, letter.times + 1
        letter.save(update_fields=["state", "times"])
        attention.settle(FAILED_WORK, shop_id=shop.pk, key=str(letter.pk), now=now, user_id=actor.id)
        activity.record(
            "processes.enrolment.retried",
            shop_id=shop.pk,
            subject=("enrolment", enrolment.pk),
            at=now,
            actor=actor,
        )
    return True


def _revive(enrolment: Enrolment, now: datetime) -> None:
    """Make a failed enrolment ready again, under the keys it had."""
    graph = graph_of(enrolment.version_id)
    candidate = Candidate(
        shop_id=enrolment.shop_id,
        process_id=enrolment.process_id,
        version_id=enrolment.version_id,
        contact_id=enrolment.contact_id,
        subject_kind=enrolment.subject_kind,
        subject_id=enrolment.subject_id,
        event_id=enrolment.case_id or enrolment.subject_id,
        entered_at=enrolment.entered_at,
        case_id=enrolment.case_id,
        is_test=bool(enrolment.flags & Flag.TEST),
    )
    keys = keys_for(graph, candidate, group=enrolment.process.exclusive_group)
    if keys is None or enrolment.state != Enrolment.State.FAILED:
        raise AlreadyInside(enrolment.pk)
    enrolment.active_key, enrolment.group_key = keys.active_key, keys.group_key
    enrolment.state, enrolment.attempt, enrolment.run_at = Enrolment.State.READY, 0, now
    enrolment.wait_mask = graph.masks[enrolment.node]
    try:
        with transaction.atomic():
            enrolment.save()
    except IntegrityError as error:
        raise AlreadyInside(enrolment.pk) from error


def go_live(shop: Shop, *, actor: Actor, now: datetime) -> None:
    """Let a shop send: orders from now on are worked on, older ones never (B6). Its test-mode processes run."""
    with scope(shop=shop), transaction.atomic():
        Shop.objects.filter(pk=shop.pk, live_since=None).update(live_since=now)
        for process in Process.objects.filter(shop=shop, status=Status.TEST):
            set_status(process, Status.LIVE, actor=actor, now=now)
        activity.record(
            "shops.shop.went_live", shop_id=shop.pk, subject=("shop", shop.pk), at=now, actor=actor
        )
