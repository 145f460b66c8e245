"""Fixtures of analytics: a shop, and cases that ended in every way."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.orders.models import Order
from recoup.recovery.actions import count_messages, settle_paid_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.messages import make_message
from tests.factories.moments import HOUR
from tests.factories.orders import make_order
from tests.factories.shops import make_shop


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop(currency="PLN", time_zone="Europe/Warsaw")


def order_of(case: RecoveryCase) -> Order:
    """Return the order of a case as it is now."""
    return Order.objects.get(pk=case.order_id or 0)


def unpaid(
    shop: Shop, opened_at: datetime, *, total: str = "100.00", messages: int = 1, **values: Any
) -> RecoveryCase:
    """Make a case of an unpaid order, with messages an hour apart from its opening on, counted."""
    order = make_order(
        shop, total=total, status="unpaid", placed_at=opened_at - 24 * HOUR, check_at=None, **values
    )
    case = make_case(order, opened_at=opened_at)
    for number in range(messages):
        make_message(
            order, case_id=case.pk, state="sent", handed_at=opened_at + number * HOUR, step_no=number
        )
    count_messages([case.pk], now=opened_at)
    case.refresh_from_db()
    return case


def pay(
    case: RecoveryCase, at: datetime, *, learnt_after: timedelta = timedelta(0), refunded: str = "0"
) -> RecoveryCase:
    """Let the order of a case be paid at an instant, and settle the case."""
    order = order_of(case)
    Order.objects.filter(pk=order.pk).update(
        payment_state="paid",
        status="completed",
        captured=order.total,
        refunded=Decimal(refunded),
        paid_at=at,
        paid_learnt_at=at + learnt_after,
    )
    settle_paid_cases([order.pk], now=at + learnt_after)
    case.refresh_from_db()
    return case
