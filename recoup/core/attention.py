"""What a person must look at, shown on Home until it is settled. One open item for a kind and key."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from recoup.core.models import AttentionItem


def ask(
    kind: str,
    *,
    shop_id: int,
    key: str,
    now: datetime,
    subject: tuple[str, int] | None = None,
    **details: Any,
) -> bool:
    """Open an item unless it is open already; tell whether it is new.

    `kind` is dotted (`payments.amount_differs`); its words stand in `web.attention_words`.
    """
    before = AttentionItem.objects.filter(shop_id=shop_id, kind=kind, key=key, settled_at=None).exists()
    AttentionItem.objects.bulk_create(
        [
            AttentionItem(
                shop_id=shop_id,
                kind=kind,
                key=key,
                subject_kind=subject[0] if subject else "",
                subject_id=subject[1] if subject else None,
                details=details,
                opened_at=now,
            )
        ],
        ignore_conflicts=True,
    )
    return not before


def ask_once(
    kind: str, *, shop_id: int, key: str, now: datetime, subject: tuple[str, int], **details: Any
) -> bool:
    """Open an item unless there ever was one for its kind and key: what a person has read is not said again."""
    if AttentionItem.objects.filter(shop_id=shop_id, kind=kind, key=key).exists():
        return False
    return ask(kind, shop_id=shop_id, key=key, now=now, subject=subject, **details)


def settle(kind: str, *, shop_id: int, key: str, now: datetime, user_id: int | None = None) -> bool:
    """Settle the open item of a kind and key; tell whether there was one."""
    return bool(
        AttentionItem.objects.filter(shop_id=shop_id, kind=kind, key=key, settled_at=None).update(
            settled_at=now, settled_by=user_id
        )
    )


def settle_before(kind: str, *, key: str, now: datetime) -> int:
    """Settle the open items of a kind of all shops whose key, a day, is before another; return how many there were."""
    return AttentionItem.objects.filter(kind=kind, key__lt=key, settled_at=None).update(settled_at=now)


def open_items(shop_id: int) -> QuerySet[AttentionItem]:
    """Return what is open in a shop, newest first."""
    return AttentionItem.objects.filter(shop_id=shop_id, settled_at=None).order_by("-id")
