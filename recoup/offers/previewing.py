"""What an offer would leave, before anybody gets it: margin of each product, and of the orders that wait now (K7)."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from recoup.catalog.models import Product
from recoup.core.money import Money
from recoup.offers.baskets import basket_of, baskets_of, gift_of
from recoup.offers.granting import Wish, look_ahead
from recoup.offers.models import OfferSettings
from recoup.offers.personal import gift_for, why_not_for_person
from recoup.offers.pricing import Basket, Gift, Line, Part, Refusal, Rules, margin_at, quote
from recoup.offers.settings import get_settings, rules_of, tax_share
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
    is_guessed: bool = False  # its cost is the share that the shop set


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
    guessed: int = 0  # of the orders, those reckoned with that share
    share: Decimal | None = None
    is_for_next: bool = False  # for whatever somebody orders next: reckoned on what was paid last
    reason: str = ""  # why nobody at all would be granted that


def reckon(
    shop: Shop, terms: Terms, *, currency: str, products: Collection[str] = (), is_for_next: bool = False
) -> Reckoning:
    """Return what an offer would leave by the settings of today; reads only."""
    settings = get_settings(shop)
    rules = rules_of(shop, settings, currency)
    rows = _product_rows(shop, products or (), currency)
    gift = gift_for(shop, terms) if terms.gift else None
    tax = tax_share(shop, currency)
    lefts = tuple(_of_product(product, terms, rules, gift, tax) for product in rows)
    found = _of_orders(shop, terms, settings, rules, currency, lefts, is_for_next=is_for_next)
    if not is_for_next:
        return found
    return replace(found, reason=why_not_for_person(shop, None, terms, settings)[0])


def foresee(wish: Wish, *, now: datetime) -> tuple[str, tuple[Left, ...], bool]:
    """Return what an offer by hand would leave: why it would be refused, if so, its parts, whether costs are guessed.

    About an order or cart that is one part; for a person, each chosen product. Reads only.
    """
    shop = Shop.objects.get(pk=wish.shop_id)
    settings = get_settings(shop)
    reason, subject, found = look_ahead(wish, now=now)
    if subject is None:
        rules = rules_of(shop, settings, shop.currency)
        rows = _product_rows(shop, wish.terms.products, shop.currency)
        gift = gift_for(shop, wish.terms) if wish.terms.gift else None
        tax = tax_share(shop, shop.currency)
        lefts = tuple(_of_product(product, wish.terms, rules, gift, tax) for product in rows)
        return reason, lefts, any(left.is_guessed for left in lefts) or bool(found and found.is_guessed)
    if found is None:
        return reason, (), False
    rules, basket = rules_of(shop, settings, subject.currency), basket_of(subject)
    part = found.parts[0]
    gifts = part.cost if part.gift is not None else Decimal(0)
    before, after = margin_at(basket, rules, basket.total), margin_at(basket, rules, found.after, gifts=gifts)
    name = subject.number if isinstance(subject, Order) else subject.ref
    refusal = _refusal(part)
    left = Left(
        name,
        Money(found.before, subject.currency),
        None if refusal else Money(found.after, subject.currency),
        before.share if before else None,
        after.share if after and not refusal else None,
        refusal,
        found.is_guessed,
    )
    return reason, (left,), found.is_guessed


def _product_rows(shop: Shop, refs: Collection[str], currency: str) -> list[Product]:
    found = Product.objects.filter(shop=shop, ref__in=list(refs), currency=currency, price__gt=0)
    return list(found.order_by("name", "variant_ref", "id")[:MOST_PRODUCTS])


def _of_product(product: Product, terms: Terms, rules: Rules, gift: Gift | None, tax: Decimal) -> Left:
    price = product.price or Decimal(0)
    basket = Basket(product.currency, price, (Line(product.ref, price, product.cost),), tax=price * tax)
    found = quote(basket, [terms], rules, gifts=[gift])
    part = found.parts[0]
    refusal = part.refusal or (Refusal.FLOOR if part.is_cut else None)
    gifts = part.cost if part.gift is not None else Decimal(0)
    before, after = margin_at(basket, rules, price), margin_at(basket, rules, found.after, gifts=gifts)
    return Left(
        product.name,
        Money(price, product.currency),
        None if refusal else Money(found.after, product.currency),
        before.share if before else None,
        after.share if after and not refusal else None,
        refusal,
        found.is_guessed,
    )


def _of_orders(
    shop: Shop,
    terms: Terms,
    settings: OfferSettings,
    rules: Rules,
    currency: str,
    lefts: tuple[Left, ...],
    *,
    is_for_next: bool,
) -> Reckoning:
    rows = Order.objects.filter(shop=shop, currency=currency, is_test=False)
    if is_for_next:
        rows = rows.filter(paid_at__isnull=False)
    else:
        rows = rows.filter(payment_state__in=OWED_STATES, status__in=OPEN_STATUSES, is_backfill=False)
    orders = list(rows.select_related("source").order_by("-placed_at", "-id")[:MOST_ORDERS])
    cost, granted, guessed, lowest = Decimal(0), 0, 0, None
    refusals: dict[Refusal, int] = {}
    for order, basket in zip(orders, baskets_of(orders) if orders else [], strict=True):
        found = quote(basket, [terms], rules, gifts=[gift_of(order, terms)])
        part = found.parts[0]
        guessed += found.is_guessed
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
        guessed=guessed,
        share=settings.default_cost,
        is_for_next=is_for_next,
    )


def _refusal(part: Part) -> Refusal | None:
    return part.refusal or (Refusal.FLOOR if part.is_cut else None)
