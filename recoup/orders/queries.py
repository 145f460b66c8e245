"""Reads of orders that actions and other parts need."""

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from recoup.orders.models import Order
from recoup.shops.models import Shop, WaitingTime
from recoup.shops.snapshots import ShopState

# Transfers and cheques take days to clear; asking earlier would chase people who have paid (complaint 21).
OFFLINE_METHOD = "offline"
OFFLINE_MINUTES = 3 * 24 * 60
# Paid to the courier when the goods come: nobody is reminded of it, unless the shop set a time for the method itself.
ON_DELIVERY = ("cod",)

OPEN_STATUSES = (
    Order.Status.NEW,
    Order.Status.IN_WORK,
    Order.Status.NOT_CONFIRMED,
    Order.Status.AWAITING_PAYMENT,
    Order.Status.UNPAID,
)
OWED_STATES = (
    Order.PaymentState.OWED,
    Order.PaymentState.ON_HOLD,
    Order.PaymentState.FAILED,
    Order.PaymentState.PARTLY_PAID,
)
PAID_STATES = (
    Order.PaymentState.PAID,
    Order.PaymentState.PARTLY_REFUNDED,
)


class OrderUnknown(Exception):
    """News names an order that we do not have (yet)."""


def waiting_minutes(shop: Shop, method: str, *, is_offline: bool) -> int | None:
    """Return the minutes from placing to the look at an order paid by this method (B2); `None` if it is never looked at.

    The method's own setting wins, then that of all offline methods, then the shop's.
    """
    own = dict(
        WaitingTime.objects.filter(shop=shop, method__in=[method, OFFLINE_METHOD]).values_list(
            "method", "minutes"
        )
    )
    if method and method in own:
        return own[method]
    if method in ON_DELIVERY:
        return None
    if is_offline:
        return own.get(OFFLINE_METHOD, max(OFFLINE_MINUTES, shop.unpaid_after_minutes))
    return shop.unpaid_after_minutes


def is_paid_on_delivery(order: str) -> str:
    """Return SQL telling whether an order of an alias of ours is paid on delivery in a shop without a time for that.

    As `waiting_minutes`: such an order is never looked at.
    """
    methods = ", ".join(f"'{method}'" for method in ON_DELIVERY)
    return f"""({order}.method IN ({methods}) AND NOT EXISTS (
        SELECT FROM shops_waitingtime own WHERE own.shop_id = {order}.shop_id AND own.method = {order}.method))"""


def check_instant(order: Order, shop: Shop, *, live_since: datetime) -> datetime | None:
    """Return when an order is to be looked at as unpaid, or `None` if never (B1, B6, F5)."""
    if (
        order.is_backfill
        or order.is_test
        or order.total <= 0
        or order.placed_at < live_since
        or order.unpaid_at is not None
        or order.superseded_by_id is not None
        or order.duplicate_of_id is not None
        or order.status not in OPEN_STATUSES
        or order.payment_state not in OWED_STATES
        or order.shop_state == ShopState.UNKNOWN  # a person is asked what it means (`settle`)
    ):
        return None
    minutes = waiting_minutes(shop, order.method, is_offline=order.is_offline_method)
    return None if minutes is None else order.placed_at + timedelta(minutes=minutes)


def find_order(source_id: int, ref: str) -> Order | None:
    """Return the order that a source knows by `ref`, or `None`."""
    return Order.objects.filter(source_id=source_id, ref=ref).first()


def siblings_of(order: Order) -> QuerySet[Order]:
    """Return all other orders of the same person, newest first."""
    return (
        Order.objects.filter(shop_id=order.shop_id, contact=order.contact)
        .filter(~Q(contact=None))
        .exclude(pk=order.pk)
        .order_by("-placed_at", "-id")
    )
