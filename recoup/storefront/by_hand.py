"""A link that somebody of the shop hands to the buyer themselves, on the phone or at the counter; no message carries it.

It is a link as those of messages: of the same purpose and life, and its page masks the same. Each order and cart has one
while that is valid. Nothing counts it as a message; who comes by it comes straight (`messaging.tracking`).
"""

from datetime import datetime

from django.db import transaction

from recoup.core import activity, links
from recoup.core.activity import Actor
from recoup.core.links import LinkOrder, Retold
from recoup.orders.models import Cart, Order
from recoup.payments.sessions import why_not_payable
from recoup.shops.snapshots import ShopState
from recoup.storefront.purposes import CART, PAY
from recoup.storefront.standing import has_paid_instead


class LinkRefused(Exception):
    """No link was made; `reason` is a code of `why_no_pay_link` or `why_no_cart_link`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def why_no_pay_link(order: Order) -> str:
    """Return why nobody is to be led to the payment of an order now, as a code, or "" if they may be.

    The codes of `why_not_payable`, `superseded` also for an order whose buyer has paid another one for the same, `unsure`
    for one of which the source says something that we do not know, and `nobody` for one whose buyer was erased.
    """
    if reason := why_not_payable(order):
        is_dropped = order.superseded_by_id is not None and reason == Order.Status.CANCELLED
        return "superseded" if is_dropped else reason
    if order.shop_state == ShopState.UNKNOWN:
        return "unsure"
    if order.contact is not None and order.contact.erased_at is not None:
        return "nobody"
    return "superseded" if has_paid_instead(order) else ""


def why_no_cart_link(cart: Cart) -> str:
    """Return why nobody is to be led to a cart now, as a code, or "" if they may be: its state, `emptied` or `nobody`."""
    if cart.state not in {Cart.State.OPEN, Cart.State.ABANDONED}:
        return str(cart.state)
    if not cart.lines:
        return str(Cart.State.EMPTIED)
    return "nobody" if cart.contact is None or cart.contact.erased_at is not None else ""


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


def make_cart_link(cart: Cart, *, actor: Actor, now: datetime) -> Retold:
    """Return the link to a filled cart that is handed to its buyer, the valid one if there is one; a line says who made it.

    :raises LinkRefused: if it is no cart any more, or nobody's.
    """
    with transaction.atomic():
        cart = Cart.objects.select_for_update(no_key=True).get(pk=cart.pk)
        if reason := why_no_cart_link(cart):
            raise LinkRefused(reason)
        link, is_new = links.mint_once(_wish(cart), now=now)
        if is_new and cart.contact_id is not None:
            activity.record(
                "storefront.cart.link_made",
                shop_id=cart.shop_id,
                subject=("contact", cart.contact_id),
                at=now,
                actor=actor,
                cart=cart.pk,
                until=link.expires_at.isoformat(),
            )
    return link


def find_cart_link(cart: Cart, *, now: datetime) -> Retold | None:
    """Return the valid link that was made for a cart, while it may be handed on; reads only."""
    link = links.find_minted_once(_wish(cart), now=now)
    return link if link is not None and not why_no_cart_link(cart) else None


def find_pay_link(order: Order, *, now: datetime) -> Retold | None:
    """Return the valid link that was made for an order, while it may be handed on; reads only."""
    link = links.find_minted_once(_wish(order), now=now)
    return link if link is not None and not why_no_pay_link(order) else None


def pay_address(link: Retold) -> str:
    """Return the full address of a link to pay."""
    return links.address(PAY, link.token)


def cart_address(link: Retold) -> str:
    """Return the full address of a link to a filled cart."""
    return links.address(CART, link.token)


def _wish(subject: Order | Cart) -> LinkOrder:
    purpose, kind = (PAY, "order") if isinstance(subject, Order) else (CART, "cart")
    return LinkOrder(purpose, subject.shop_id, kind, subject.pk, subject.contact_id)
