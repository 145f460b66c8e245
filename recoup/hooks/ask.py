"""Asking a source about one order before anybody is reminded of it (F23)."""

from collections.abc import Collection
from datetime import datetime

import structlog
from django_scopes import scope, scopes_disabled

from recoup.core import attention
from recoup.core.clock import trade_now
from recoup.hooks.pages import apply_page
from recoup.orders.actions import record_deletion
from recoup.orders.models import Order
from recoup.shops.adapters import can_ask, kinds, platform
from recoup.shops.models import Source
from recoup.shops.ports import SourceRefused, SourceUnavailable
from recoup.shops.snapshots import OrderDeleted

log = structlog.get_logger(__name__)


def askable_kinds() -> Collection[str]:
    """Return the kinds of sources that can be asked for one order."""
    return [kind for kind in kinds() if can_ask(kind)]


def ask_source(order: Order, *, now: datetime | None = None) -> bool:
    """Ask the source for an order and apply what it says; `False` if that cannot be applied: it is kept, and shown.

    Runs outside a transaction: a foreign system answers when it likes. An order that the source has lost is recorded as
    deleted. A source that cannot be asked has nothing to add, which is an answer.

    :raises SourceUnavailable: :raises SourceRefused: if there is no answer.
    """
    with scopes_disabled():
        source = Source.objects.select_related("shop").get(pk=order.source_id)
    adapter = platform(source.kind)
    if not adapter.capabilities.asks:
        return True
    try:
        page = adapter.ask_page(source, order.ref)
    except (SourceUnavailable, SourceRefused) as trouble:
        log.warning("hooks.ask.failed", order_id=order.pk, source_id=source.pk, trouble=str(trouble))
        if isinstance(trouble, SourceRefused):
            _show(source, str(trouble), now or trade_now())
        raise
    now = now or trade_now()
    if page is None:
        with scope(shop=source.shop):
            record_deletion(source, OrderDeleted(order.ref, at=now, is_by_our_clock=True), now=now)
        return True
    return apply_page(source, page, now=now) == 1


def _show(source: Source, trouble: str, now: datetime) -> None:
    attention.ask(
        "shops.source_broken",
        shop_id=source.shop_id,
        key=str(source.pk),
        now=now,
        subject=("source", source.pk),
        source=source.name,
        trouble=trouble,
    )
