"""Bulk adds: asked for by a person, done by the worker a chunk at a time (I6, I7).

A chunk is one transaction: those who come in, those who are skipped with the reason, and the key where the next one begins.
So a killed worker goes on where it stopped, and nobody comes in twice. People enter past what the process begins with; its
conditions still decide on the way, and its rule of re-entry decides at the door, as always.

A pace decides who is in: only as many as it has earned. The others wait outside, where pausing and ending reach them.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django_scopes import scopes_disabled

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.clock import real_now, trade_now
from recoup.processes.bulk.models import BulkAdd, BulkSkip
from recoup.processes.bulk.pace import earned, spacing
from recoup.processes.bulk.reach import Reach, reach_of
from recoup.processes.engine.codes import Priority, Refusal
from recoup.processes.engine.entry import key_of
from recoup.processes.entering import Arrival, let_in
from recoup.processes.models import Process
from recoup.processes.versions import graph_of
from recoup.segments.facts import Subject
from recoup.segments.queries import REAL, condition_sql
from recoup.segments.to_sql import TABLES
from recoup.shops.models import Shop

log = structlog.get_logger(__name__)

LOOP = "bulk"
CHUNK = 200  # rows of a chunk stay locked for some 100 ms
# Rows that could not be let in. More of them than this, and than came in, are no matter of rows.
MOST_BROKEN = 20
MOST_PREVIEWED = 2_000
MOST_PICKED = 1_000
NEWEST = 2**63 - 1
KINDS = {Subject.ORDER: "order", Subject.CART: "cart", Subject.PERSON: "contact"}
OPEN_DOORS = (Process.Status.TEST, Process.Status.LIVE, Process.Status.PAUSED)
NOBODY, NO_ADDRESS, SUPPRESSED, PAID, CLOSED, INSIDE, BROKEN = (
    "nobody", "no_address", "suppressed", "paid", "closed", "inside", "broken",
)  # fmt: skip

State = BulkAdd.State

_ROWS = {
    Subject.ORDER: "r.contact_id, r.paid_at IS NOT NULL, r.status IN ('cancelled', 'false')",
    Subject.CART: "r.contact_id, r.converted_at IS NOT NULL, r.state IN ('emptied', 'expired')",
    Subject.PERSON: "r.id, false, false",
}


class NothingToAdd(Exception):
    """Neither a selection nor a condition, or a process that lets nobody in or is about something else."""


class TooManyBroken(Exception):
    """Rows could not be let in one after the other, so it is not the rows."""


class Wanted(NamedTuple):
    """Who is to be put in: those who meet a condition, or a selection by its keys; nobody newer than the last key."""

    about: int
    condition: Any = None
    keys: tuple[int, ...] = ()
    last_key: int | None = None


class Row(NamedTuple):
    """One candidate, and what may forbid it."""

    key: int
    contact_id: int | None
    is_paid: bool
    is_closed: bool
    email: str
    phone: str

    @property
    def addresses(self) -> dict[str, str]:
        """Return where messages would go, by channel."""
        return {"email": self.email, "sms": self.phone}


class Counted(NamedTuple):
    """What came of rows: how many were looked at and came in, and the reasons of the others by row."""

    looked_at: int
    last_key: int
    added: int
    skipped: list[tuple[Row, str]]
    is_end: bool  # nobody is left

    def reasons(self) -> dict[str, int]:
        """Count the skipped by their reason."""
        return dict(Counter(reason for _, reason in self.skipped))


def request_add(process: Process, wanted: Wanted, *, per_hour: int, actor: Actor, now: datetime) -> BulkAdd:
    """Have the worker put people into a process, at most so many in an hour (0 is all at once).

    The condition is kept as it is now: who meets it is looked at as the worker comes to them. Who is newer than all that
    meet it now is not meant, or a slow pace would never come to the end.

    :raises NothingToAdd:
    """
    if process.status not in OPEN_DOORS or not (wanted.condition or wanted.keys):
        raise NothingToAdd(process.pk)
    whole, last_key = _measure(process.shop, wanted, now)
    with transaction.atomic():
        run = BulkAdd.objects.create(
            shop_id=process.shop_id,
            process=process,
            about=wanted.about,
            condition=wanted.condition,
            keys=sorted(set(wanted.keys))[:MOST_PICKED],
            per_hour=per_hour,
            whole=whole,
            last_key=last_key,
            made_by=actor.id,
            created_at=now,
        )
        activity.record(
            "processes.process.bulk_asked",
            shop_id=process.shop_id,
            subject=("process", process.pk),
            at=now,
            actor=actor,
            people=run.whole,
        )
    return run


def change_add(run: BulkAdd, to: str, *, actor: Actor, now: datetime) -> bool:
    """Pause a bulk add, let it go on, or end it where it is; tell whether it could be.

    One that could not go on goes on where it stopped. The time of rest earns its pace nothing.
    """
    froms = {
        State.PAUSED: (State.WAITING, State.RUNNING),
        State.RUNNING: (State.PAUSED, State.FAILED),
        State.CANCELLED: (State.WAITING, State.RUNNING, State.PAUSED),
    }
    if to not in froms:
        return False
    changed: dict[str, Any] = {"state": to, "ended_at": real_now() if to == State.CANCELLED else None}
    if to == State.RUNNING:
        changed |= {"trouble": "", "next_at": Greatest(F("next_at"), Value(now))}
    with transaction.atomic():
        rows = BulkAdd.objects.filter(pk=run.pk, shop_id=run.shop_id, state__in=froms[State(to)])
        if not rows.update(**changed):
            return False
        activity.record(
            f"processes.process.bulk_{to}",
            shop_id=run.shop_id,
            subject=("process", run.process_id),
            at=now,
            actor=actor,
        )
    return True


def preview_add(process: Process, wanted: Wanted, *, now: datetime) -> Counted:
    """Tell who would come in and who not and why, of the first two thousand: it is done, and taken back at once."""
    with transaction.atomic():
        found = _add(process, wanted, after=0, limit=MOST_PREVIEWED, most=MOST_PREVIEWED, event=0, now=now)
        transaction.set_rollback(True)
    return found


def count_wanted(shop: Shop, wanted: Wanted, *, now: datetime) -> int:
    """Count who is wanted."""
    return _measure(shop, wanted, now)[0]


def _measure(shop: Shop, wanted: Wanted, now: datetime) -> tuple[int, int]:
    """Return how many are wanted, and the newest of them."""
    where, params = _where(shop, wanted, now)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), coalesce(max(r.id), 0) FROM {TABLES[Subject(wanted.about)]} r WHERE {where}",  # noqa: S608 - names of ours
            params,
        )
        whole, last_key = cursor.fetchone()
    return int(whole), int(last_key)


def run_waiting() -> int:
    """Do a chunk of the bulk add that was looked at longest ago, of any shop; return how many rows. The worker's loop.

    One whose pace lets nobody in yet is passed over.
    """
    with scopes_disabled():
        run_id, now = None, trade_now()
        try:
            with transaction.atomic():
                run = (
                    BulkAdd.objects.select_for_update(skip_locked=True, of=("self",))
                    .select_related("process__shop")
                    .filter(Q(next_at=None) | Q(next_at__lte=now), state__in=(State.WAITING, State.RUNNING))
                    .order_by("looked_at", "id")
                    .first()
                )
                if run is None:
                    return 0
                run_id = run.pk
                return do_chunk(run, now)
        except Exception as error:
            if run_id is None or isinstance(error, (OperationalError, InterfaceError)):
                raise  # a lock, a lost connection: the next turn goes on
            log.exception("processes.bulk.failed", run_id=run_id)
            BulkAdd.objects.filter(pk=run_id).update(
                state=State.FAILED, trouble=type(error).__name__[:40], ended_at=real_now()
            )
            return 0


def do_chunk(run: BulkAdd, now: datetime, *, limit: int = CHUNK) -> int:
    """Let in the next rows of a bulk add whose row is held, in the present transaction; return how many were looked at."""
    if run.process.status not in OPEN_DOORS:
        run.state, run.trouble, run.ended_at = State.FAILED, "stopped", real_now()
        run.save()
        return 0
    start, most = earned(run, now, limit)
    wanted = Wanted(run.about, run.condition, tuple(run.keys), run.last_key)
    done = _add(run.process, wanted, after=run.cursor, limit=limit, most=most, event=run.pk, now=now)
    BulkSkip.objects.bulk_create(
        BulkSkip(shop_id=run.shop_id, bulk=run, subject_id=row.key, contact_id=row.contact_id, reason=reason)
        for row, reason in done.skipped
    )
    run.started_at, run.looked_at, run.state = run.started_at or now, real_now(), State.RUNNING
    run.cursor, run.done = done.last_key, run.done + done.looked_at
    run.added += done.added
    run.reasons = dict(Counter(run.reasons) + Counter(done.reasons()))
    if done.reasons().get(BROKEN) and run.reasons[BROKEN] > max(MOST_BROKEN, run.added):
        raise TooManyBroken(run.pk)
    if run.per_hour:
        run.next_at = start + spacing(run) * done.added
    if done.is_end:
        run.state, run.ended_at = State.DONE, real_now()
    run.save()
    return done.looked_at


def _where(shop: Shop, wanted: Wanted, now: datetime) -> tuple[str, list[Any]]:
    if wanted.condition:
        found = condition_sql(shop, wanted.about, wanted.condition, now=now)
        return found.text, list(found.params)
    return f"r.shop_id = %s AND {REAL[Subject(wanted.about)]} AND r.id = ANY(%s)", [
        shop.pk,
        list(wanted.keys),
    ]


def _add(
    process: Process, wanted: Wanted, *, after: int, limit: int, most: int, event: int, now: datetime
) -> Counted:
    """Look at the next rows, up to the one that would be one too many, and let in who may come."""
    document = graph_of(process.current_version_id or 0).document
    is_of_order = document.entry.subject == Subject.ORDER == wanted.about
    rows = _rows(process.shop, wanted, after, limit, now, is_of_order=is_of_order)
    reasons = _reasons(reach_of(process.shop_id, document), rows)
    too_many = next(islice((n for n, row in enumerate(rows) if row.key not in reasons), most, None), None)
    is_end = len(rows) < limit and too_many is None
    rows = rows[:too_many]
    coming = [row for row in rows if row.key not in reasons]
    kind = KINDS[Subject(wanted.about)]
    arrivals = [
        Arrival(
            door="",
            shop_id=process.shop_id,
            contact_id=row.contact_id or 0,
            kind=kind,
            subject_id=row.key,
            at=now,
            event_id=key_of("bulk", event, row.key),
            process_id=process.pk,
            priority=Priority.BULK,
        )
        for row in coming
    ]
    came_in, broken = _let_in(arrivals)
    reasons |= dict.fromkeys(broken, BROKEN)
    left = [row for row in coming if row.key not in came_in and row.key not in broken]
    reasons |= _refusals(process, wanted.about, left)
    skipped = [(row, reasons[row.key]) for row in rows if row.key in reasons]
    return Counted(len(rows), rows[-1].key if rows else after, len(came_in), skipped, is_end)


def _let_in(arrivals: Sequence[Arrival]) -> tuple[set[int], set[int]]:
    """Let people in; return the keys of those who came in, and of those over whom it broke, without harm to the others."""
    try:
        with transaction.atomic():
            return {arrivals[number].subject_id for number in let_in(arrivals)}, set()
    except (OperationalError, InterfaceError):
        raise  # a lock, a lost connection: no matter of a row
    except Exception:
        if len(arrivals) == 1:
            log.exception(
                "processes.bulk.row_broken", process_id=arrivals[0].process_id, row=arrivals[0].subject_id
            )
            return set(), {arrivals[0].subject_id}
    middle = len(arrivals) // 2
    first, second = _let_in(arrivals[:middle]), _let_in(arrivals[middle:])
    return first[0] | second[0], first[1] | second[1]


def _rows(
    shop: Shop, wanted: Wanted, after: int, limit: int, now: datetime, *, is_of_order: bool
) -> list[Row]:
    """Read the next candidates. Messages about an order go to the address that it was placed with."""
    where, params = _where(shop, wanted, now)
    subject = Subject(wanted.about)
    typed = "r.buyer->>'email', r.buyer->>'phone'" if is_of_order else "NULL, NULL"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, p.contact_id, p.is_paid, p.is_closed,"  # noqa: S608 - names of ours
            " coalesce(nullif(p.email, ''), w.email, ''), coalesce(nullif(p.phone, ''), w.phone, '') FROM ("
            f" SELECT r.id, x.* FROM {TABLES[subject]} r CROSS JOIN LATERAL"
            f" (SELECT {_ROWS[subject]}, {typed}) AS x (contact_id, is_paid, is_closed, email, phone)"
            f" WHERE {where} AND r.id > %s AND r.id <= %s ORDER BY r.id LIMIT %s) p"
            " LEFT JOIN customers_contact w ON w.id = p.contact_id ORDER BY p.id",
            [*params, after, NEWEST if wanted.last_key is None else wanted.last_key, limit],
        )
        return [Row._make(row) for row in cursor.fetchall()]


def _reasons(reach: Reach, rows: Sequence[Row]) -> dict[int, str]:
    """Return why rows are not even tried, by key. Whether a text needs consent is looked at before it leaves."""
    suppressed = reach.suppressed(row.addresses for row in rows)
    found = {}
    for row in rows:
        reason = (
            NOBODY
            if row.contact_id is None
            else PAID
            if row.is_paid
            else CLOSED
            if row.is_closed
            else _unreached(reach, row, suppressed)
        )
        if reason:
            found[row.key] = reason
    return found


def _unreached(reach: Reach, row: Row, suppressed: Collection[tuple[str, str]]) -> str:
    """Return why no message of the process would reach somebody; nothing if one may, or if it writes to nobody."""
    if not reach.channels:
        return ""
    usable = reach.usable(row.addresses)
    if not usable:
        return NO_ADDRESS
    return "" if usable.items() - suppressed else SUPPRESSED


def _refusals(process: Process, about: int, rows: Sequence[Row]) -> dict[int, str]:
    """Return why the door let rows not in, as it has just written down; of the same entry heard again: inside already."""
    by_contact: dict[int, str] = {}
    by_key: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (contact_id, subject_kind, subject_id) contact_id, subject_kind, subject_id, code"
            " FROM processes_turned_away WHERE shop_id = %s AND process_id = %s AND contact_id = ANY(%s)"
            " ORDER BY contact_id, subject_kind, subject_id, at DESC",
            [process.shop_id, process.pk, [row.contact_id for row in rows]],
        )
        for contact_id, kind, subject_id, code in cursor.fetchall():
            word = Refusal(code).name.lower()
            by_contact[contact_id] = word
            if kind == about:
                by_key[subject_id] = word
    return {row.key: by_key.get(row.key) or by_contact.get(row.contact_id or 0) or INSIDE for row in rows}
