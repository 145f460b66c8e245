"""Raw intake: every call from outside is kept as it came before anything is understood (R1, R3).

An item is `new` until it is applied, found unused, or quarantined with a reason. What `peek` could name of it is read
by the sender's last check while it is `new`. Whoever keeps a call holds the names in it, shared, until the commit; a
sender those of what it hands over, alone (`fence`): so no hand-over begins once a call that names its subject is answered.
Reasons are codes with details (`duplicate_key: amount`); their words stand in `shops.reasons`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from recoup.core import attention
from recoup.core.models import InboxItem
from recoup.core.text import storable

QUARANTINED = "hooks.quarantined"  # what Home shows: one line for a source
SHOP, OPERATOR = "shop", "operator"  # whose `source_id` it is
REASON_LENGTH = 1000
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})
_RETRIABLE = (InboxItem.State.QUARANTINED, InboxItem.State.UNUSED, InboxItem.State.PUT_ASIDE)

# A function of ours, whose plan the session remembers (migration 0006). It waits for a hand-over of what is named for 1.5 s:
# by then none can begin any more, for its look is older than a second.
_KEEP = "SELECT core_inbox_keep(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
_KNOWN = """
    SELECT id, body_hash = %s FROM core_inbox
    WHERE source_kind = %s AND source_id = %s AND event_id = %s AND NOT (state = 'conflict')
"""
_CONFLICT = """
    INSERT INTO core_inbox (shop_id, source_kind, source_id, event_id, topic, raw, headers, body_hash, subject_kind,
        subject_refs, peek_failed, received_at, state, reason, tries, waits_for)
    SELECT shop_id, source_kind, source_id, event_id, %s, %s, %s::jsonb, %s, '', '[]', false,
        clock_timestamp() + coalesce((SELECT trade_offset FROM core_installation), interval '0'),
        'conflict', 'same_id_other_body: ' || id, 0, ''
    FROM core_inbox AS first
    WHERE id = %s AND NOT EXISTS (
        SELECT FROM core_inbox AS kept WHERE kept.source_kind = first.source_kind AND kept.source_id = first.source_id
            AND kept.event_id = first.event_id AND kept.body_hash = %s)
    RETURNING id
"""
# Two statements, because one index gives each its order and an OR of both would sort the whole backlog.
_DUE_AGAIN = """
    SELECT id, source_kind FROM core_inbox WHERE state = 'new' AND next_try_at <= %s
    ORDER BY next_try_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_FRESH = """
    SELECT id, source_kind FROM core_inbox WHERE state = 'new' AND next_try_at IS NULL
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""


@dataclass(frozen=True, slots=True)
class Call:
    """What came, and what could be named of it."""

    shop_id: int
    source_kind: str
    source_id: int
    event_id: str
    raw: bytes
    topic: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    subject_kind: str = ""
    subject_refs: tuple[str, ...] = ()
    peek_failed: bool = False
    received_at: datetime | None = None  # `None`: now, by the trade clock
    unreadable: str = ""  # a reason: kept in quarantine at once


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a call is kept. A conflict names the item that came first; `is_new_conflict` tells it was not seen before."""

    item_id: int
    is_new: bool
    is_conflict: bool = False
    is_new_conflict: bool = False


def fence(name: str, shop_id: str) -> str:
    """Return SQL that holds a name against calls that say it, until the transaction ends; false if one is just coming in.

    Name and shop are SQL, too. What was kept before is seen by the next statement.
    """
    return f"pg_try_advisory_xact_lock(hashtextextended({name}, {shop_id}))"


def keep(call: Call) -> Kept:
    """Keep a call once, by its source and event id, with one statement. Waits for a hand-over of what it names (`fence`).

    The same id with the same body is known and changes nothing; with another body the first wins and the second is kept as
    a conflict (T7). Commits with the caller's transaction, or at once if there is none.
    """
    body_hash = hashlib.sha256(call.raw).digest()
    headers = _storable_headers(call.headers)
    values: list[Any] = [
        call.shop_id,
        call.source_kind,
        call.source_id,
        storable(call.event_id),
        storable(call.topic[:100]),
        call.raw,
        headers,
        body_hash,
        call.subject_kind,
        json.dumps([storable(ref) for ref in call.subject_refs]),
        call.peek_failed,
        call.received_at,
        storable(call.unreadable)[:REASON_LENGTH],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, values)
        (item_id,) = cursor.fetchone()
        if item_id is not None:
            return Kept(item_id, is_new=True)
        cursor.execute(_KNOWN, [body_hash, call.source_kind, call.source_id, storable(call.event_id)])
        known_id, is_same = cursor.fetchone()
        if is_same:
            return Kept(known_id, is_new=False)
        cursor.execute(
            _CONFLICT, [storable(call.topic[:100]), call.raw, headers, body_hash, known_id, body_hash]
        )
        return Kept(known_id, is_new=False, is_conflict=True, is_new_conflict=cursor.fetchone() is not None)


def _storable_headers(headers: Mapping[str, str]) -> str:
    kept = {name: storable(value) for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}
    return json.dumps(kept)


def waiting(*, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Return id and kind of source of the items to be applied: those due again, then the new in order of arrival.

    Crosses shops, and leaves out what another worker holds at this moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE_AGAIN, [now, limit])
        found: list[tuple[int, str]] = cursor.fetchall()
        cursor.execute(_FRESH, [limit - len(found)])
        found += cursor.fetchall()
        return found


def take(item_id: int) -> InboxItem | None:
    """Lock an item for the length of the transaction; `None` if it is done or another worker holds it."""
    return (
        InboxItem.objects.select_for_update(skip_locked=True)
        .filter(pk=item_id, state=InboxItem.State.NEW)
        .first()
    )


def finish(item_id: int, state: InboxItem.State, *, now: datetime, reason: str = "") -> bool:
    """Say how a waiting item ended; `False` if it was not waiting any more."""
    return bool(
        InboxItem.objects.filter(pk=item_id, state=InboxItem.State.NEW).update(
            state=state,
            reason=storable(reason)[:REASON_LENGTH],
            waits_for="",
            next_try_at=None,
            applied_at=now if state == InboxItem.State.APPLIED else None,
        )
    )


def postpone(
    item_id: int, *, until: datetime, reason: str, waits_for: str = "", has_failed: bool = False
) -> None:
    """Try an item again later; only what `has_failed` counts as a try."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_inbox SET next_try_at = %s, reason = %s, waits_for = %s, tries = least(tries + %s, 1000)"
            " WHERE id = %s AND state = 'new'",
            [until, storable(reason)[:REASON_LENGTH], waits_for, int(has_failed), item_id],
        )


def wake(source_id: int, *, ref: str) -> int:
    """Let the items that waited for an order be tried at once; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_inbox SET next_try_at = NULL, waits_for = ''"
            " WHERE source_id = %s AND waits_for = %s AND waits_for <> '' AND state = 'new'",
            [source_id, ref],
        )
        return int(cursor.rowcount)


def retry(item_id: int, *, shop_id: int, now: datetime) -> bool:
    """Let a quarantined, unused or put-aside item be tried anew, as if it came now; `False` if it is none.

    The worker applies it. What it says counts as learnt now, not when it first came.
    """
    changed = InboxItem.objects.filter(pk=item_id, shop_id=shop_id, state__in=_RETRIABLE).update(
        state=InboxItem.State.NEW,
        reason="",
        tries=0,
        next_try_at=None,
        waits_for="",
        received_at=now,
    )
    _settle_when_empty(item_id, now)
    return bool(changed)


def put_aside(item_id: int, *, shop_id: int, now: datetime) -> bool:
    """Settle a quarantined item without applying it; its raw body stays. `False` if it is none."""
    changed = InboxItem.objects.filter(pk=item_id, shop_id=shop_id, state=InboxItem.State.QUARANTINED).update(
        state=InboxItem.State.PUT_ASIDE
    )
    _settle_when_empty(item_id, now)
    return bool(changed)


def quarantine(item: InboxItem, *, reason: str, source_name: str, now: datetime) -> None:
    """Put an item that cannot be used where people see it; one line on Home for its source."""
    if finish(item.pk, InboxItem.State.QUARANTINED, now=now, reason=reason):
        show_quarantine(item.shop_id, item.source_kind, item.source_id, source_name=source_name, now=now)


def show_quarantine(
    shop_id: int, source_kind: str, source_id: int, *, source_name: str, now: datetime
) -> None:
    """Ask a person to look at what a source sent and nobody could use."""
    attention.ask(
        QUARANTINED,
        shop_id=shop_id,
        key=f"{source_kind}:{source_id}",
        now=now,
        subject=("source", source_id) if source_kind == SHOP else ("operator", source_id),
        source=source_name,
    )


def _settle_when_empty(item_id: int, now: datetime) -> None:
    item = InboxItem.objects.filter(pk=item_id).defer("raw").first()
    if item is None:
        return
    rest = InboxItem.objects.filter(
        shop_id=item.shop_id,
        source_kind=item.source_kind,
        source_id=item.source_id,
        state=InboxItem.State.QUARANTINED,
    )
    if not rest.exists():
        key = f"{item.source_kind}:{item.source_id}"
        attention.settle(QUARANTINED, shop_id=item.shop_id, key=key, now=now)


def quarantined(shop_id: int) -> QuerySet[InboxItem]:
    """Return what could not be used in a shop, newest first."""
    return not_applied(shop_id, InboxItem.State.QUARANTINED)


def not_applied(shop_id: int, state: InboxItem.State) -> QuerySet[InboxItem]:
    """Return what a shop has in a state, newest first, for the screen of what changed nothing (T7, T21)."""
    return InboxItem.objects.filter(shop_id=shop_id, state=state).order_by("-id")


def body_text(item: InboxItem) -> str:
    """Return the kept body as text for a person; bytes that are not UTF-8 are shown as escapes."""
    return bytes(item.raw).decode("utf-8", "backslashreplace")
