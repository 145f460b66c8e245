"""Back-tests that people have asked for, and the worker's loop that does them.

A run is a row; its beat is a lease. A killed run is begun anew by whoever finds it, since it has written nothing but its own
row; only the turn that was begun last may write its progress and its end.
"""

from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django_scopes import scopes_disabled

from recoup.core import heartbeat
from recoup.core.clock import boot_seconds, real_now
from recoup.core.paging import PAGE_SIZE, Page
from recoup.processes.backtest.channels import LeftOutRow
from recoup.processes.backtest.running import Plan, plan_of_draft, run_backtest
from recoup.processes.drafts import draft_of, problems_of
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.entries import ENTRIES
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.holdout import shop_share
from recoup.processes.models import BacktestRun, Process, ProcessVersion
from recoup.processes.versions import graph_of

log = structlog.get_logger(__name__)

LOOP, BEAT_SECONDS = "backtests", 10.0
ABANDONED_AFTER = timedelta(minutes=2)  # a run without progress for so long was killed
MOST_TURNS = 3  # killed so often, it is what kills
TELL_SECONDS = 0.5  # how often the progress is written
PEOPLE = 200  # of one page: the worker's other threads get their turn in between
LONGEST = timedelta(days=366)

State = BacktestRun.State


class PeriodRefused(Exception):
    """A period that has not begun, ends before it begins, or is longer than a year."""


class NothingToTry(Exception):
    """There is no such draft, or no version: the process was never published."""


class CannotBeTried(Exception):
    """Who enters this process stands in no fact of the past; the text is the reason, in English."""


class _TakenOver(Exception):
    """Another worker has begun the run anew; this one stops."""


def request_run(
    process: Process,
    *,
    since: datetime,
    until: datetime,
    now: datetime,
    user_id: int | None = None,
    is_of_draft: bool = False,
) -> BacktestRun:
    """Ask for the current version of a process, or its draft, to be tried on a period; the worker does it.

    The same asked for again is the same run while it lasts. A draft is kept with the run as it is now.

    :raises PeriodRefused: :raises NothingToTry: :raises CannotBeTried:
    :raises InvalidProcess: with every problem that keeps the draft from running.
    """
    if not since < min(until, now) or until - since > LONGEST:
        raise PeriodRefused(f"{since} {until}")
    run = BacktestRun(
        shop_id=process.shop_id,
        process=process,
        since=since,
        until=until,
        made_by=user_id,
        created_at=now,
    )
    document = _take_draft(run, process) if is_of_draft else _take_version(run, process)
    if untried := ENTRIES[document.entry.on].untried:
        raise CannotBeTried(untried)
    same = BacktestRun.objects.filter(
        process=process, version_id=run.version_id, revision=run.revision, since=since, until=until
    )
    with transaction.atomic():
        BacktestRun.objects.bulk_create([run], ignore_conflicts=True)
        return same.latest("id")


def _take_version(run: BacktestRun, process: Process) -> ProcessDocument:
    if process.current_version_id is None:
        raise NothingToTry(process.pk)
    run.version_id = process.current_version_id
    document: ProcessDocument = graph_of(process.current_version_id).document
    return document


def _take_draft(run: BacktestRun, process: Process) -> ProcessDocument:
    state = draft_of(process)
    if not state.is_stored:
        raise NothingToTry(process.pk)
    if problems := problems_of(process, state.doc):
        raise InvalidProcess(problems)
    run.doc, run.revision = state.doc, state.lock.revision
    return ProcessDocument.model_validate(state.doc)


def document_of(run: BacktestRun) -> ProcessDocument:
    """Return what a run tries: a draft as it was when it was asked for, or a version."""
    doc = run.doc if run.version is None else run.version.doc
    return ProcessDocument.model_validate(doc)


def run_waiting() -> int:
    """Do the oldest run that waits or was killed, of any shop; return how many that were. The worker's loop.

    Beats for its loop meanwhile.
    """
    with scopes_disabled():
        run = BacktestRun.objects.filter(_open()).order_by("id").first()
        if run is None or not _claim(run):
            return 0
        try:
            _do(run)
        except _TakenOver:
            log.warning("processes.backtest.taken_over", run_id=run.pk)
        except DatabaseError:
            raise  # heals by itself, or the next turn finds out
        except Exception as error:
            log.exception("processes.backtest.failed", run_id=run.pk)
            _end(run, State.FAILED, trouble=type(error).__name__[:40])
    return 1


def _open() -> Q:
    dead = Q(beat_at=None) | Q(beat_at__lt=real_now() - ABANDONED_AFTER)
    return Q(state=State.WAITING) | (Q(state=State.RUNNING) & dead)


def _claim(run: BacktestRun) -> bool:
    """Take a run that nobody is at, by one conditional update; give it up if it was begun too often."""
    taken = BacktestRun.objects.filter(_open(), pk=run.pk, turns=run.turns).update(
        state=State.RUNNING, turns=F("turns") + 1, beat_at=real_now(), done=0
    )
    if not taken:
        return False
    run.refresh_from_db()
    if run.turns > MOST_TURNS:
        _end(run, State.FAILED, trouble="killed")
        return False
    return True


def _do(run: BacktestRun) -> None:
    result = run_backtest(_plan_of(run), tell=_Telling(run), people=PEOPLE)
    _end(run, State.DONE, result=result.as_json(), left_out=result.rows)


def _plan_of(run: BacktestRun) -> Plan:
    process = Process.objects.get(pk=run.process_id)
    if run.version_id is None:
        latest = ProcessVersion.objects.filter(process=process).order_by("-number").first()
        return plan_of_draft(
            document_of(run),
            shop_id=run.shop_id,
            process_id=run.process_id,
            salt=process.salt,
            holdout_bp=process.holdout_bp,
            shop_holdout_bp=shop_share(process.shop),
            node_map=latest.node_map if latest is not None else None,
            since=run.since,
            until=run.until,
            now=run.created_at,
        )
    return Plan(
        shop_id=run.shop_id,
        process_id=run.process_id,
        version_id=run.version_id,
        graph=graph_of(run.version_id),
        holdout_bp=process.holdout_bp,
        shop_holdout_bp=shop_share(process.shop),
        since=run.since,
        until=run.until,
        now=run.created_at,
    )


def rows_left_out(
    run: BacktestRun, reason: str, *, cursor: str = "", size: int = PAGE_SIZE
) -> tuple[Page[LeftOutRow], int]:
    """Return a page of the messages that a run left out for a reason, in their order, and how many are kept."""
    kept = (run.left_out or {}).get(reason, ())
    start = int(cursor) if cursor.isdecimal() and int(cursor) < len(kept) else 0
    rows = [LeftOutRow._make(row) for row in kept[start : start + size]]
    older = str(start + size) if start + size < len(kept) else ""
    newer = str(max(start - size, 0)) if start else ""
    return Page(rows, older=older, newer=newer), len(kept)


class _Telling:
    """Writes the progress of a run, now and then, and beats for the loop that does it."""

    def __init__(self, run: BacktestRun) -> None:
        self._run = run
        self._told_at = self._beaten_at = boot_seconds()

    def __call__(self, done: int, whole: int) -> None:
        now = boot_seconds()
        if now - self._told_at >= TELL_SECONDS:
            self._told_at = now
            _write(self._run, done=done, whole=whole, beat_at=real_now())
        if now - self._beaten_at >= BEAT_SECONDS:
            self._beaten_at = now
            heartbeat.beat(LOOP, now=real_now())


def _write(run: BacktestRun, **columns: object) -> None:
    """Write columns of a run that is still ours."""
    mine = BacktestRun.objects.filter(pk=run.pk, state=State.RUNNING, turns=run.turns)
    if not mine.update(**columns):
        raise _TakenOver(run.pk)


def _end(run: BacktestRun, state: State, **columns: object) -> None:
    _write(run, state=state, ended_at=real_now(), **columns)
