"""What rests the reminders of an order (E12)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.core.models import Activity
from recoup.customers.models import ContactGate
from recoup.orders.holds import HoldRefused, pause_reminders, promise_payment, resume_reminders
from recoup.orders.models import Order
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop

BUYER = Actor("buyer", 1)


@pytest.fixture(autouse=True)
def _all_shops(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


def test_a_promise_is_kept_and_a_newer_one_replaces_it() -> None:
    order = make_order(make_shop())

    promise_payment(order, NOW + 3 * DAY, actor=BUYER, now=NOW)
    promise_payment(order, NOW + DAY, actor=BUYER, now=NOW)

    assert Order.objects.get().promised_at == NOW + DAY
    assert Order.objects.get().lock_version == order.lock_version + 2
    assert list(Activity.objects.values_list("verb", flat=True)) == ["orders.order.payment_promised"] * 2


@pytest.mark.parametrize(
    ("until", "reason"), [(NOW, "in_the_past"), (NOW - DAY, "in_the_past"), (NOW + 61 * DAY, "too_late")]
)
def test_a_promise_lies_ahead_and_not_too_far(until: Any, reason: str) -> None:
    with pytest.raises(HoldRefused) as caught:
        promise_payment(make_order(make_shop()), until, actor=BUYER, now=NOW)

    assert (caught.value.reason, Order.objects.get().promised_at) == (reason, None)


def test_pausing_twice_is_once_and_resuming_ends_promise_and_pause() -> None:
    order = make_order(make_shop())
    promise_payment(order, NOW + DAY, actor=BUYER, now=NOW)

    paused = pause_reminders(order, actor=BUYER, now=NOW, why="buyer_stopped")
    again = pause_reminders(paused, actor=BUYER, now=NOW + timedelta(hours=1))
    assert again.paused_at == NOW
    resume_reminders(again, actor=BUYER, now=NOW)

    assert (Order.objects.get().paused_at, Order.objects.get().promised_at) == (None, None)


@pytest.mark.parametrize(
    "values", [{"paid_at": NOW}, {"status": "cancelled"}, {"payment_state": "authorized"}]
)
def test_what_is_not_owed_has_no_reminders_to_rest(values: dict[str, Any]) -> None:
    order = make_order(make_shop(), **values)

    for deed in (pause_reminders, resume_reminders):
        with pytest.raises(HoldRefused):
            deed(order, actor=BUYER, now=NOW)

    assert Activity.objects.count() == 0


def test_every_hold_touches_what_the_sender_locks() -> None:
    order = make_order(make_shop())

    pause_reminders(order, actor=BUYER, now=NOW)

    assert ContactGate.objects.get(contact=order.contact).changes == 1
    assert Order.objects.get().lock_version == order.lock_version + 1
