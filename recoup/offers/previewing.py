"""What an offer would leave, before anybody gets it: margin of each product, and of the orders that wait now (K7)."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from recoup.catalog.models import Product
from recoup.core.money import Money
from recoup.offers.baskets import baskets_of, gift_of
from recoup.offers.models import OfferSettings
from recoup.offers.pricing import Basket, Gift, Line, Part, Refusal, Rules, margin_at, quote
from recoup.offers.settings import get_settings, rules_of
from recoup.offers.terms import Terms
from recoup.orders.models import Order
from recoup.orders.queries import OPEN_STATUSES, OWED_STATES
from recoup.shops.models import Shop

MOST_PRODUCTS, MOST_ORDERS = 8, 100


@dataclass(frozen=True, slots=True)
class Left:
    """One product before and after: prices and margins; a refusal instead of what would be after."""

    name: str
    before: Money
    after: Money | None
    margin_before: Decimal | None
    margin_after: Decimal | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What an offer would leave: of products, and of orders that wait for their payment now."""

    floor: Decimal
    products: tuple[Left, ...]
    orders: int
    granted: int
    cost: Money
    lowest_margin: Decimal | None
    refusals: dict[Refusal, int]
    cost_is_unknown: bool


def reckon(shop: Shop, terms: Terms, *, currency: str, products: Collection[str] = ()) -> Reckoning:
    """Return what an offer would leave by the settings of today; reads only."""
    settings = get_settings(shop)
    rules = rules_of(shop, settings, currency)
    rows = _product_rows(shop, products or (), currency)
    lefts = tuple(_of_product(product, terms, rules) for product in rows)
    return _of_orders(shop, terms, settings, rules, currency, lefts)


def _product_rows(shop: Shop, refs: Collection[str], currency: str) -> list[Product]:
    found = Product.objects.filter(shop=shop, ref__in=list(refs), currency=currency, price__gt=0)
    return list(found.order_by("name", "variant_ref", "id")[:MOST_PRODUCTS])


def _of_product(product: Product, terms: Terms, rules: Rules) -> Left:
    price = product.price or Decimal(0)
    basket = Basket(product.currency, price, (Line(product.ref, price, product.cost),))
    gift = Gift(terms.gift, terms.gift, Decimal(0), Decimal(0)) if terms.gift else None
    found = quote(basket, [terms], rules, gifts=[gift])
    part = found.parts[0]
    refusal = part.refusal or (Refusal.FLOOR if part.is_cut else None)
    before, after = margin_at(basket, rules, price), margin_at(basket, rules, found.after)
    return Left(
        product.name,
        Money(price, product.currency),
        None if refusal else Money(found.after, product.currency),
        before.share if before else None,
        after.share if after and not refusal else None,
        refusal,
    )


def _of_orders(
    shop: Shop, terms: Terms, settings: OfferSettings, rules: Rules, currency: str, lefts: tuple[Left, ...]
) -> Reckoning:
    orders = list(
        Order.objects.filter(
            shop=shop,
            currency=currency,
            payment_state__in=OWED_STATES,
            status__in=OPEN_STATUSES,
            is_backfill=False,
            is_test=False,
        )
        .select_related("source")
        .order_by("-placed_at", "-id")[:MOST_ORDERS]
    )
    cost, granted, lowest = Decimal(0), 0, None
    refusals: dict[Refusal, int] = {}
    for order, basket in zip(orders, baskets_of(orders) if orders else [], strict=True):
        found = quote(basket, [terms], rules, gifts=[gift_of(order, terms)])
        part = found.parts[0]
        refusal = _refusal(part)
        if refusal is not None:
            refusals[refusal] = refusals.get(refusal, 0) + 1
            continue
        granted, cost = granted + 1, cost + part.cost
        gifts = part.cost if part.gift is not None else Decimal(0)
        margin = margin_at(basket, rules, found.after, gifts=gifts)
        if margin is not None and margin.share is not None:
            lowest = margin.share if lowest is None else min(lowest, margin.share)
    return Reckoning(
        floor=settings.floor,
        products=lefts,
        orders=len(orders),
        granted=granted,
        cost=Money(cost, currency),
        lowest_margin=lowest,
        refusals=refusals,
        cost_is_unknown=settings.default_cost is None,
    )


def _refusal(part: Part) -> Refusal | None:
    return part.refusal or (Refusal.FLOOR if part.is_cut else None)
