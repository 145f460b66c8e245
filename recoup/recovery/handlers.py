"""What recovery does about news. Each handler takes a batch, reads the present facts and writes in its transaction."""

from collections.abc import Sequence

from recoup.core.clock import trade_now
from recoup.customers.events import CustomerMerged
from recoup.customers.queries import who_stands_for
from recoup.messaging.events import MessageSettled
from recoup.orders.events import CartChanged, OrderCancelled, OrderChanged, OrderPlaced
from recoup.orders.pointless import close_superseded, drop_older_twins, release_twins
from recoup.payments.events import PaymentFailed, PaymentReceived, RefundMade
from recoup.recovery.actions import (
    Outcome,
    close_cases,
    close_ended_cases,
    count_messages,
    follow_carts,
    follow_failures,
    follow_orders,
    move_contact,
    settle_paid_cases,
)
from recoup.recovery.events import RecoveryCaseOpened
from recoup.recovery.queries import cart_cases_ordered_since, orders_of_contacts, paid_siblings_of


def make_way_for_orders(batch: Sequence[OrderPlaced]) -> None:
    """Close what a new order makes pointless: left carts of its person, older unpaid orders for the same products."""
    now, placed = trade_now(), [news.order_id for news in batch]
    close_cases(cart_cases_ordered_since(placed), outcome=Outcome.BECAME_ORDER, now=now)
    close_ended_cases(drop_older_twins(placed, now=now), now=now)


def close_paid(batch: Sequence[PaymentReceived]) -> None:
    """Close the cases of paid orders, and of unpaid ones that they make pointless."""
    now, paid = trade_now(), [news.order_id for news in batch]
    settle_paid_cases(paid, now=now)
    close_ended_cases(close_superseded(paid, now=now), now=now)


def follow_failed(batch: Sequence[PaymentFailed]) -> None:
    """Note on open cases why the last payment failed."""
    follow_failures([news.order_id for news in batch])


def close_ended(batch: Sequence[OrderCancelled]) -> None:
    """Close the cases of orders that are Cancelled or False; what was dropped in favour of a False one comes back."""
    now, ended = trade_now(), [news.order_id for news in batch]
    close_ended_cases(ended, now=now)
    follow_orders(release_twins(ended, now=now), now=now)


def follow_changed(batch: Sequence[OrderChanged]) -> None:
    """Follow the sums of changed orders, and reopen the cases of those that were taken back into work."""
    follow_orders([news.order_id for news in batch], now=trade_now())


def follow_changed_carts(batch: Sequence[CartChanged]) -> None:
    """Close the cases of carts that were bought or emptied, follow the sums of the others."""
    follow_carts([news.cart_id for news in batch], now=trade_now())


def count_settled(batch: Sequence[MessageSettled]) -> None:
    """Count the messages of the cases; a payment may have come before the answer of the mail server."""
    count_messages([news.case_id for news in batch if news.case_id is not None], now=trade_now())


def subtract_refunds(batch: Sequence[RefundMade]) -> None:
    """Keep beside the recovered money what was given back of it."""
    settle_paid_cases([news.order_id for news in batch], now=trade_now())


def look_again(batch: Sequence[RecoveryCaseOpened]) -> None:
    """Look once more at what the sweep could not see: a sibling that was paid, or a twin that opened, in the same moment."""
    now = trade_now()
    opened = [news.subject_id for news in batch if news.kind == "order"]
    close_ended_cases(close_superseded(paid_siblings_of(opened), now=now), now=now)
    close_ended_cases(drop_older_twins(opened, now=now), now=now)


def follow_merged(batch: Sequence[CustomerMerged]) -> None:
    """Give the cases of merged contacts to the one that stays, and close what orders of the other make pointless."""
    now, stands = trade_now(), who_stands_for(news.contact_id for news in batch)
    for news in batch:
        move_contact(stands.get(news.contact_id, news.contact_id), gone_id=news.gone_id)
    orders = orders_of_contacts(stands.values())
    close_cases(cart_cases_ordered_since(orders), outcome=Outcome.BECAME_ORDER, now=now)
    close_ended_cases(close_superseded(orders, now=now), now=now)
    close_ended_cases(drop_older_twins(orders, now=now), now=now)
