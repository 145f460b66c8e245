"""Applying pages of snapshots that we fetched ourselves, row by row."""

import hashlib
from datetime import datetime

import structlog
from django.db import DatabaseError, connection, transaction
from django_scopes import scope

from recoup.core import inbox, strict_json
from recoup.core.locks import set_lock_timeout
from recoup.hooks.apply import HISTORY, PATIENCE, apply_snapshot, refuse_future
from recoup.orders.actions import CurrencyChanged
from recoup.shops.models import Source
from recoup.shops.ports import BodyQuarantined, Page, Unreadable, row_key
from recoup.shops.snapshots import OrderSnapshot, ProductSnapshot

log = structlog.get_logger(__name__)


def apply_page(source: Source, page: Page, *, now: datetime, is_backfill: bool = False) -> int:
    """Apply a page and return how many rows were taken in.

    Each row commits by itself. A row that cannot be read is kept in quarantine. One that fails is kept as if a webhook had
    told it: the worker tries it again, and shows it if it never works. So the next page may be fetched, and nothing is lost
    behind it (R6, R7).
    """
    for row in page.unreadable:
        _keep(source, row, now, is_backfill=is_backfill)
    done = 0
    rows: list[OrderSnapshot | ProductSnapshot] = [*page.orders, *page.products]
    for snapshot in rows:
        if _is_applied(source, snapshot, now=now, is_backfill=is_backfill):
            done += 1
        elif (told := page.told.get(row_key(snapshot))) is not None:
            topic = "order.polled" if isinstance(snapshot, OrderSnapshot) else "product.polled"
            kept = Unreadable(ref=snapshot.ref, topic=topic, raw=strict_json.dumps(told), reason="")
            _keep(source, kept, now, is_backfill=is_backfill)
    return done


def _keep(source: Source, row: Unreadable, now: datetime, *, is_backfill: bool) -> None:
    """Keep a row raw: in quarantine if it has a reason, else to be applied by the worker."""
    mark = {HISTORY: "1"} if is_backfill else {}
    is_order = row.topic.startswith("order")
    kept = inbox.keep(
        inbox.Call(
            shop_id=source.shop_id,
            source_kind=inbox.SHOP,
            source_id=source.pk,
            event_id=f"{row.topic}:{hashlib.sha256(row.raw).hexdigest()}",
            raw=row.raw,
            topic=row.topic,
            headers={"x-wc-webhook-topic": row.topic, **mark},
            subject_kind="order" if is_order else "product",
            subject_refs=(row.ref,) if row.ref and is_order else (),
            received_at=now,
            unreadable=row.reason,
        )
    )
    if kept.is_new and row.reason:
        inbox.show_quarantine(source.shop_id, inbox.SHOP, source.pk, source_name=source.name, now=now)


def _is_applied(
    source: Source, snapshot: OrderSnapshot | ProductSnapshot, *, now: datetime, is_backfill: bool
) -> bool:
    try:
        refuse_future(snapshot, now)
    except BodyQuarantined as reason:
        log.warning("hooks.page.in_the_future", source_id=source.pk, ref=snapshot.ref, reason=str(reason))
        return False
    try:
        with transaction.atomic(), scope(shop=source.shop):
            set_lock_timeout(PATIENCE)
            apply_snapshot(source, snapshot, now=now, is_backfill=is_backfill, is_fetched=True)
    except (DatabaseError, CurrencyChanged, ValueError) as error:
        if isinstance(error, DatabaseError) and not connection.is_usable():
            raise
        log.error("hooks.page.row_failed", source_id=source.pk, ref=snapshot.ref, error=repr(error))
        return False
    return True
