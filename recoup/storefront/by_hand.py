"""A link that somebody of the shop hands to the buyer themselves, on the phone or at the counter; no message carries it.

It is a link as those of messages: of the same purpose and life, and its page masks the same. Each order has one while that
is valid. Nothing counts it as a message; who comes by it comes straight (`messaging.tracking`).
"""

from datetime import datetime

from django.db import transaction

from recoup.core import activity, links
from recoup.core.activity import Actor
from recoup.core.links import LinkOrder, Retold
from recoup.orders.models import Order
from recoup.payments.sessions import why_not_payable
from recoup.shops.snapshots import ShopState
from recoup.storefront.purposes import PAY
from recoup.storefront.standing import has_paid_instead


class LinkRefused(Exception):
    """No link was made; `reason` is a code of `why_no_pay_link`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def why_no_pay_link(order: Order) -> str:
    """Return why nobody is to be led to the payment of an order now, as a code, or "" if they may be.

    The codes of `why_not_payable`, `superseded` also for an order whose buyer has paid another one for the same, and
    `unsure` for one of which the source says something that we do not know.
    """
    if reason := why_not_payable(order):
        is_dropped = order.superseded_by_id is not None and reason == Order.Status.CANCELLED
        return "superseded" if is_dropped else reason
    if order.shop_state == ShopState.UNKNOWN:
        return "unsure"
    return "superseded" if has_paid_instead(order) else ""


def make_pay_link(order: Order, *, actor: Actor, now: datetime) -> Retold:
    """Return the link to pay an order that is handed to its buyer, the valid one if there is one; a line says who made it.

    :raises LinkRefused: if the order is not to be paid, or nobody is sure of it.
    """
    with transaction.atomic():
        order = Order.objects.select_for_update(no_key=True).get(pk=order.pk)
        if reason := why_no_pay_link(order):
            raise LinkRefused(reason)
        link, is_new = links.mint_once(_wish(order), now=now)
        if is_new:
            activity.record(
                "storefront.order.pay_link_made",
                shop_id=order.shop_id,
                subject=("order", order.pk),
                at=now,
                actor=actor,
                until=link.expires_at.isoformat(),
            )
    return link


def find_pay_link(order: Order, *, now: datetime) -> Retold | None:
    """Return the valid link that was made for an order, while it may be handed on; reads only."""
    link = links.find_minted_once(_wish(order), now=now)
    return link if link is not None and not why_no_pay_link(order) else None


def pay_address(link: Retold) -> str:
    """Return the full address of a link to pay."""
    return links.address(PAY, link.token)


def _wish(order: Order) -> LinkOrder:
    return LinkOrder(PAY, order.shop_id, "order", order.pk, order.contact_id)
