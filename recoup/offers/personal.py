"""An offer to a person, for whatever they order next: held against the floor by what is known before they order (K6, K7)."""

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from django.db.models import F

from recoup.catalog.models import Product
from recoup.customers.models import Contact
from recoup.offers.cart_codes import general_terms
from recoup.offers.models import OfferSettings
from recoup.offers.origins import makers_of
from recoup.offers.pricing import Basket, Gift, Line, Refusal, coin, is_guessed, quote
from recoup.offers.reasons import Reason
from recoup.offers.settings import rules_of, tax_share
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Order
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.models import Shop, Source

_SAMPLE = Decimal(100)
_ORDERS_LOOKED_AT = 100
_ZERO = Decimal(0)


def why_not_for_person(
    shop: Shop, contact_id: int | None, terms: Terms, settings: OfferSettings
) -> tuple[str, bool]:
    """Return why nobody may be promised this before they order, or nothing, and whether costs were guessed.

    Each chosen product must carry it alone; without any, the shop's share of the price is what goods cost. What is ordered
    then is held against the floor again when it is paid. Where only a shop can take it off, it must be one that a code can
    be bound to there. Without a person it is asked of anybody.
    """
    if contact_id is not None and (reason := _why_not_at_all(shop, contact_id)):
        return reason, False
    if not can_apply(shop):
        found = look_at_shops(shop, contact_id, terms, settings)
        return found.reason, found.is_guessed and not found.reason
    if terms.kind is Kind.GIFT and gift_for(shop, terms) is None and not terms.percent:
        return Reason.NOTHING, False
    if terms.kind in {Kind.DELIVERY, Kind.GIFT}:
        return "", False
    rules, baskets = rules_of(shop, settings, shop.currency), baskets_for(shop, terms)
    parts = [quote(basket, [terms], rules).parts[0] for basket in baskets]
    refusals = [part.refusal or (Refusal.FLOOR if part.is_cut else None) for part in parts]
    reason = next((Reason(str(one)) for one in refusals if one is not None), "")
    return reason, not reason and any(is_guessed(basket, rules) for basket in baskets)


def _why_not_at_all(shop: Shop, contact_id: int) -> str:
    person = Contact.objects.filter(pk=contact_id, shop=shop).first()
    if person is None:
        return Reason.SUBJECT_OVER
    return Reason.ERASED if person.erased_at is not None else ""


@dataclass(frozen=True, slots=True)
class AtShop:
    """The code of a person at a shop that takes the payment itself: where it is made, how it is bound, or why it is not."""

    reason: str = ""
    maker: Source | None = None
    basket: Basket | None = None
    least_goods: Decimal | None = None
    is_guessed: bool = False


def look_at_shops(shop: Shop, contact_id: int | None, terms: Terms, settings: OfferSettings) -> AtShop:
    """Return how a shop may take an offer to a person off whatever they order there next; reads only.

    Nobody sees the order before it is placed. So the goods of the shop that earn least of their price must carry the offer,
    with the dearest delivery of late; a least sum of goods earns what every order costs. What is not in the catalogue is
    taken to cost the share that the shop set.
    """
    maker = _maker_for(shop, contact_id)
    if maker is None or terms.kind not in {Kind.PERCENT, Kind.AMOUNT}:
        return AtShop(Reason.ORIGIN)
    if contact_id is not None and not Contact.objects.filter(pk=contact_id).exclude(email="").exists():
        return AtShop(Reason.NO_EMAIL)
    rules = rules_of(shop, settings, shop.currency)
    line = _line_that_earns_least(maker, terms, settings)
    if line is None:
        return AtShop(Reason.NO_COST)
    delivery = _dearest_delivery(maker)
    total = line.total + delivery
    tax = total * tax_share(shop, shop.currency)
    basket = Basket(shop.currency, total, (line,), delivery=delivery, tax=tax)
    found = general_terms(basket, replace(terms, products=()), rules)
    if found.refusal is not None:
        return AtShop(Reason(str(found.refusal)))
    return AtShop("", maker, basket, found.least_goods, is_guessed(basket, rules))


def _maker_for(shop: Shop, contact_id: int | None) -> Source | None:
    """Return the source at which the code of a person is made: where they ordered last, else the first."""
    makers = makers_of(shop.pk)
    if contact_id is None or len(makers) < 2:
        return makers[0] if makers else None
    orders = Order.objects.filter(shop=shop, contact_id=contact_id, source__in=makers)
    last = orders.order_by("-placed_at", "-id").values_list("source_id", flat=True).first()
    return next((one for one in makers if one.pk == last), makers[0] if makers else None)


def _line_that_earns_least(maker: Source, terms: Terms, settings: OfferSettings) -> Line | None:
    """Return the goods of a shop that cost it most of their price; `None` if what some cost is not known."""
    share = settings.default_cost
    rows = Product.objects.filter(
        shop=maker.shop_id, source=maker, currency=maker.shop.currency, price__gt=0, is_deleted=False
    )
    if terms.products:
        rows = rows.filter(ref__in=terms.products)
    lines = [] if share is None or terms.products else [Line("", _SAMPLE)]
    known = rows.filter(cost__isnull=False).annotate(ratio=F("cost") / F("price"))
    dearest = known.order_by("-ratio", "id").first()
    if dearest is not None:
        lines.append(Line("", dearest.price or _SAMPLE, dearest.cost))
    if rows.filter(cost__isnull=True).exists():
        if share is None:
            return None
        lines.append(Line("", _SAMPLE))
    costs = {line: (line.cost if line.cost is not None else _SAMPLE * (share or 0) / 100) for line in lines}
    return max(lines, key=lambda line: costs[line] / line.total, default=None)


def _dearest_delivery(maker: Source) -> Decimal:
    """Return the dearest delivery of the newest orders of a shop."""
    newest = Order.objects.filter(shop=maker.shop_id, source=maker, currency=maker.shop.currency)
    told = newest.order_by("-placed_at", "-id").values_list("shipping_total", flat=True)[:_ORDERS_LOOKED_AT]
    return max((one for one in told if one is not None), default=Decimal(0))


def expected_cost(shop: Shop, contact_id: int | None, terms: Terms, settings: OfferSettings) -> Decimal:
    """Return what a budget sets aside for an offer to a person, of which nobody knows yet what it will be used for.

    An amount costs itself, a gift what it costs the shop. A share is one of what orders of late came to on average, the
    person's own or all, whichever is more; a delivery is the dearest of those. What a use really costs is counted then.
    """
    if terms.kind is Kind.AMOUNT:
        return terms.amount
    gift = gift_for(shop, terms) if terms.kind is Kind.GIFT else None
    if gift is not None:
        return gift.cost if gift.cost is not None else gift.price * (settings.default_cost or 0) / 100
    newest = Order.objects.filter(shop=shop, currency=shop.currency, is_test=False).order_by(
        "-placed_at", "-id"
    )
    groups = [newest, newest.filter(contact_id=contact_id)] if contact_id is not None else [newest]
    told = [list(one.values_list("total", "shipping_total")[:_ORDERS_LOOKED_AT]) for one in groups]
    if terms.kind is Kind.DELIVERY:
        return max((delivery or _ZERO for group in told for _total, delivery in group), default=_ZERO)
    means = [
        sum((total - (delivery or _ZERO) for total, delivery in one), _ZERO) / len(one) for one in told if one
    ]
    goods = max([*means, terms.min_sum or _ZERO])
    return (goods * terms.percent / 100).quantize(coin(shop.currency), ROUND_CEILING)


def can_apply(shop: Shop) -> bool:
    """Tell whether any order of a shop may be paid at our page, where an offer to a person is taken off."""
    kinds = Source.objects.filter(shop=shop).values_list("kind", flat=True).distinct()
    return any(not _pays_itself(kind) for kind in kinds)


def _pays_itself(kind: str) -> bool:
    try:
        return platform(kind).capabilities.pays_itself
    except PlatformUnknown:
        return False


def baskets_for(shop: Shop, terms: Terms) -> list[Basket]:
    """Return each chosen product alone as it is sold; goods for a round sum where a share is promised of anything."""
    if terms.products:
        rows = Product.objects.filter(
            shop=shop, ref__in=terms.products, currency=shop.currency, price__gt=0, is_deleted=False
        )
        share = tax_share(shop, shop.currency)
        return [
            _basket(one, one.price or Decimal(0), share) for one in rows.order_by("name", "variant_ref", "id")
        ]
    if terms.kind is Kind.PERCENT:
        return [Basket(shop.currency, _SAMPLE, tax=_SAMPLE * tax_share(shop, shop.currency))]
    return []  # a sum off an order that nobody knows yet: the floor holds when it is paid


def _basket(product: Product, price: Decimal, tax: Decimal) -> Basket:
    return Basket(product.currency, price, (Line(product.ref, price, product.cost),), tax=price * tax)


def gift_for(shop: Shop, terms: Terms) -> Gift | None:
    """Return the gift if there is one left to give."""
    rows = Product.objects.filter(
        shop=shop, ref=terms.gift, currency=shop.currency, is_available=True, is_deleted=False
    ).exclude(stock__lte=0)
    found = rows.order_by("variant_ref", "id").first()
    return None if found is None else Gift(found.ref, found.name, found.price or Decimal(0), found.cost)
