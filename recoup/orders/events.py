"""News of carts and orders."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OrderPlaced:
    """An order was recorded for the first time (never told of a backfill)."""

    shop_id: int
    order_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """Something of an order changed: status, lines, pause, promise, supersession."""

    shop_id: int
    order_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """An order was cancelled, deleted at its source, or marked False."""

    shop_id: int
    order_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class CartChanged:
    """A cart was changed, emptied or became an order."""

    shop_id: int
    cart_id: int
    at: datetime
