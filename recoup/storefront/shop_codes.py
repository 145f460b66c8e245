"""The code of an offer for a cart that the shop itself takes further: applied by its link, or typed at its checkout (K5)."""

from dataclasses import dataclass

from recoup.offers.codes import shown
from recoup.offers.coupons import find_code_for
from recoup.orders.models import Cart
from recoup.shops.addresses import is_own_address
from recoup.storefront.buying import NextStep, Step
from recoup.storefront.price import ends_words, is_personal, offer_words
from recoup.storefront.visits import Visit


@dataclass(frozen=True, slots=True)
class ShopCode:
    """A code as the filled cart shows it. `url` is the shop's checkout with goods and code; empty if it has to be typed."""

    code: str
    words: str
    ends: str
    url: str = ""


def code_for(visit: Visit, step: NextStep) -> ShopCode | None:
    """Return the code of the person whom the link was made for, where the shop takes the cart further; reads only."""
    cart = visit.subject
    if step.step is not Step.FOLLOW or not isinstance(cart, Cart) or not is_personal(visit):
        return None
    offer = find_code_for(cart, now=visit.now)
    if offer is None or offer.maker is None:
        return None
    is_linked = is_own_address(offer.maker, offer.remote_url)
    return ShopCode(
        code=shown(offer.code),
        words=offer_words(offer, cart.currency),
        ends=ends_words(visit, offer.valid_until),
        url=offer.remote_url if is_linked else "",
    )
