"""What a person must look at about coupons in shops."""

from datetime import datetime
from decimal import Decimal

from recoup.core import attention
from recoup.core.clock import trade_now
from recoup.core.money import Money
from recoup.offers.codes import shown
from recoup.offers.models import Offer
from recoup.orders.models import Order
from recoup.shops.models import Source

STAYS, ON_HOLD, DIFFERS = "offers.coupon_stays", "offers.coupon_on_hold", "offers.sum_differs"


def tell_kept(offer: Offer, order: Order) -> None:
    """Tell that an order which waits for a transfer keeps the coupon of an offer that has ended."""
    attention.ask(
        ON_HOLD,
        shop_id=offer.shop_id,
        key=f"{offer.pk}:{order.pk}",
        now=trade_now(),
        subject=("order", order.pk),
        number=order.number,
        code=shown(offer.code),
    )


def tell_stays(offer: Offer) -> None:
    """Ask a person to take a coupon away that we cannot."""
    attention.ask(
        STAYS,
        shop_id=offer.shop_id,
        key=str(offer.pk),
        now=trade_now(),
        subject=("order", offer.order_id) if offer.order_id else ("contact", offer.contact_id),
        code=shown(offer.code),
    )


def tell_difference(offer: Offer, *, ours: Decimal, theirs: Decimal, now: datetime) -> None:
    """Tell that a shop comes to another sum than was promised."""
    assert offer.order is not None
    language = offer.shop.locale
    attention.ask(
        DIFFERS,
        shop_id=offer.shop_id,
        key=str(offer.pk),
        now=now,
        subject=("order", offer.order_id or 0),
        number=offer.order.number,
        ours=Money(ours, offer.currency).text(language),
        theirs=Money(theirs, offer.currency).text(language),
    )


def tell_broken(source: Source, trouble: str) -> None:
    """Tell that a source cannot be asked until somebody looks at its settings."""
    attention.ask(
        "shops.source_broken",
        shop_id=source.shop_id,
        key=str(source.pk),
        now=trade_now(),
        subject=("source", source.pk),
        source=source.name,
        trouble=trouble,
    )
