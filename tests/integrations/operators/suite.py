"""The ground of the suite: orders, sessions of ours, and calls that arrive at our hook."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.models import AttentionItem, InboxItem
from recoup.hooks.operators import apply_operator_item
from recoup.orders.models import Order
from recoup.payments import sessions
from recoup.payments.models import Attempt
from recoup.payments.ways import Way
from tests.factories.moments import MINUTE, NOW
from tests.factories.orders import make_order
from tests.integrations.operators.harness import Call, OperatorHarness


def due(order: Order) -> tuple[str, str, Decimal]:
    """Return what the order's money says."""
    order.refresh_from_db()
    return order.payment_state, order.status, order.captured


def kinds_open(order: Order) -> list[str]:
    """Return what asks for a person."""
    return sorted(
        AttentionItem.objects.filter(shop_id=order.shop_id, settled_at=None).values_list("kind", flat=True)
    )


@pytest.mark.django_db
class OperatorSuite:
    """An order, a session, and calls brought to our hook."""

    @pytest.fixture
    def harness(self) -> OperatorHarness:
        """Return the operator's harness."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _all_shops(self) -> Any:
        with scopes_disabled():
            yield

    @pytest.fixture
    def order(self, harness: OperatorHarness) -> Order:
        """Return an order of 149.00 that waits to be paid."""
        return make_order(harness.account.shop)

    def open(self, harness: OperatorHarness, order: Order) -> Attempt:
        """Open a session for an order."""
        opening = sessions.Opening(
            way=Way(harness.account, harness.method),
            return_url="http://127.0.0.1:8000/pay/t",
            notify_url=f"http://127.0.0.1:8000/hooks/operators/{harness.account.key}",
            locale="en",
            description=f"Order {order.number}",
        )
        return sessions.open_session(order, opening, now=NOW)

    def deliver(self, harness: OperatorHarness, *calls: Call) -> list[int]:
        """Bring calls to our hook and return what it answered."""
        client = Client()
        return [
            client.post(
                f"/hooks/operators/{harness.account.key}",
                data=call.raw,
                content_type=call.headers["content-type"],
                headers={name: value for name, value in call.headers.items() if name != "content-type"},
            ).status_code
            for call in calls
        ]

    def apply_waiting(self) -> None:
        """Let the worker apply what waits."""
        for item in InboxItem.objects.filter(state="new").order_by("id"):
            apply_operator_item(item.pk, now=NOW + MINUTE)
