"""Coupons of offers that have ended: taken off the orders that bear them, deleted in the shop, or told to a person."""

from collections.abc import Callable
from datetime import datetime

from recoup.core.clock import trade_now
from recoup.offers.codes import folded, shown
from recoup.offers.models import Offer, Redemption
from recoup.offers.telling import tell_kept
from recoup.offers.wishing import reference_of
from recoup.orders.models import Order
from recoup.shops.models import Source
from recoup.shops.ports import ShopPlatform
from recoup.shops.snapshots import OrderSnapshot

Tell = Callable[[Source, OrderSnapshot, datetime], None]


def clear(offer: Offer, maker: Source, adapter: ShopPlatform, tell: Tell) -> None:
    """Take the coupon of an offer that has ended off its order, so that this costs what it did, and delete it.

    An order that was paid with it keeps it; recording what the shop tells of it counts the use.
    """
    code = shown(offer.code)
    if offer.state != Offer.State.REDEEMED:
        for order in _bearers(offer):
            told, now = adapter.take_off_coupon(maker, order.ref, code), trade_now()
            if told is not None:
                tell(maker, told, now)
            if told is None or not any(folded(one.code) == offer.code for one in told.coupons):
                unpaid = Redemption.objects.filter(offer=offer, order=order, freed_at=None, paid_at=None)
                unpaid.update(freed_at=now)
    adapter.remove_coupon(maker, code, reference_of(offer))


def _bearers(offer: Offer) -> list[Order]:
    """Return the order that the coupon of an offer was put on, or those for which its code was typed.

    Who pays a typed order by transfer may have sent the money for it already: that one is left, and a person told.
    """
    if offer.order is not None:
        return [offer.order]
    # At our page an offer to a person is used without a coupon: the payment there, or its end, frees it.
    held = Redemption.objects.filter(
        offer=offer, order__source=offer.maker_id, freed_at=None, paid_at=None
    ).select_related("order")
    orders = [use.order for use in held.order_by("pk")]
    for order in orders:
        if order.payment_state == Order.PaymentState.ON_HOLD:
            tell_kept(offer, order)
    return [order for order in orders if order.payment_state != Order.PaymentState.ON_HOLD]
