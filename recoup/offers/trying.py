"""A code that somebody typed: it applies, or is refused with a reason in words (K5; T70)."""

from datetime import datetime
from enum import StrEnum

from recoup.offers.baskets import basket_of, gift_of
from recoup.offers.codes import folded
from recoup.offers.models import Offer, Redemption
from recoup.offers.origins import Origin, origin_of
from recoup.offers.pricing import Refusal, quote
from recoup.offers.redeeming import terms_of
from recoup.offers.settings import get_settings, rules_of
from recoup.orders.models import Order


class Refused(StrEnum):
    """Why a code is not taken."""

    UNKNOWN = "unknown"  # none of this shop's: mistyped, made up, or another shop's
    OTHER_PERSON = "other_person"
    USED = "used"
    IN_USE = "in_use"  # in another payment that is under way
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    ELSEWHERE = "elsewhere"  # paid where the discount cannot be taken off by us
    OTHER_PRODUCT = "other_product"
    MIN_SUM = "min_sum"
    STACKING = "stacking"
    CURRENCY = "currency"
    NOT_POSSIBLE = "not_possible"


_ENDED = {
    Offer.State.REDEEMED: Refused.USED,
    Offer.State.EXPIRED: Refused.EXPIRED,
    Offer.State.VOID: Refused.WITHDRAWN,
    Offer.State.REFUSED: Refused.UNKNOWN,
    Offer.State.ASKED: Refused.UNKNOWN,
}
_MISFITS = {
    Refusal.OTHER_PRODUCT: Refused.OTHER_PRODUCT,
    Refusal.MIN_SUM: Refused.MIN_SUM,
    Refusal.COUPON: Refused.STACKING,
    Refusal.OTHER_OFFER: Refused.STACKING,
    Refusal.CURRENCY: Refused.CURRENCY,
}


def try_code(order: Order, text: str, *, now: datetime) -> Offer | Refused:
    """Return the offer of a code for an order, or why it is not taken; reads only. Codes of other shops are unknown here."""
    code = folded(text)
    offer = Offer.objects.filter(shop_id=order.shop_id, code=code).first() if code else None
    if offer is None or offer.is_test:
        return Refused.UNKNOWN
    if offer.contact_id != order.contact_id:
        return Refused.OTHER_PERSON
    return _state_refusal(offer, order, now) or _order_refusal(offer, order) or offer


def _state_refusal(offer: Offer, order: Order, now: datetime) -> Refused | None:
    if offer.state != Offer.State.GRANTED:
        return _ENDED[Offer.State(offer.state)]
    if offer.valid_until <= now:
        return Refused.EXPIRED
    taken = Redemption.objects.filter(offer=offer, freed_at=None).first()
    return Refused.IN_USE if taken is not None and taken.order_id != order.pk else None


def _order_refusal(offer: Offer, order: Order) -> Refused | None:
    terms = terms_of(offer)
    is_at_shop = (offer.maker_id is not None or offer.remote_ref) and not offer.is_for_person
    if is_at_shop or origin_of(order, terms) is not Origin.OURS:
        return Refused.ELSEWHERE
    rules = rules_of(order.shop, get_settings(order.shop), order.currency)
    refusal = quote(basket_of(order), [terms], rules, gifts=[gift_of(order, terms)]).parts[0].refusal
    return None if refusal is None else _MISFITS.get(refusal, Refused.NOT_POSSIBLE)
