"""What offers do about news. Each handler takes a batch, reads the present facts and writes in its transaction."""

from collections.abc import Sequence
from typing import Protocol

from django.db.models import F

from recoup.core.clock import trade_now
from recoup.offers.coupons import hold_coupons
from recoup.offers.ending import end_offers
from recoup.offers.events import OfferGranted
from recoup.offers.granting import is_open
from recoup.offers.models import Offer
from recoup.offers.reasons import Reason
from recoup.offers.redeeming import confirm_paid, free_unpaid, hold_offers, made_for
from recoup.orders.became import find_order_of
from recoup.orders.events import CartChanged, OrderCancelled, OrderChanged, OrderPlaced
from recoup.orders.models import Order


def look_again(batch: Sequence[OfferGranted]) -> None:
    """Withdraw what was granted at the very moment at which its buyer paid in full (K3)."""
    offers = Offer.objects.filter(pk__in=[news.offer_id for news in batch]).select_related("order", "cart")
    over = [offer.pk for offer in offers if not offer.is_for_person and _is_over(offer)]
    end_offers(over, Offer.State.VOID, Reason.PAID_FULL, now=trade_now())


def _is_over(offer: Offer) -> bool:
    subject = offer.order or offer.cart
    return subject is None or (not is_open(subject) and not _became_open_order(offer))


def _became_open_order(offer: Offer) -> bool:
    """Tell whether the cart of an offer became an order that is still to be paid."""
    order = find_order_of(offer.cart) if offer.cart is not None else None
    return order is not None and order.contact_id == offer.contact_id and is_open(order)


def follow_coupons(batch: Sequence[OrderPlaced | OrderChanged]) -> None:
    """Hold the offers whose coupons unpaid orders bear."""
    now = trade_now()
    ids = [news.order_id for news in batch]
    orders = list(Order.objects.filter(pk__in=ids, is_backfill=False).exclude(coupons=[]).order_by("pk"))
    if orders:
        hold_offers([order.pk for order in orders])
    for order in orders:
        if is_open(order):
            hold_coupons(order, now=now)


def follow_carts(batch: Sequence[CartChanged]) -> None:
    """Withdraw the offers made for carts that are in another currency now: what they promise is in the old one."""
    in_force = (Offer.State.ASKED, Offer.State.GRANTED)
    offers = Offer.objects.filter(cart__in=[news.cart_id for news in batch], state__in=in_force)
    foreign = offers.exclude(currency=F("cart__currency")).values_list("pk", flat=True)
    end_offers(list(foreign), Offer.State.VOID, Reason.CURRENCY, now=trade_now())


class AboutOrder(Protocol):
    """News about an order, such as `PaymentReceived` of the sibling part."""

    @property
    def order_id(self) -> int:
        """Return the order."""


def confirm_payments(batch: Sequence[AboutOrder]) -> None:
    """Note for paid orders what they were paid with."""
    now, ids = trade_now(), [news.order_id for news in batch]
    hold_offers(ids)
    for order in Order.objects.filter(pk__in=ids).select_related("source").order_by("pk"):
        confirm_paid(order, now=now)


def follow_cancelled(batch: Sequence[OrderCancelled]) -> None:
    """Withdraw the offers made for orders that were cancelled (E11)."""
    now, ids = trade_now(), [news.order_id for news in batch]
    hold_offers(ids)
    for order in Order.objects.filter(pk__in=ids).select_related("source").order_by("pk"):
        end_offers(made_for(order), Offer.State.VOID, Reason.CANCELLED, now=now)
        free_unpaid([order.pk], now=now)
