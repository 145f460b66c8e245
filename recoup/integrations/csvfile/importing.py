"""Importing a file: tried first if wanted, order by order, with progress that commits together with each order.

Killed at any moment it goes on where it was, and nothing is there twice. Nobody is written to because of it: its orders are
history (`is_backfill`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django_scopes import scope, scopes_disabled

from recoup.catalog.costs import CostLine, Taken, judge, meant, take_line
from recoup.core import heartbeat
from recoup.core.activity import SYSTEM, Actor
from recoup.core.clock import boot_seconds, real_now
from recoup.core.locks import set_lock_timeout
from recoup.integrations.csvfile.orders import Entry, entries
from recoup.integrations.csvfile.plan import Plan, PlanIncomplete, check, plan_from_json
from recoup.integrations.csvfile.reading import FileRefused, file_hash
from recoup.orders.actions import CurrencyChanged
from recoup.orders.models import Order
from recoup.orders.status import allowed_moves, change_status
from recoup.payments.actions import apply_order_snapshot
from recoup.shops.instants import order_not_ahead
from recoup.shops.models import FILE_KIND, ImportRefusal, ImportRun, Shop, Source
from recoup.shops.snapshots import OrderSnapshot

log = structlog.get_logger(__name__)

PATIENCE = 3000  # milliseconds that an order waits for a message that is just going out
ABANDONED_AFTER = timedelta(minutes=2)  # a run without progress for so long was killed
LOOP, BEAT_SECONDS = "imports", 10.0
OTHERS_HAVE, MOST_WAITING = timedelta(hours=1), 50
FIRST_NAME, IMPORTED = "CSV", "import"
SAME_DAY = timedelta(days=1)
MOST_REFUSALS = 10_000  # lines listed with their reason; beyond that they are counted only

Tell = Callable[[ImportRun, Entry], None]


class AlreadyRunning(Exception):
    """Another process is importing this very file; its run goes on."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would bring: the first orders and refusals, and the counts of the whole."""

    orders: int
    refused: int
    shown: tuple[Entry, ...]


def file_source(shop: Shop, name: str = "", *, now: datetime) -> Source:
    """Return the source that imported orders of a shop belong to, made on first use.

    Orders are known by their numbers, so the files of each system that the seller has ever had belong to a source of
    their own, by its name, whatever its capitals; without one to the first there is.
    """
    name = " ".join(name.split())[:120]
    with scope(shop=shop):
        sources = Source.objects.filter(shop=shop, kind=FILE_KIND).order_by("id")
        known = sources.filter(Q(name__iexact=name) if name else Q()).first()
        if known is not None:
            return known
        source = Source(
            shop=shop,
            kind=FILE_KIND,
            name=name or FIRST_NAME,
            site=(name or FIRST_NAME).casefold(),
            live_since=now,
        )
        Source.objects.bulk_create([source], ignore_conflicts=True)  # two who import at once share it
        return sources.get(site=source.site)


def preview(path: Path, plan: Plan, *, now: datetime, shown: int = 20) -> Preview:
    """Read the whole file and write nothing.

    :raises PlanIncomplete: :raises FileRefused:
    """
    check(plan)
    found: list[Entry] = []
    orders = refused = 0
    for entry in entries(path, plan, version_at=now):
        orders += entry.snapshot is not None
        refused += entry.snapshot is None
        if len(found) < shown or (entry.snapshot is None and len(found) < 2 * shown):
            found.append(entry)
    return Preview(orders, refused, tuple(found))


def request_import(
    source: Source,
    path: Path,
    plan: Plan,
    *,
    now: datetime,
    is_dry_run: bool = False,
    user_id: int | None = None,
) -> ImportRun:
    """Ask for a file to be imported; the worker runs it. The same file asked for again is the same run while it lasts.

    The file must stay where it is until then, readable by the worker.

    :raises PlanIncomplete: if the plan cannot be used.
    """
    check(plan)
    digest = file_hash(path)
    with scope(shop=source.shop), transaction.atomic():
        run = ImportRun(
            shop_id=source.shop_id,
            source=source,
            file_name=path.name,
            file_path=str(path.resolve()),
            file_hash=digest,
            plan=plan.as_json(),
            is_dry_run=is_dry_run,
            started_by=user_id,
            created_at=now,
        )
        made = ImportRun.objects.bulk_create([run], ignore_conflicts=not is_dry_run)
        if is_dry_run:
            return made[0]
        return ImportRun.objects.get(
            source=source, file_hash=digest, is_dry_run=False, state__in=["waiting", "running"]
        )


def import_waiting(*, now: datetime) -> int:
    """Run the oldest import that waits or was killed, of any shop; return how many orders it brought. The worker's loop.

    It takes as long as the file does, and beats for its loop meanwhile. A file that lies on another machine is left to the
    worker there; what nobody has found for an hour has failed.
    """
    dead = Q(state="running") & (Q(beat_at=None) | Q(beat_at__lt=real_now() - ABANDONED_AFTER))
    with scopes_disabled():
        waiting = ImportRun.objects.filter(Q(state="waiting") | dead).order_by("id")[:MOST_WAITING]
        run = next((run for run in waiting if _is_here(run) or now - run.created_at > OTHERS_HAVE), None)
        if run is None:
            return 0
        try:
            run = run_import(run, now=now, tell=_Beating())
        except AlreadyRunning:
            return 0
    return run.created + run.known


def _is_here(run: ImportRun) -> bool:
    """Tell whether this machine has the file; it may lie on the one that took it in."""
    return Path(run.file_path).is_file()


class _Beating:
    """Beats for the worker's loop while a long file is read."""

    def __init__(self) -> None:
        self._beaten_at = boot_seconds()

    def __call__(self, _run: ImportRun, _entry: Entry) -> None:
        if boot_seconds() - self._beaten_at >= BEAT_SECONDS:
            heartbeat.beat(LOOP, now=real_now())
            self._beaten_at = boot_seconds()


def run_import(
    run: ImportRun, *, now: datetime, tell: Tell | None = None, is_mine: bool = False
) -> ImportRun:
    """Import the file of a run from where it stands, and return the run as it ended.

    A file that cannot be read ends the run as failed, with its reason; a line that cannot be used is listed and the rest
    goes on. `now` is when we learn of the orders. `is_mine` says that the run was claimed when it was made.

    :raises AlreadyRunning: if another process is at it.
    """
    with scopes_disabled():
        source = Source.objects.select_related("shop").get(pk=run.source_id)
    if not is_mine:
        _claim(run)
    with scope(shop=source.shop):
        try:
            plan = plan_from_json(run.plan)
            for entry in entries(Path(run.file_path), plan, version_at=run.created_at):
                if entry.last_row > run.rows:
                    _settle(run, source, entry, now, plan)
                    if tell is not None:
                        tell(run, entry)
        except (FileRefused, PlanIncomplete, OSError) as trouble:
            reason = "file_gone" if isinstance(trouble, OSError) else str(trouble)
            return _end(run, ImportRun.State.FAILED, now=now, trouble=reason)
        return _end(run, ImportRun.State.DONE, now=now)


def _claim(run: ImportRun) -> None:
    """Take a run that nobody is at. Its beat is a lease: a process that dies leaves it to the next."""
    dead = Q(beat_at=None) | Q(beat_at__lt=real_now() - ABANDONED_AFTER)
    with scopes_disabled():
        taken = ImportRun.objects.filter(Q(state="waiting") | (Q(state="running") & dead), pk=run.pk).update(
            state="running", beat_at=real_now()
        )
        if not taken:
            raise AlreadyRunning(run.pk)
        run.refresh_from_db()


def _settle(run: ImportRun, source: Source, entry: Entry, now: datetime, plan: Plan) -> None:
    """Import one order or product and move the run on, in one transaction."""
    if entry.snapshot is None:
        with transaction.atomic():
            _refuse(run, entry, entry.reason)
        return
    if isinstance(entry.snapshot, CostLine):
        with transaction.atomic():
            _settle_cost(run, source, entry, entry.snapshot, replaces_hand=plan.replaces_hand, now=now)
        return
    try:
        with transaction.atomic():
            set_lock_timeout(PATIENCE)
            known = Order.objects.filter(source=source, ref=entry.ref).select_related("contact").first()
            if known is not None and _is_another(known, entry.snapshot):
                day = known.placed_at.astimezone(ZoneInfo(source.shop.time_zone))
                _refuse(run, entry, f"another_order: {day:%Y-%m-%d}")
                return
            if not run.is_dry_run:
                told = order_not_ahead(entry.snapshot, now)
                order = apply_order_snapshot(source, told, now=now, is_backfill=True)
                if known is None and entry.status in allowed_moves(
                    order
                ):  # one that is paid is never false (E10)
                    change_status(order, entry.status, actor=SYSTEM, now=now, reason=IMPORTED)
            _move_on(run, entry, "created" if known is None else "known")
    except (DatabaseError, CurrencyChanged, ValueError) as error:
        if isinstance(error, DatabaseError) and not connection.is_usable():
            raise
        log.error("csvfile.row_failed", run_id=run.pk, row_no=entry.row_no, error=repr(error))
        with transaction.atomic():
            is_change = isinstance(error, CurrencyChanged)
            _refuse(
                run,
                entry,
                f"currency_changed: {error}" if is_change else f"row_failed: {type(error).__name__}",
            )


def _is_another(known: Order, told: OrderSnapshot) -> bool:
    """Tell whether a number is used by two systems: placed on other days by people with other addresses."""
    theirs, ours = told.person.email.casefold(), known.contact.email.casefold() if known.contact else ""
    return bool(theirs and ours) and theirs != ours and abs(told.placed_at - known.placed_at) > SAME_DAY


_COUNTED = {Taken.CREATED: "created", Taken.CHANGED: "known", Taken.SAME: "known"}


def _settle_cost(
    run: ImportRun, source: Source, entry: Entry, line: CostLine, *, replaces_hand: bool, now: datetime
) -> None:
    """Take what a line says that a product costs; what is not taken is listed with its reason."""
    actor = Actor("person", run.started_by) if run.started_by is not None else SYSTEM
    if run.is_dry_run:
        taken = judge(meant(source.shop, line), line, replaces_hand=replaces_hand)
    else:
        taken = take_line(source, line, replaces_hand=replaces_hand, actor=actor, now=now)
    if taken in _COUNTED:
        _move_on(run, entry, _COUNTED[taken])
    else:
        _refuse(run, entry, "cost_by_hand" if taken is Taken.KEPT else f"cost_currency: {line.currency}")


def _refuse(run: ImportRun, entry: Entry, reason: str) -> None:
    if run.refused < MOST_REFUSALS:
        refusal = ImportRefusal(
            shop_id=run.shop_id, run=run, row_no=entry.row_no, ref=entry.ref[:200], reason=reason[:500]
        )
        ImportRefusal.objects.bulk_create([refusal], ignore_conflicts=True)
    _move_on(run, entry, "refused")


def _move_on(run: ImportRun, entry: Entry, counter: str) -> None:
    run.rows = entry.last_row
    setattr(run, counter, getattr(run, counter) + 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shops_importrun SET rows = %s, created = %s, known = %s, refused = %s, beat_at = clock_timestamp()"
            " WHERE id = %s",
            [run.rows, run.created, run.known, run.refused, run.pk],
        )


def _end(run: ImportRun, state: ImportRun.State, *, now: datetime, trouble: str = "") -> ImportRun:
    ImportRun.objects.filter(pk=run.pk).update(state=state, trouble=trouble, ended_at=now)
    run.refresh_from_db()
    return run


def start_import(
    path: Path, shop: Shop, plan: Plan, *, now: datetime, is_dry_run: bool, source_name: str = ""
) -> ImportRun:
    """Make the run of a file for a shop and claim it: what the command line calls before `run_import`.

    `source_name` is that of the system that the file comes from.

    :raises PlanIncomplete: :raises AlreadyRunning: if the file is being imported, or was until two minutes ago.
    """
    with transaction.atomic():
        source = file_source(shop, source_name, now=now)
        run = request_import(source, path, plan, now=now, is_dry_run=is_dry_run)
        _claim(run)
    return run
