"""Fetching from sources what their webhooks lost, and history when it was asked for (R6)."""

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection
from django.db.models import F, Q
from django_scopes import scopes_disabled

from recoup.core import attention
from recoup.core.clock import trade_now
from recoup.hooks.pages import apply_page
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.models import Source
from recoup.shops.ports import ShopPlatform, SourceRefused, SourceUnavailable
from recoup.shops.sources import HISTORY_KEY, POLLS_KEY

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=1)
HOOKS_EVERY = timedelta(hours=1)
MOST_PAGES = 20  # of one source at a time, so that a big one does not starve the others
BROKEN_AFTER = 3  # failures in a row; a shop that is away for ten minutes is not broken
BROKEN, DISABLED = "shops.source_broken", "shops.hooks_disabled"  # kinds of attention
# Our own notes inside `Source.cursor`; the other keys are the adapter's. Each is written by itself, so that a person
# who asks for history and a poll that is under way do not overwrite each other.
_BOOK, _HISTORY = POLLS_KEY, HISTORY_KEY


@dataclass(slots=True)
class _Book:
    """What is remembered of a source's polls."""

    failures: int = 0
    next_at: str = ""
    hooks_at: str = ""


def poll_sources(now: datetime | None = None, *, beat: Callable[[], object] = lambda: None) -> int:
    """Poll every source that is due, once, and return how many rows came. The worker's loop.

    Each is claimed by a conditional update, so any number of workers may run this. Errors never leave this function, unless
    the database is away: they mark the source, ask for attention, and put its next poll off, longer each time. `beat` is
    called before each page: many of a slow shop take long.
    """
    now = now or trade_now()
    with scopes_disabled():
        due = (
            Source.objects.filter(~Q(state=Source.State.PAUSED))
            .filter(Q(last_polled_at=None) | Q(last_polled_at__lte=now - EVERY))
            .order_by(F("last_polled_at").asc(nulls_first=True))
            .select_related("shop")
        )
        done = 0
        for source in due:
            adapter = _poller(source)
            if adapter is not None and _claim(source, now):
                done += _poll(source, adapter, now, beat)
        return done


def _poller(source: Source) -> ShopPlatform | None:
    try:
        adapter = platform(source.kind)
    except PlatformUnknown:
        return None
    can = adapter.capabilities
    return adapter if can.polls or can.backfills else None


def _claim(source: Source, now: datetime) -> bool:
    next_at = _book_of(source).next_at
    if next_at and datetime.fromisoformat(next_at) > now:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shops_source SET last_polled_at = %s WHERE id = %s AND last_polled_at IS NOT DISTINCT FROM %s",
            [now, source.pk, source.last_polled_at],
        )
        return bool(cursor.rowcount == 1)


def _book_of(source: Source) -> _Book:
    kept = source.cursor.get(_BOOK)
    return _Book(**kept) if isinstance(kept, dict) else _Book()


def _save(source: Source, part: dict[str, Any]) -> None:
    source.cursor = {**source.cursor, **part}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shops_source SET cursor = cursor || %s::jsonb WHERE id = %s",
            [json.dumps(part), source.pk],
        )


def _save_book(source: Source, book: _Book) -> None:
    _save(source, {_BOOK: asdict(book)})


def _poll(source: Source, adapter: ShopPlatform, now: datetime, beat: Callable[[], object]) -> int:
    done = 0
    try:
        if adapter.capabilities.polls:
            done += _fetch(source, adapter, now, beat)
        if adapter.capabilities.backfills:
            done += _fetch_history(source, adapter, now, beat)
            _go_on_soon(source, now)
        _watch_hooks(source, adapter, now)
    except (SourceUnavailable, SourceRefused) as trouble:
        _note_trouble(source, str(trouble), now, is_refused=isinstance(trouble, SourceRefused))
    except Exception:  # whatever it is, it must not hold up the other sources, nor be silent
        if not connection.is_usable():
            raise
        number = secrets.token_hex(4)
        log.exception("hooks.poll.broke", source_id=source.pk, number=number)
        _note_trouble(source, f"unexpected: {number}", now, is_refused=False)
    else:
        _note_success(source, now)
    return done


def _fetch(source: Source, adapter: ShopPlatform, now: datetime, beat: Callable[[], object]) -> int:
    done = 0
    for _ in range(MOST_PAGES):
        beat()
        page = adapter.poll(source, now=now)
        done += apply_page(source, page, now=now)
        _save(source, {key: value for key, value in page.cursor.items() if not key.startswith("_")})
        if not page.has_more:
            break
    return done


def _fetch_history(source: Source, adapter: ShopPlatform, now: datetime, beat: Callable[[], object]) -> int:
    """Go on with a backfill that was asked for (`shops.sources.request_backfill`); nobody is mailed about it."""
    done = 0
    for _ in range(MOST_PAGES):
        beat()
        source.refresh_from_db(fields=["cursor"])
        wanted = source.cursor.get(_HISTORY)
        if not isinstance(wanted, dict) or wanted["is_done"]:
            break
        page = adapter.backfill(source, wanted["cursor"], since=datetime.fromisoformat(wanted["since"]))
        taken = apply_page(source, page, now=now, is_backfill=True)
        done += taken
        step = {"cursor": page.cursor, "is_done": not page.has_more, "rows": wanted["rows"] + taken}
        _save(source, {_HISTORY: {**wanted, **step}})
    return done


def _go_on_soon(source: Source, now: datetime) -> None:
    """Let a history that is not whole yet go on in the next round, behind the sources that wait longer."""
    kept = source.cursor.get(_HISTORY)
    if isinstance(kept, dict) and not kept["is_done"]:
        Source.objects.filter(pk=source.pk).update(last_polled_at=now - EVERY)


def _watch_hooks(source: Source, adapter: ShopPlatform, now: datetime) -> None:
    book = _book_of(source)
    if book.hooks_at and now - datetime.fromisoformat(book.hooks_at) < HOOKS_EVERY:
        return
    troubles = list(adapter.hook_troubles(source))
    book.hooks_at = now.isoformat()
    _save_book(source, book)
    if troubles:
        _show(source, DISABLED, "; ".join(troubles)[:500], now)
    else:
        attention.settle(DISABLED, shop_id=source.shop_id, key=str(source.pk), now=now)


def _note_trouble(source: Source, trouble: str, now: datetime, *, is_refused: bool) -> None:
    book = _book_of(source)
    book.failures += 1
    book.next_at = (now + min(EVERY * 2 ** min(book.failures, 10), LONGEST_PAUSE)).isoformat()
    _save_book(source, book)
    log.warning("hooks.poll.failed", source_id=source.pk, trouble=trouble, failures=book.failures)
    if is_refused or book.failures >= BROKEN_AFTER:
        Source.objects.filter(pk=source.pk).exclude(state=Source.State.PAUSED).update(
            state=Source.State.BROKEN, trouble=trouble
        )
        _show(source, BROKEN, trouble, now)


def _note_success(source: Source, now: datetime) -> None:
    book = _book_of(source)
    if book.failures:
        book.failures, book.next_at = 0, ""
        _save_book(source, book)
    if source.state == Source.State.BROKEN:
        Source.objects.filter(pk=source.pk, state=Source.State.BROKEN).update(
            state=Source.State.ACTIVE, trouble=""
        )
    attention.settle(BROKEN, shop_id=source.shop_id, key=str(source.pk), now=now)


def _show(source: Source, kind: str, trouble: str, now: datetime) -> None:
    attention.ask(
        kind,
        shop_id=source.shop_id,
        key=str(source.pk),
        now=now,
        subject=("source", source.pk),
        source=source.name,
        trouble=trouble,
    )
