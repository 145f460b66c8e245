"""From the terms of an offer to the coupon that a shop is asked for, and to what it must come to there (K7)."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils import translation
from django.utils.translation import gettext as _

from recoup.offers.baskets import basket_of, basket_of_snapshot, gift_of
from recoup.offers.codes import shown
from recoup.offers.models import Offer
from recoup.offers.pricing import Basket, Part, Quote, coin, lowest_sum, quote
from recoup.offers.reasons import Reason
from recoup.offers.settings import get_settings, rules_of
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order
from recoup.shops.coupons import CartLine, CouponKind, CouponWish
from recoup.shops.snapshots import OrderSnapshot

_ZERO = Decimal(0)
MOST_GOODS = 50  # products that a coupon for a cart names


@dataclass(frozen=True, slots=True)
class Promise:
    """What an offer comes to by our reckoning, the least that must be left, and how far a shop may differ."""

    basket: Basket
    quote: Quote
    lowest: Decimal
    slack: Decimal  # tax and shares of single lines are rounded by the shop

    @property
    def part(self) -> Part:
        """Return what the offer does."""
        return self.quote.parts[0]

    def refusal_of(self, total: Decimal, *, is_beside: bool = False) -> str:
        """Return why the sum that a shop came to cannot stand: below the floor, or not what was promised; else nothing.

        Beside another coupon a shop may reckon a share on the price before both: more for the buyer is fine then.
        """
        if total < self.lowest:
            return Reason.FLOOR
        more = self.quote.after - total
        is_other = more < -self.slack or (more > self.slack and not is_beside)
        return Reason.DIFFERS if is_other else ""


def promise_for(
    offer: Offer, terms: Terms, subject: Order | Cart, told: OrderSnapshot | None = None
) -> Promise:
    """Reckon an offer anew on an order as its shop tells it now, or on a cart; reads only."""
    basket = basket_of(subject) if told is None else basket_of_snapshot(subject.source, told)
    rules = rules_of(offer.shop, get_settings(offer.shop), subject.currency)
    found = quote(basket, [terms], rules, gifts=[gift_of(subject, terms)])
    part = found.parts[0]
    lowest = lowest_sum(basket, rules, gifts=part.cost if part.gift is not None else _ZERO)
    step = coin(subject.currency)
    return Promise(
        basket, found, basket.total if lowest is None else lowest, step * max(len(basket.lines), 1)
    )


def wish_of(offer: Offer, terms: Terms, subject: Order | Cart, promise: Promise) -> CouponWish:
    """Return the coupon for an offer: never worth more than was promised, for its person, once, until its very end."""
    kind, value = _value(terms, promise.part, is_order=isinstance(subject, Order))
    contact = offer.contact
    return CouponWish(
        code=shown(offer.code),
        reference=reference_of(offer),
        kind=kind,
        value=value,
        currency=offer.currency,
        expires_at=offer.valid_until.replace(microsecond=0),
        emails=(contact.email,) if contact.email else (),
        products=_products(terms, subject, kind),
        min_sum=None if isinstance(subject, Order) else _least(terms, promise.basket, kind),
        order_ref=subject.ref if isinstance(subject, Order) else "",
        is_alone=not terms.with_coupon,
        note=_note(offer, subject, promise.part),
    )


def reference_of(offer: Offer) -> str:
    """Return by what a coupon is known as that of an offer."""
    return f"{offer.shop_id}/{offer.pk}"


def _value(terms: Terms, part: Part, *, is_order: bool) -> tuple[CouponKind, Decimal]:
    if part.gift is not None:
        return CouponKind.NOTHING, _ZERO
    if terms.kind in (Kind.PERCENT, Kind.GIFT):  # of a gift that is sold out: what is given instead
        return CouponKind.PERCENT, terms.percent
    # A delivery is taken off the goods: a coupon changes no delivery that was chosen already.
    if is_order or terms.kind is Kind.DELIVERY:
        return CouponKind.AMOUNT, part.discount
    return (CouponKind.ONE_PIECE if terms.products else CouponKind.AMOUNT), terms.amount


def _products(terms: Terms, subject: Order | Cart, kind: CouponKind) -> tuple[str, ...]:
    """Return the goods that a coupon is for: those of the offer, else those of the cart on which its margin was reckoned."""
    if kind is CouponKind.NOTHING or terms.kind is Kind.DELIVERY:
        return ()
    if terms.products or isinstance(subject, Order):
        return terms.products
    refs = tuple(subject.product_refs)
    is_plain = all(ref.isascii() and ref.isdecimal() for ref in refs)
    return refs if is_plain and len(refs) <= MOST_GOODS else ()


def _least(terms: Terms, basket: Basket, kind: CouponKind) -> Decimal | None:
    """Return from which sum of goods on a coupon for a cart counts: a fixed sum was reckoned on the cart as it was left."""
    if terms.min_sum is not None:
        return terms.min_sum
    return basket.total - basket.delivery if kind is CouponKind.AMOUNT else None


def _note(offer: Offer, subject: Order | Cart, part: Part) -> str:
    with translation.override(offer.shop.locale):
        if part.gift is not None:
            return _("Recoup: put the gift into the parcel: %(gift)s") % {"gift": part.gift.name}
        if isinstance(subject, Order):
            return _("Recoup: a personal offer for order %(number)s") % {"number": subject.number}
        return _("Recoup: a personal offer for a cart")


def goods_of(cart: Cart) -> list[CartLine]:
    """Return the lines of a cart for a link that fills it; nothing if one of them cannot be read."""
    lines = cart.lines if isinstance(cart.lines, list) else []
    found = []
    for line in lines:
        try:
            found.append(
                CartLine(
                    str(line.get("product_ref") or ""),
                    str(line.get("variant_ref") or ""),
                    Decimal(str(line.get("quantity") or 1)),
                )
            )
        except (AttributeError, ArithmeticError):
            return []
    return found
