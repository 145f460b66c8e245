"""Raw intake: every call from outside is kept as it came before anything is understood (R1, R3).

An item is `new` until it is applied, found unused, or quarantined with a reason. What `peek` could name of it is read
by the sender's last check while it is `new`. Reasons are codes with details (`duplicate_key: amount`); their words stand
in `shops.reasons`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from recoup.core.models import InboxItem
from recoup.core.text import storable

SHOP, OPERATOR = "shop", "operator"  # whose `source_id` it is
REASON_LENGTH = 1000
_RETRIABLE = (InboxItem.State.QUARANTINED, InboxItem.State.UNUSED, InboxItem.State.PUT_ASIDE)

_KEEP = """
    INSERT INTO core_inbox (shop_id, source_kind, source_id, event_id, topic, raw, headers, body_hash, subject_kind,
        subject_refs, peek_failed, received_at, state, reason, tries, waits_for)
    VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s::jsonb, %s,
        coalesce(%s, clock_timestamp() + coalesce((SELECT trade_offset FROM core_installation), interval '0')),
        %s, %s, 0, '')
    ON CONFLICT (source_kind, source_id, event_id) WHERE NOT (state = 'conflict') DO NOTHING
    RETURNING id
"""
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
    SELECT id FROM core_inbox WHERE state = 'new' AND next_try_at <= %s
    ORDER BY next_try_at, id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_FRESH = """
    SELECT id FROM core_inbox WHERE state = 'new' AND next_try_at IS NULL
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


def keep(call: Call) -> Kept:
    """Keep a call once, by its source and event id, with one statement.

    The same id with the same body is known and changes nothing; with another body the first wins and the second is kept as
    a conflict (T7). Commits with the caller's transaction, or at once if there is none.
    """
    body_hash = hashlib.sha256(call.raw).digest()
    headers = json.dumps(dict(call.headers)).replace("\\u0000", "")
    values = [
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
        InboxItem.State.QUARANTINED if call.unreadable else InboxItem.State.NEW,
        storable(call.unreadable)[:REASON_LENGTH],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, values)
        inserted = cursor.fetchone()
        if inserted:
            return Kept(inserted[0], is_new=True)
        cursor.execute(_KNOWN, [body_hash, call.source_kind, call.source_id, storable(call.event_id)])
        known_id, is_same = cursor.fetchone()
        if is_same:
            return Kept(known_id, is_new=False)
        cursor.execute(
            _CONFLICT, [storable(call.topic[:100]), call.raw, headers, body_hash, known_id, body_hash]
        )
        return Kept(known_id, is_new=False, is_conflict=True, is_new_conflict=cursor.fetchone() is not None)


def waiting_ids(*, now: datetime, limit: int) -> list[int]:
    """Return the items to be applied, of all shops: those whose time has come again, then the new in order of arrival.

    Leaves out what another worker holds at this moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE_AGAIN, [now, limit])
        found = [row[0] for row in cursor.fetchall()]
        cursor.execute(_FRESH, [limit - len(found)])
        return found + [row[0] for row in cursor.fetchall()]


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
        return cursor.rowcount


def retry(item_id: int, *, shop_id: int, now: datetime) -> bool:
    """Let a quarantined, unused or put-aside item be tried anew, as if it came now; `False` if it is none.

    The worker applies it. What it says counts as learnt now, not when it first came.
    """
    return bool(
        InboxItem.objects.filter(pk=item_id, shop_id=shop_id, state__in=_RETRIABLE).update(
            state=InboxItem.State.NEW,
            reason="",
            tries=0,
            next_try_at=None,
            waits_for="",
            received_at=now,
        )
    )


def put_aside(item_id: int, *, shop_id: int) -> bool:
    """Settle a quarantined item without applying it; its raw body stays. `False` if it is none."""
    return bool(
        InboxItem.objects.filter(pk=item_id, shop_id=shop_id, state=InboxItem.State.QUARANTINED).update(
            state=InboxItem.State.PUT_ASIDE
        )
    )


def quarantined(shop_id: int) -> QuerySet[InboxItem]:
    """Return what could not be used in a shop, newest first, for the quarantine screen; bodies are not loaded."""
    return (
        InboxItem.objects.filter(shop_id=shop_id, state=InboxItem.State.QUARANTINED)
        .defer("raw")
        .order_by("-id")
    )


def body_text(item: InboxItem) -> str:
    """Return the kept body as text for a person; bytes that are not UTF-8 are shown as escapes."""
    return bytes(item.raw).decode("utf-8", "backslashreplace")
