"""From orders and carts to what an offer is reckoned on: lines with their cost, delivery, tax, a coupon of the shop."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.db.models import Case, When

from recoup.catalog.models import Product
from recoup.offers.pricing import Basket, Gift, Line
from recoup.offers.settings import tax_share
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order
from recoup.shops.models import FILE_KIND, OWN_KIND, Source
from recoup.shops.snapshots import OrderSnapshot

_ZERO = Decimal(0)


def basket_of(subject: Order | Cart) -> Basket:
    """Return the basket of an order or cart; its `lines` stand in the order of their positions."""
    return baskets_of([subject])[0]


def baskets_of(subjects: Collection[Order | Cart]) -> list[Basket]:
    """Return the baskets of orders and carts of one shop, products read at once."""
    told = [told_lines(subject) for subject in subjects]
    costs, taxes = _Costs(subjects, [line for lines in told for line in lines]), _Taxes()
    return [
        _basket(subject, tuple(_line(subject, line, costs) for line in lines), taxes)
        for subject, lines in zip(subjects, told, strict=True)
    ]


def basket_of_snapshot(source: Source, told: OrderSnapshot) -> Basket:
    """Return the basket of an order as its shop tells it now, whatever we have recorded of it."""
    order = Order(
        shop_id=source.shop_id,
        source_id=source.pk,
        currency=told.currency,
        total=told.total,
        shipping_total=told.shipping_total,
        tax_total=told.tax_total,
        discount_total=told.discount_total,
    )
    lines = [
        Told(line.product_ref, line.variant_ref, line.sku, line.quantity, line.total) for line in told.lines
    ]
    costs = _Costs([order], lines)
    return _basket(order, tuple(_line(order, line, costs) for line in lines), _Taxes())


class Told(NamedTuple):
    """A line of an order or cart as it was told."""

    ref: str
    variant: str
    sku: str
    quantity: Decimal
    total: Decimal


def told_lines(subject: Order | Cart) -> list[Told]:
    """Return the lines of an order or a cart."""
    if isinstance(subject, Order):
        rows = sorted(subject.lines.all(), key=lambda row: row.position)  # read beforehand for many
        return [Told(row.product_ref, row.variant_ref, row.sku, row.quantity, row.total) for row in rows]
    lines = subject.lines if isinstance(subject.lines, list) else []
    return [_cart_line(line) for line in lines if isinstance(line, Mapping)]


def _cart_line(line: Mapping[str, Any]) -> Told:
    quantity = _decimal(line.get("quantity"), Decimal(1))
    total = _decimal(line.get("total"), _decimal(line.get("unit_price"), _ZERO) * quantity)
    ref, variant, sku = (str(line.get(name) or "") for name in ("product_ref", "variant_ref", "sku"))
    return Told(ref, variant, sku, quantity, total)


def _decimal(value: object, otherwise: Decimal) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return otherwise
    return number if number.is_finite() and number >= 0 else otherwise


class _Costs:
    """The products that tell what one costs, found for each line: by its own source, by a file, by its article number.

    An order placed at our side is of goods of some source, so all are looked at. Where two that may be meant disagree,
    none is taken.
    """

    def __init__(self, subjects: Iterable[Order | Cart], lines: Collection[Told]) -> None:
        shops = {subject.shop_id for subject in subjects}
        refs, skus = {line.ref for line in lines} - {""}, {line.sku for line in lines} - {""}
        self._kinds: dict[int, str] = {}
        self._by_ref: dict[tuple[str, str], list[Product]] = {}
        self._by_sku: dict[str, list[Product]] = {}
        if not refs and not skus:
            return
        self._kinds = dict(Source.objects.filter(shop_id__in=shops).values_list("pk", "kind"))
        known = Product.objects.filter(shop_id__in=shops, cost__isnull=False).order_by("id")
        for one in known.filter(source_id__in=list(self._kinds), ref__in=refs) if refs else ():
            self._by_ref.setdefault((one.ref, one.variant_ref), []).append(one)
        for one in known.filter(sku__in=skus, is_deleted=False) if skus else ():
            self._by_sku.setdefault(one.sku, []).append(one)

    def of(self, subject: Order | Cart, line: Told) -> Decimal | None:
        """Return what one of a line costs, in the currency of its order or cart, if that is known."""
        places = [self._by_ref.get((line.ref, variant), []) for variant in dict.fromkeys((line.variant, ""))]
        for rows in places:
            for one in rows:
                if one.source_id == subject.source_id:
                    return one.cost if one.currency == subject.currency else None
        is_ours = self._kinds.get(subject.source_id) == OWN_KIND
        for rows in places:
            others = [one for one in rows if is_ours or self._kinds.get(one.source_id) == FILE_KIND]
            if others:
                return _agreed(others, subject.currency)
        return _agreed(self._by_sku.get(line.sku, []) if line.sku else [], subject.currency)


class _Taxes:
    """What share of a sum is tax where nobody told it: asked once for a shop and a currency."""

    def __init__(self) -> None:
        self._shares: dict[tuple[int, str], Decimal] = {}

    def of(self, subject: Order | Cart) -> Decimal:
        """Return the tax in the total of an order or cart, as told or by that share."""
        told: Decimal | None = subject.tax_total if isinstance(subject, Order) else None
        if told is not None:
            return told
        place = (subject.shop_id, subject.currency)
        if place not in self._shares:
            self._shares[place] = tax_share(*place)
        total: Decimal = subject.total
        return total * self._shares[place]


def _agreed(products: Iterable[Product], currency: str) -> Decimal | None:
    costs = {one.cost for one in products if one.currency == currency}
    return costs.pop() if len(costs) == 1 else None


def _line(subject: Order | Cart, told: Told, costs: _Costs) -> Line:
    cost = costs.of(subject, told)
    return Line(told.ref, told.total, None if cost is None else cost * told.quantity, told.quantity)


def _basket(subject: Order | Cart, lines: tuple[Line, ...], taxes: _Taxes) -> Basket:
    if isinstance(subject, Order):
        return Basket(
            currency=subject.currency,
            total=subject.total,
            lines=lines,
            delivery=subject.shipping_total or _ZERO,
            tax=taxes.of(subject),
            has_coupon=(subject.discount_total or _ZERO) > 0,
        )
    return Basket(
        subject.currency,
        subject.total,
        lines,
        delivery=_delivery_in(subject, lines),
        tax=taxes.of(subject),
        has_coupon=bool(subject.coupon),
    )


def _delivery_in(cart: Cart, lines: tuple[Line, ...]) -> Decimal:
    """Return what of the total of a cart is its delivery; nothing where the goods alone come to as much already."""
    told = min(cart.shipping_total or _ZERO, cart.total)
    goods = sum((line.total for line in lines), _ZERO)
    return _ZERO if lines and not cart.coupon and cart.total <= goods else told


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
        .annotate(is_elsewhere=Case(When(source_id=subject.source_id, then=0), default=1))
        .order_by("is_elsewhere", "variant_ref", "id")
        .first()
    )
    if product is None:
        return None
    return Gift(product.ref, product.name, product.price or _ZERO, product.cost)
