"""From orders and carts to what an offer is reckoned on: lines with their cost, delivery, tax, a coupon of the shop."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from recoup.catalog.models import Product
from recoup.offers.pricing import Basket, Gift, Line
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order

_ZERO = Decimal(0)
Costs = Mapping[tuple[int, str, str], Product]


def basket_of(subject: Order | Cart) -> Basket:
    """Return the basket of an order or cart; its `lines` stand in the order of their positions."""
    return baskets_of([subject])[0]


def baskets_of(subjects: Collection[Order | Cart]) -> list[Basket]:
    """Return the baskets of orders and carts of one shop, products read at once."""
    told = [_told_lines(subject) for subject in subjects]
    costs = _costs(subjects, {line[0] for lines in told for line in lines})
    return [
        _basket(subject, tuple(_line(subject, line, costs) for line in lines))
        for subject, lines in zip(subjects, told, strict=True)
    ]


_Told = tuple[str, str, Decimal, Decimal]


def _told_lines(subject: Order | Cart) -> list[_Told]:
    """Return product, variant, quantity and sum of each line."""
    if isinstance(subject, Order):
        rows = sorted(subject.lines.all(), key=lambda row: row.position)  # read beforehand for many
        return [(row.product_ref, row.variant_ref, row.quantity, row.total) for row in rows]
    lines = subject.lines if isinstance(subject.lines, list) else []
    return [_cart_line(line) for line in lines if isinstance(line, Mapping)]


def _cart_line(line: Mapping[str, Any]) -> _Told:
    quantity = _decimal(line.get("quantity"), Decimal(1))
    total = _decimal(line.get("total"), _decimal(line.get("unit_price"), _ZERO) * quantity)
    return str(line.get("product_ref") or ""), str(line.get("variant_ref") or ""), quantity, total


def _decimal(value: object, otherwise: Decimal) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return otherwise
    return number if number.is_finite() and number >= 0 else otherwise


def _costs(subjects: Iterable[Order | Cart], refs: set[str]) -> Costs:
    """Return the products of these refs that tell what one costs, by source, ref and variant."""
    sources = {subject.source_id: subject.shop_id for subject in subjects}
    if not refs - {""}:
        return {}
    rows = Product.objects.filter(
        shop_id__in=set(sources.values()), source_id__in=sources, ref__in=refs, cost__isnull=False
    )
    return {(product.source_id, product.ref, product.variant_ref): product for product in rows}


def _line(subject: Order | Cart, told: _Told, costs: Costs) -> Line:
    ref, variant, quantity, total = told
    product = costs.get((subject.source_id, ref, variant)) or costs.get((subject.source_id, ref, ""))
    is_known = product is not None and product.currency == subject.currency and product.cost is not None
    return Line(
        ref, total, product.cost * quantity if is_known and product and product.cost is not None else None
    )


def _basket(subject: Order | Cart, lines: tuple[Line, ...]) -> Basket:
    if isinstance(subject, Order):
        return Basket(
            currency=subject.currency,
            total=subject.total,
            lines=lines,
            delivery=subject.shipping_total or _ZERO,
            tax=subject.tax_total or _ZERO,
            has_coupon=(subject.discount_total or _ZERO) > 0,
        )
    return Basket(subject.currency, subject.total, lines, has_coupon=bool(subject.coupon))


def gift_of(subject: Order | Cart, terms: Terms) -> Gift | None:
    """Return the gift of an offer if there is one left to give, else `None`."""
    if terms.kind is not Kind.GIFT:
        return None
    product = (
        Product.objects.filter(
            shop_id=subject.shop_id,
            ref=terms.gift,
            currency=subject.currency,
            is_available=True,
            is_deleted=False,
        )
        .exclude(stock__lte=0)
        .order_by("variant_ref", "id")
        .first()
    )
    if product is None:
        return None
    return Gift(product.ref, product.name, product.price or _ZERO, product.cost)
