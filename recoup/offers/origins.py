"""Whether an offer can be applied to an order or cart at all (D5)."""

from enum import StrEnum

from recoup.offers.terms import Terms
from recoup.orders.models import Cart, Order
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.addresses import is_own_address
from recoup.shops.models import Source
from recoup.shops.ports import Capabilities


class Origin(StrEnum):
    """Who takes the discount off. Other shops cannot yet: whoever would get one there goes on without it."""

    OURS = "ours"  # our own pay page
    NONE = "none"


def origin_of(subject: Order | Cart, _terms: Terms) -> Origin:
    """Return who can apply an offer to an order or cart: nobody where the shop itself takes the payment."""
    if _capabilities(subject.source).pays_itself or _is_followed(subject):
        return Origin.NONE
    return Origin.OURS


def _is_followed(subject: Order | Cart) -> bool:
    """Tell whether the buyer is sent to the shop itself to pay."""
    if isinstance(subject, Order):
        return bool(subject.pay_url)
    return is_own_address(subject.source, subject.url)


def _capabilities(source: Source) -> Capabilities:
    try:
        return platform(source.kind).capabilities
    except PlatformUnknown:
        return Capabilities()
