"""A cart filled again: the goods as they were left, held against what they cost and what is left of them today (C3, T56)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from recoup.catalog import deliveries
from recoup.catalog.models import DeliveryOption, Product
from recoup.core.money import Money, exponent
from recoup.orders.models import Cart, Order
from recoup.orders.particulars import delivery_of
from recoup.shops.snapshots import DeliverySnapshot, PointSnapshot

MOST_LINES = 200
MOST_PIECES = Decimal(9999)


class Change(StrEnum):
    """What became of a line since."""

    SAME = "same"
    GONE = "gone"
    FEWER = "fewer"
    DEARER = "dearer"
    CHEAPER = "cheaper"


@dataclass(frozen=True, slots=True)
class WantedLine:
    """A line as it was left."""

    product_ref: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    variant_ref: str = ""
    sku: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class FilledLine:
    """A line as it would be bought now. `change` is the greatest difference; a line may be both fewer and dearer."""

    wanted: WantedLine
    quantity: Decimal
    unit_price: Money
    total: Money
    change: Change
    has_new_price: bool

    @property
    def is_gone(self) -> bool:
        """Tell whether it cannot be bought."""
        return self.change is Change.GONE

    @property
    def was_price(self) -> Money:
        """Return what a piece cost."""
        return Money(self.wanted.unit_price, self.unit_price.currency)

    @property
    def variant(self) -> str:
        """Return which one of the product it is: size, colour."""
        return variant_words(self.wanted.options)


@dataclass(frozen=True, slots=True)
class FilledDelivery:
    """How a cart would be brought now. A way or point is gone only where its source says so."""

    told: DeliverySnapshot  # with the way that was chosen instead, if one was
    price: Money
    was_price: Money
    is_gone: bool = False
    is_point_gone: bool = False
    choice: str = ""  # code of the way that was chosen instead
    choices: tuple[DeliveryOption, ...] = ()  # what there is instead of one that is gone

    @property
    def has_changed(self) -> bool:
        """Tell whether it differs from how it was left."""
        return self.is_gone or self.is_point_gone or self.price != self.was_price or bool(self.choice)


@dataclass(frozen=True, slots=True)
class FilledCart:
    """All lines, what they come to now and came to then, and how many could not be read at all.

    `delivery` is what bringing it cost, as far as it was told. Both totals hold it. A discount is not filled in: a link
    that is passed on gives the goods alone.
    """

    lines: tuple[FilledLine, ...]
    dropped: int
    total: Money
    was_total: Money
    brought: FilledDelivery

    @property
    def delivery(self) -> Money:
        """Return what bringing it costs now."""
        return self.brought.price

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing of it can be bought."""
        return all(line.is_gone for line in self.lines)

    @property
    def has_changed(self) -> bool:
        """Tell whether anything differs from how it was left."""
        has_other_lines = any(line.change is not Change.SAME for line in self.lines)
        return bool(self.dropped) or has_other_lines or self.brought.has_changed


def fill(subject: Cart | Order, *, choice: str = "") -> FilledCart:
    """Return the goods of a cart or an order as they could be bought and brought now; reads only.

    :param choice: the code of a way of delivery that the buyer chose instead of one that is gone; another is not heard.
    """
    wanted, dropped = _wanted(subject)
    products = _products(subject, wanted)
    lines = tuple(_filled(line, products, subject.currency) for line in wanted)
    brought = _brought(subject, choice)
    return FilledCart(
        lines=lines,
        dropped=dropped,
        total=sum((line.total for line in lines if not line.is_gone), brought.price),
        was_total=sum(
            (_times(line.unit_price, line.quantity, subject.currency) for line in wanted), brought.was_price
        ),
        brought=brought,
    )


def _brought(subject: Cart | Order, choice: str) -> FilledDelivery:
    """Hold the delivery against what its source offers today (C3). What was free stays so: the source knows why it was."""
    told, source, currency = delivery_of(subject), subject.source, subject.currency
    was = Money(subject.shipping_total or Decimal(0), currency)
    plain = FilledDelivery(told, was, was, is_point_gone=deliveries.is_point_gone(source, told.point.ref))
    method = deliveries.find_method(source, told.method)
    is_gone = method is not None and not method.is_available
    if not is_gone and not plain.is_point_gone:
        has_price = method is not None and method.price is not None and method.currency == currency
        price = (
            Money(method.price, currency)
            if method is not None and method.price is not None and has_price
            else was
        )
        return replace(plain, price=price if was.amount else was)
    choices = tuple(one for one in deliveries.methods_to_the_door(source, currency) if one.ref != told.method)
    chosen = next((one for one in choices if one.ref == choice), None)
    if chosen is None or chosen.price is None:
        return replace(
            plain, price=Money(Decimal(0), currency) if is_gone else was, is_gone=is_gone, choices=choices
        )
    other = replace(told, method=chosen.ref, title=chosen.title, point=PointSnapshot())
    return FilledDelivery(other, Money(chosen.price, currency), was, choice=chosen.ref, choices=choices)


def variant_words(options: object) -> str:
    """Return the options of a line in one row, as the source names them."""
    if not isinstance(options, Mapping):
        return ""
    return ", ".join(str(value) for value in options.values() if value)[:200]


def _wanted(subject: Cart | Order) -> tuple[list[WantedLine], int]:
    if isinstance(subject, Order):
        lines = [
            WantedLine(
                product_ref=line.product_ref,
                name=line.name,
                quantity=line.quantity,
                unit_price=line.unit_price,
                variant_ref=line.variant_ref,
                sku=line.sku,
                options=line.options,
                url=line.url,
                image_url=line.image_url,
            )
            for line in subject.lines.order_by("position")
        ]
        return lines[:MOST_LINES], max(len(lines) - MOST_LINES, 0)
    read = [_read_line(line) for line in subject.lines] if isinstance(subject.lines, list) else []
    good = [line for line in read if line is not None]
    return good[:MOST_LINES], len(read) - len(good[:MOST_LINES])


def _read_line(kept: Any) -> WantedLine | None:
    """Read a line of a cart as it was reported; `None` if no quantity or name can be sold (T56)."""
    if not isinstance(kept, Mapping) or not str(kept.get("name") or "").strip():
        return None
    quantity, total = _decimal(kept.get("quantity")), _decimal(kept.get("total"))
    price = _decimal(kept.get("unit_price"))
    if quantity is None or not 0 < quantity <= MOST_PIECES:
        return None
    if price is None:
        price = total / quantity if total is not None else None
    if price is None or price < 0:
        return None
    return WantedLine(
        product_ref=str(kept.get("product_ref") or ""),
        name=str(kept["name"]).strip()[:500],
        quantity=quantity,
        unit_price=price,
        variant_ref=str(kept.get("variant_ref") or ""),
        sku=str(kept.get("sku") or ""),
        options=_options(kept.get("options")),
        url=str(kept.get("url") or ""),
        image_url=str(kept.get("image_url") or ""),
    )


def _options(kept: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in kept.items()} if isinstance(kept, Mapping) else {}


def _decimal(value: object) -> Decimal | None:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _products(subject: Cart | Order, wanted: Iterable[WantedLine]) -> dict[tuple[str, str], Product]:
    refs = sorted({line.product_ref for line in wanted if line.product_ref})
    rows = Product.objects.filter(shop_id=subject.shop_id, source_id=subject.source_id, ref__in=refs)
    return {(product.ref, product.variant_ref): product for product in rows}


def _filled(line: WantedLine, products: Mapping[tuple[str, str], Product], currency: str) -> FilledLine:
    product = products.get((line.product_ref, line.variant_ref))
    if product is None and line.variant_ref and _has_variants(line, products):
        return _line(line, Decimal(0), line.unit_price, currency, Change.GONE)
    product = product or products.get((line.product_ref, ""))
    if product is None:  # the source tells no products: it stands as it was left
        return _line(line, line.quantity, line.unit_price, currency, Change.SAME)
    left = line.quantity if product.stock is None else min(line.quantity, product.stock)
    if product.is_deleted or not product.is_available or left <= 0:
        return _line(line, Decimal(0), line.unit_price, currency, Change.GONE)
    price = product.price if product.price is not None and product.currency == currency else line.unit_price
    change = Change.SAME
    if price != line.unit_price:
        change = Change.DEARER if price > line.unit_price else Change.CHEAPER
    if left < line.quantity:
        change = Change.FEWER
    return _line(line, left, price, currency, change)


def _has_variants(line: WantedLine, products: Mapping[tuple[str, str], Product]) -> bool:
    return any(ref == line.product_ref and variant for ref, variant in products)


def _line(wanted: WantedLine, quantity: Decimal, price: Decimal, currency: str, change: Change) -> FilledLine:
    shown = wanted.quantity if change is Change.GONE else quantity
    return FilledLine(
        wanted=wanted,
        quantity=shown,
        unit_price=Money(price, currency),
        total=_times(price, shown, currency),
        change=change,
        has_new_price=price != wanted.unit_price,
    )


def _times(price: Decimal, quantity: Decimal, currency: str) -> Money:
    """Return the price of so many pieces, rounded to what the currency has."""
    return Money((price * quantity).quantize(Decimal(1).scaleb(-exponent(currency))), currency)
