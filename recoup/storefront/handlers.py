"""What buyers' pages do about news."""

from collections.abc import Sequence

from recoup.core.clock import trade_now
from recoup.offers.redeeming import free_unpaid
from recoup.orders.settle import lock_order
from recoup.payments.events import SessionEnded
from recoup.payments.sessions import find_open_session


def free_offers(batch: Sequence[SessionEnded]) -> None:
    """Free the offers of payments that ended without money, unless the buyer has begun another one with them (T69)."""
    orders = [lock_order(order_id) for order_id in sorted({news.order_id for news in batch})]
    free_unpaid([order.pk for order in orders if find_open_session(order) is None], now=trade_now())
