"""What the desk does about news."""

from collections.abc import Sequence

from recoup.core.clock import trade_now
from recoup.desk.actions import cancel_of_paid
from recoup.payments.events import PaymentReceived


def call_off_paid(batch: Sequence[PaymentReceived]) -> None:
    """Call off what was to be done about orders that are paid now: nobody is called about money that has come."""
    cancel_of_paid([news.order_id for news in batch], now=trade_now())
