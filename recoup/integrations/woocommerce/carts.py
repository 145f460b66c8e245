"""The link of WooCommerce that opens the checkout with goods in it, known from version 10 on.

It names ids and quantities alone, and no person. Options of a line that are no variant (an engraving) cannot be said in it.
"""

from collections.abc import Sequence
from urllib.parse import quote

from django.core.cache import cache

from recoup.integrations import values
from recoup.integrations.woocommerce.client import Api
from recoup.shops.coupons import CartLine
from recoup.shops.models import Source
from recoup.shops.ports import SourceRefused, SourceUnavailable

LINKS_SINCE = 10  # the version of WooCommerce that knows /checkout-link/
_SECONDS = 5.0  # a buyer waits for the page
_KNOWN_FOR, _UNKNOWN_FOR = 3600, 60  # seconds


def link(source: Source, lines: Sequence[CartLine], *, code: str = "") -> str:
    """Return the address of a checkout with these goods; nothing if the shop is older or one of them has no id.

    :param code: of a coupon that is applied there.
    """
    goods = [f"{ref}:{line.quantity:.0f}" for line in lines if (ref := _sold_as(line))]
    if not goods or len(goods) != len(lines) or _version(source) < LINKS_SINCE:
        return ""
    coupon = f"&coupon={quote(code)}" if code else ""
    return f"{source.base_url.rstrip('/')}/checkout-link/?products={','.join(goods)}{coupon}"


def _sold_as(line: CartLine) -> str:
    ref = line.variant_ref or line.product_ref
    is_known = ref.isascii() and ref.isdecimal() and int(ref) > 0
    is_whole = line.quantity == line.quantity.to_integral_value() and line.quantity > 0
    return ref if is_known and is_whole else ""


def _version(source: Source) -> int:
    """Return the major version of the shop's WooCommerce, asked once an hour at most; 0 if it does not say."""
    key = f"woocommerce-version:{source.pk}"
    known = cache.get(key)
    if isinstance(known, int):
        return known
    version = _ask_version(source)
    cache.set(key, version, _KNOWN_FOR if version else _UNKNOWN_FOR)
    return version


def _ask_version(source: Source) -> int:
    """Ask the shop for its version; what goes wrong makes no difference, for nothing waits for that."""
    try:
        with Api(source, seconds=_SECONDS) as api:
            told = api.get("system_status", _fields="environment").body
    except (LookupError, SourceRefused, SourceUnavailable):
        return 0
    text = str(values.members(values.members(told).get("environment")).get("version") or "")
    major = text.partition(".")[0]
    return int(major) if major.isascii() and major.isdecimal() else 0
