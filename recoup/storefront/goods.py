"""The goods of an order as they were ordered, with what leads from them to the sum due."""

from collections.abc import Sequence
from decimal import Decimal

from recoup.messaging.breakdown import Extra, Told, extra_name, extras
from recoup.orders.models import Order, OrderLine
from recoup.storefront.filled import MOST_LINES, variant_words


def goods_of(order: Order) -> dict[str, object]:
    """Return what `pay/goods.html` shows of an order, but for its sums."""
    lines = list(order.lines.order_by("position"))
    return {
        "order": order,
        "lines": [(line, variant_words(line.options)) for line in lines[:MOST_LINES]],
        "extras": [(extra_name(kind), amount) for kind, amount in extras_of(order, lines)],
    }


def extras_of(order: Order, lines: Sequence[OrderLine]) -> tuple[Extra, ...]:
    """Return what leads from the lines to the total; nothing of an order whose lines nobody told."""
    if not lines:
        return ()
    told = Told(order.shipping_total, order.discount_total, order.tax_total)
    goods = sum((line.total for line in lines), Decimal(0))
    return extras(order.total, goods, told, currency=order.currency)
