"""What is left for an order that no link can pay: the same goods ordered again, here or at the shop (C2, C3)."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import structlog
from django.db import transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.ratelimit import is_allowed
from recoup.orders.models import Order
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.addresses import is_own_address
from recoup.shops.coupons import CartLine
from recoup.storefront.buying import Step, next_step
from recoup.storefront.filled import FilledCart, fill
from recoup.storefront.standing import Stage, Standing
from recoup.storefront.visits import Visit

log = structlog.get_logger(__name__)
NOTED_PER = timedelta(days=1)


class Where(StrEnum):
    """Where the same is ordered again."""

    HERE = "here"  # on the filled cart of the order
    SHOP = "shop"  # at the shop's own checkout, by a link that fills it


@dataclass(frozen=True, slots=True)
class Again:
    """The goods as they could be bought now, and where; nowhere, the shop has to be asked.

    `is_silent`: nobody can say at the moment, for an operator does not answer. `is_awaited`: the buyer chose a transfer or
    to pay on delivery, so ordering again would be ordering twice.
    """

    filled: FilledCart
    where: Where | None = None
    url: str = ""  # SHOP
    is_silent: bool = False
    is_awaited: bool = False

    @property
    def loses_wishes(self) -> bool:
        """Tell whether goods have particulars that are no variant, as an engraving: no link to a shop can say them."""
        if self.where is not Where.SHOP:
            return False
        return any(line.variant and not line.wanted.variant_ref for line in self.filled.lines)


def find_again(standing: Standing) -> Again | None:
    """Return how the goods of an order without a way to pay it can be ordered again; reads only, and may ask the shop.

    Never those of an order that is paid in part: what was paid counts for that very order; nor those whose payment is
    awaited by other means than a link.
    """
    if standing.stage is not Stage.NO_WAY:
        return None
    order, filled = standing.order, fill(standing.order)
    if standing.is_part_paid:
        return Again(filled)
    if order.payment_state == Order.PaymentState.ON_HOLD:
        return Again(filled, is_awaited=True)
    step = next_step(order, filled).step
    if step is Step.PLACE:
        return Again(filled, Where.HERE)
    if step is Step.NOT_NOW:
        return Again(filled, is_silent=True)
    url = _link_of(order, filled)
    return Again(filled, Where.SHOP, url) if url else Again(filled)


def _link_of(order: Order, filled: FilledCart) -> str:
    """Return the address of the shop's checkout with what can still be bought of an order; nothing if there is none."""
    try:
        adapter = platform(order.source.kind)
    except PlatformUnknown:
        return ""
    if not adapter.capabilities.fills_carts or filled.dropped:
        return ""
    lines = [
        CartLine(line.wanted.product_ref, line.wanted.variant_ref, line.quantity)
        for line in filled.lines
        if not line.is_gone
    ]
    url = adapter.cart_link(order.source, lines) if lines else ""
    return url if is_own_address(order.source, url) else ""


def log_shown(order: Order, again: Again) -> None:
    """Log that the page of an order has no way to pay it, and what it offers instead."""
    log.info(
        "storefront.pay.no_way",
        shop_id=order.shop_id,
        source_id=order.source_id,
        order_id=order.pk,
        instead="wait" if again.is_silent else str(again.where or "ask"),
    )


def note_again(visit: Visit, again: Again) -> None:
    """Log that a buyer went to order the same again; the order's history says so once a day at most."""
    order = visit.order
    log.info(
        "storefront.pay.ordered_again",
        shop_id=order.shop_id,
        source_id=order.source_id,
        order_id=order.pk,
        where=str(again.where),
    )
    with transaction.atomic():
        if is_allowed(f"order-again:{order.pk}", limit=1, per=NOTED_PER):
            activity.record(
                "storefront.order.led_to_buy_again",
                shop_id=order.shop_id,
                subject=("order", order.pk),
                at=visit.now,
                actor=Actor("buyer", order.contact_id),
                where=str(again.where),
                source_id=order.source_id,
            )
