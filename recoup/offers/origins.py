"""Whether an offer can be applied to an order or cart at all, and by whom (D5)."""

from enum import StrEnum

from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.addresses import is_own_address
from recoup.shops.models import Source
from recoup.shops.ports import Capabilities


class Origin(StrEnum):
    """Who takes the discount off."""

    OURS = "ours"  # our own pay page
    SHOP_COUPON = "shop_coupon"  # the shop, by a coupon that we make there
    SHOP_CODE = "shop_code"  # the shop, which takes our code with the link to its cart
    NONE = "none"


def origin_of(subject: Order | Cart, terms: Terms) -> Origin:
    """Return who can apply an offer to an order or cart; nobody can where a shop takes the payment and knows no coupons."""
    source = subject.source
    abilities = _capabilities(source)
    if not abilities.pays_itself and not _is_followed(subject):
        return Origin.OURS
    if terms.kind is Kind.GIFT:
        return Origin.NONE
    if abilities.makes_coupons and source.credentials:
        return Origin.SHOP_COUPON
    if isinstance(subject, Cart) and takes_codes(source):
        return Origin.SHOP_CODE
    return Origin.NONE


def _is_followed(subject: Order | Cart) -> bool:
    """Tell whether the buyer is sent to the shop itself to pay."""
    if isinstance(subject, Order):
        return bool(subject.pay_url)
    return is_own_address(subject.source, subject.url)


def takes_codes(source: Source) -> bool:
    """Tell whether a shop said that its cart takes our codes, by the parameter that it named."""
    return bool(code_parameter(source))


def code_parameter(source: Source) -> str:
    """Return the name of the parameter by which a shop's cart takes a code, or nothing."""
    return str(source.options.get("code_parameter") or "")


def _capabilities(source: Source) -> Capabilities:
    try:
        return platform(source.kind).capabilities
    except PlatformUnknown:
        return Capabilities()
