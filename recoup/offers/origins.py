"""Who applies an offer to an order or cart: our own pay page, the shop that takes the payment, or nobody (D5)."""

from collections.abc import Sequence
from enum import StrEnum

from recoup.offers.terms import Terms
from recoup.orders.models import Cart, Order
from recoup.shops.adapters import PlatformUnknown, kinds, platform
from recoup.shops.addresses import is_own_address
from recoup.shops.models import Source
from recoup.shops.ports import Capabilities


class Origin(StrEnum):
    """Who takes the discount off."""

    OURS = "ours"  # our own pay page
    SHOP = "shop"  # the shop itself, by a coupon that we have it make
    NONE = "none"


def origin_of(subject: Order | Cart, _terms: Terms, *, makers: Sequence[Source] | None = None) -> Origin:
    """Return who can apply an offer to an order or cart. `makers` are those of its shop, where many are asked about."""
    if not (_capabilities(subject.source.kind).pays_itself or _is_followed(subject)):
        return Origin.OURS
    return Origin.NONE if maker_of(subject, makers=makers) is None else Origin.SHOP


def maker_of(subject: Order | Cart, *, makers: Sequence[Source] | None = None) -> Source | None:
    """Return the source at which a coupon for an order or cart can be made, or `None`.

    Carts of a shop may be told by a plugin of their own; their coupons are made by the keys of the same shop then.
    """
    if _makes_coupons(subject.source):
        return subject.source
    if isinstance(subject, Order) or not subject.url:
        return None
    found = makers_of(subject.shop_id) if makers is None else makers
    return next((one for one in found if is_own_address(one, subject.url)), None)


def makers_of(shop_id: int) -> list[Source]:
    """Return the sources of a shop that make coupons."""
    able = [kind for kind in kinds() if _capabilities(kind).coupons]
    found = Source.objects.filter(shop_id=shop_id, kind__in=able).select_related("shop").order_by("id")
    return [one for one in found if _makes_coupons(one)]


def _makes_coupons(source: Source) -> bool:
    """Tell whether a source makes coupons: it can, has its keys, and is not paused."""
    is_at_work = source.state != Source.State.PAUSED and bool(source.credentials)
    return is_at_work and _capabilities(source.kind).coupons


def _is_followed(subject: Order | Cart) -> bool:
    """Tell whether the buyer is sent to the shop itself to pay."""
    if isinstance(subject, Order):
        return bool(subject.pay_url)
    return is_own_address(subject.source, subject.url)


def _capabilities(kind: str) -> Capabilities:
    try:
        return platform(kind).capabilities
    except PlatformUnknown:
        return Capabilities()
