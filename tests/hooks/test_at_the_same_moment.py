"""Calls that come at the same moment (T6, R3)."""

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.models import InboxItem
from recoup.hooks.apply import Outcome, apply_item
from recoup.orders.models import Order
from recoup.shops.models import Source
from tests.factories.moments import NOW
from tests.hooks.calls import body_of, order_data, send
from tests.support.together import together

RAW = body_of("order.created", **order_data())


@pytest.mark.django_db(transaction=True)
def test_t6_fifty_replays_at_once_are_kept_once_and_applied_once(source: Source) -> None:
    answers = [
        together([lambda: send(Client(), source, RAW, event_id="evt-1").status_code] * 10) for _ in "12345"
    ]
    (item_id,) = InboxItem.objects.values_list("id", flat=True)

    outcomes = together([lambda: apply_item(item_id, now=NOW)] * 6)

    assert answers == [[200] * 10] * 5
    assert sorted(map(str, outcomes)) == [Outcome.APPLIED, *[Outcome.TAKEN] * 5]
    with scopes_disabled():
        assert Order.objects.count() == 1
