"""From the terms of an offer to the coupon that a shop is asked for, and to what it must come to there (K7)."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.utils import translation
from django.utils.translation import gettext as _

from recoup.offers.baskets import basket_of, basket_of_snapshot, gift_of, told_lines
from recoup.offers.cart_codes import CodeTerms, code_terms
from recoup.offers.codes import shown
from recoup.offers.models import Offer
from recoup.offers.personal import AtShop
from recoup.offers.pricing import Basket, Part, Quote, coin, lowest_sum, quote
from recoup.offers.reasons import Reason
from recoup.offers.settings import get_settings, rules_of
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order
from recoup.shops.coupons import CartLine, CouponKind, CouponWish
from recoup.shops.models import Shop
from recoup.shops.snapshots import OrderSnapshot

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Promise:
    """What an offer comes to by our reckoning, the least that must be left, and how far a shop may differ."""

    basket: Basket
    quote: Quote
    lowest: Decimal
    slack: Decimal  # tax and shares of single lines are rounded by the shop
    code: CodeTerms = field(
        default_factory=CodeTerms
    )  # of a cart, which its buyer may change before they order

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
    shop: Shop, terms: Terms, subject: Order | Cart, told: OrderSnapshot | None = None
) -> Promise:
    """Reckon an offer anew on an order as its shop tells it now, or on a cart; reads only."""
    basket = basket_of(subject) if told is None else basket_of_snapshot(subject.source, told)
    rules = rules_of(shop, get_settings(shop), subject.currency)
    found = quote(basket, [terms], rules, gifts=[gift_of(subject, terms)])
    part = found.parts[0]
    lowest = lowest_sum(basket, rules, gifts=part.cost if part.gift is not None else _ZERO)
    step = coin(subject.currency)
    return Promise(
        basket,
        found,
        basket.total if lowest is None else lowest,
        step * max(len(basket.lines), 1),
        CodeTerms() if isinstance(subject, Order) else code_terms(basket, terms, rules, part),
    )


def promise_to_person(shop: Shop, found: AtShop) -> Promise:
    """Return what an offer to a person may come to at a shop, whatever they order there."""
    assert found.basket is not None
    nothing = Quote(_ZERO, _ZERO, (Part(),), found.is_guessed)
    return Promise(found.basket, nothing, _ZERO, coin(shop.currency), CodeTerms(found.least_goods))


def wish_of(offer: Offer, terms: Terms, subject: Order | Cart | None, promise: Promise) -> CouponWish:
    """Return the coupon for an offer: never worth more than was promised, for its person, once, until its very end.

    Without a subject it is for whatever its person orders.
    """
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
        variants=_goods(terms, subject).variants if isinstance(subject, Cart) else (),
        min_sum=promise.code.least_goods,
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


def _products(terms: Terms, subject: Order | Cart | None, kind: CouponKind) -> tuple[str, ...]:
    """Return the goods that a coupon is for: those of the offer, of a cart those in it, on which its margin was reckoned."""
    if isinstance(subject, Cart):
        return _goods(terms, subject).products
    return () if kind is CouponKind.NOTHING or terms.kind is Kind.DELIVERY else terms.products


class _Goods(NamedTuple):
    """What a code is for; of what was left in a variant, that variant: others cost something else."""

    products: tuple[str, ...]
    variants: tuple[tuple[str, str], ...]
    are_known: bool


def _goods(terms: Terms, cart: Cart) -> _Goods:
    lines = [one for one in told_lines(cart) if not terms.products or one.ref in terms.products]
    products = {one.ref for one in lines if one.ref and not one.variant}
    variants = {(one.ref, one.variant) for one in lines if one.variant}
    are_known = bool(lines) and all(one.ref or one.variant for one in lines)
    return _Goods(tuple(sorted(products)), tuple(sorted(variants)), are_known)


def why_no_code(terms: Terms, cart: Cart, code: CodeTerms) -> str:
    """Return why a cart gets no code although the offer stands on it as it was left, or nothing."""
    if not _goods(terms, cart).are_known:
        return Reason.GOODS_UNKNOWN
    return "" if code.refusal is None else Reason(str(code.refusal))


def _note(offer: Offer, subject: Order | Cart | None, part: Part) -> str:
    with translation.override(offer.shop.locale):
        if part.gift is not None:
            return _("Recoup: put the gift into the parcel: %(gift)s") % {"gift": part.gift.name}
        if isinstance(subject, Order):
            return _("Recoup: a personal offer for order %(number)s") % {"number": subject.number}
        return _("Recoup: a personal offer") if subject is None else _("Recoup: a personal offer for a cart")


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
