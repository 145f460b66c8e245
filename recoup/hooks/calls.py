"""A checked call, in the words of the inbox."""

from datetime import datetime

from django.http import HttpRequest

from recoup.core import attention, inbox
from recoup.core.clock import trade_now
from recoup.hooks.known import Known
from recoup.shops.ports import Peek

# What adapters read of a call; everything else is neither handed on nor kept. By name, because the environment that a
# server hands in is long.
_HEADERS = (
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "x-wc-webhook-source",
    "x-wc-webhook-topic",
    "x-wc-webhook-resource",
    "x-wc-webhook-event",
    "x-wc-webhook-signature",
    "x-wc-webhook-id",
    "x-wc-webhook-delivery-id",
)
_NAMES = tuple((name, "HTTP_" + name.upper().replace("-", "_")) for name in _HEADERS)


def call_headers(request: HttpRequest) -> dict[str, str]:
    """Return the headers that an adapter may need, by their lower-case names."""
    told = request.META
    found = {"content-type": told.get("CONTENT_TYPE", "")}
    for name, key in _NAMES:
        if key in told:
            found[name] = told[key]
    return found


def call_of(
    known: Known, raw: bytes, headers: dict[str, str], peek: Peek, *, received_at: datetime | None = None
) -> inbox.Call:
    """Return what is kept of a checked call."""
    return inbox.Call(
        shop_id=known.source.shop_id,
        source_kind=inbox.SHOP,
        source_id=known.source.pk,
        event_id=peek.event_id,
        raw=raw,
        topic=peek.topic,
        headers=headers,
        subject_kind=peek.subject_kind,
        subject_refs=peek.subject_refs,
        peek_failed=peek.failed,
        received_at=received_at,
    )


def flag_conflict(known: Known, kept: inbox.Kept) -> None:
    """Tell a person that a source used one id for two bodies; the first counts (T7)."""
    attention.ask(
        "hooks.same_id_other_body",
        shop_id=known.source.shop_id,
        key=str(known.source.pk),
        now=trade_now(),
        subject=("inbox", kept.item_id),
        source=known.source.name,
    )
