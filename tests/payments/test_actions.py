"""Payments, failures and refunds in whatever order they arrive."""

import itertools
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.models import AttentionItem
from recoup.orders.models import Order, StatusChange
from recoup.payments.actions import apply_order_snapshot, record_payment, record_refund
from recoup.payments.events import PaymentReceived
from recoup.payments.models import Attempt, AttemptChange
from recoup.shops.models import Source
from recoup.shops.snapshots import (
    AttemptState,
    FailureClass,
    LineSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    PersonSnapshot,
    RefundSnapshot,
    ShopState,
)
from tests.factories.moments import HOUR, MINUTE, NOW
from tests.factories.shops import make_shop, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def source() -> Source:
    return make_source(make_shop(currency="PLN"))


def snapshot(**values: Any) -> OrderSnapshot:
    line = LineSnapshot("cream", "Cream", Decimal(1), Decimal("149.00"), Decimal("149.00"))
    defaults: dict[str, Any] = {
        "ref": "1001",
        "state": ShopState.PENDING,
        "currency": "PLN",
        "total": Decimal("149.00"),
        "placed_at": NOW - HOUR,
        "version_at": NOW - HOUR,
        "person": PersonSnapshot(email="Anna@Example.com", name="Anna Nowak"),
        "lines": (line,),
    }
    return OrderSnapshot(**{**defaults, **values})


def payment(state: AttemptState, **values: Any) -> PaymentSnapshot:
    defaults: dict[str, Any] = {
        "ref": "p1",
        "state": state,
        "amount": Decimal("149.00"),
        "currency": "PLN",
        "at": NOW,
        "failure_class": FailureClass.SOFT if state is AttemptState.FAILED else None,
    }
    return PaymentSnapshot(**{**defaults, **values})


def state_of(order: Order) -> tuple[object, ...]:
    order.refresh_from_db()
    return (
        order.status,
        order.payment_state,
        order.captured,
        order.refunded,
        order.paid_at,
        order.check_at is None,
        order.total,
        order.method,
    )


def test_an_order_paid_in_full_is_completed_once_and_announced_once(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "_routes", {})
    outbox.set_routes({PaymentReceived: (lambda _batch: None,)})
    order = apply_order_snapshot(source, snapshot(), now=NOW)

    record_payment(order, payment(AttemptState.SUCCEEDED), now=NOW)
    record_payment(order, payment(AttemptState.SUCCEEDED), now=NOW + MINUTE)

    order.refresh_from_db()
    assert (order.status, order.payment_state, order.captured) == ("completed", "paid", Decimal("149.00"))
    assert (order.paid_at, order.paid_learnt_at, order.check_at) == (NOW, NOW, None)
    changes = list(
        StatusChange.objects.filter(order=order).order_by("id").values_list("from_status", "to_status")
    )
    assert changes == [("", "new"), ("new", "completed")]
    assert outbox.dispatch() == 1


def test_a_late_failure_is_history_and_a_late_success_wins(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(), now=NOW)

    record_payment(order, payment(AttemptState.FAILED), now=NOW)
    order.refresh_from_db()
    assert (order.payment_state, order.failure_class) == ("failed", "soft")
    record_payment(order, payment(AttemptState.SUCCEEDED, at=NOW + MINUTE), now=NOW + MINUTE)
    record_payment(order, payment(AttemptState.FAILED, at=NOW + 2 * MINUTE), now=NOW + 2 * MINUTE)

    order.refresh_from_db()
    assert (order.payment_state, order.paid_at) == ("paid", NOW + MINUTE)
    told = list(AttemptChange.objects.order_by("id").values_list("state", "was_applied"))
    assert told == [("failed", True), ("succeeded", True)]


def events() -> list[Callable[[Source], object]]:
    """Return five pieces of news of one order; each is complete by itself, as sources tell them."""

    def order(version: int, **values: Any) -> Callable[[Source], object]:
        given = snapshot(version_at=NOW - HOUR + version * MINUTE, **values)
        return lambda source: apply_order_snapshot(source, given, now=NOW)

    def paid(source: Source) -> object:
        known = Order.objects.get(source=source, ref="1001")
        return record_payment(known, payment(AttemptState.SUCCEEDED, at=NOW - 10 * MINUTE), now=NOW)

    def failed(source: Source) -> object:
        known = Order.objects.get(source=source, ref="1001")
        return record_payment(known, payment(AttemptState.FAILED, ref="p0", at=NOW - 20 * MINUTE), now=NOW)

    def refund(source: Source) -> object:
        known = Order.objects.get(source=source, ref="1001")
        given = RefundSnapshot("r1", Decimal("49.00"), "PLN", NOW)
        return record_refund(known, given, now=NOW)

    return [
        order(2, method="card"),
        order(3, state=ShopState.ON_HOLD, method="blik"),
        paid,
        failed,
        refund,
    ]


@pytest.mark.faults
def test_all_orders_of_arrival_give_one_state(source: Source, is_full_size: bool) -> None:
    """Orders share their beginnings. In the quick size it is every sixth: any three pieces of news in each order."""
    ends: set[tuple[object, ...]] = set()
    news = events()
    order = apply_order_snapshot(source, snapshot(version_at=NOW - 2 * HOUR), now=NOW)
    orders = list(itertools.permutations(range(5)))[:: 1 if is_full_size else 6]

    def further(some: list[tuple[int, ...]], done: int) -> None:
        if done == len(news):
            ends.add(state_of(order))
            return
        for step, those in itertools.groupby(some, key=lambda one: one[done]):
            with transaction.atomic():
                news[step](source)
                further(list(those), done + 1)
                transaction.set_rollback(True)

    further(orders, 0)
    assert {three for one in orders for three in itertools.combinations(one, 3)} == set(
        itertools.permutations(range(5), 3)
    )

    paid_at = NOW - 10 * MINUTE
    assert ends == {
        ("completed", "partly_refunded", Decimal("149"), Decimal("49"), paid_at, True, Decimal("149"), "blik")
    }


def test_less_than_the_total_is_partly_paid_and_keeps_the_status(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(), now=NOW)

    record_payment(order, payment(AttemptState.SUCCEEDED, amount=Decimal("148.99")), now=NOW)

    assert state_of(order)[:3] == ("new", "partly_paid", Decimal("148.99"))


def test_another_currency_never_pays_and_asks_for_attention(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(), now=NOW)

    record_payment(order, payment(AttemptState.SUCCEEDED, currency="EUR"), now=NOW)

    assert state_of(order)[:3] == ("new", "owed", Decimal(0))
    assert list(AttentionItem.objects.values_list("kind", "subject_id")) == [
        ("payments.amount_differs", order.pk)
    ]


def test_two_captured_attempts_are_flagged_as_double_payment(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(), now=NOW)

    record_payment(order, payment(AttemptState.SUCCEEDED), now=NOW)
    record_payment(order, payment(AttemptState.SUCCEEDED, ref="p2"), now=NOW)

    kinds = list(AttentionItem.objects.values_list("kind", flat=True))
    assert kinds == ["payments.double_payment"]


def test_more_than_the_total_is_one_question_and_a_second_payment_makes_it_another(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(), now=NOW)
    record_payment(order, payment(AttemptState.SUCCEEDED, amount=Decimal(200)), now=NOW)
    first = list(AttentionItem.objects.filter(settled_at=None).values_list("kind", flat=True))

    record_payment(order, payment(AttemptState.SUCCEEDED, ref="p2"), now=NOW)

    then = list(AttentionItem.objects.filter(settled_at=None).values_list("kind", flat=True))
    assert (first, then) == (["payments.overpaid"], ["payments.double_payment"])


def test_a_source_that_says_paid_without_a_payment_gets_one_for_the_total(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(state=ShopState.PAID, paid_at=NOW), now=NOW)

    assert state_of(order)[:2] == ("completed", "paid")
    assert Attempt.objects.get(order=order).ref == "order:1001"


@pytest.mark.parametrize(
    ("values", "is_backfill"),
    [
        ({"total": Decimal(0)}, False),
        ({"is_test": True}, False),
        ({}, True),
        ({"state": ShopState.CANCELLED}, False),
    ],
)
def test_nothing_to_chase_is_never_looked_at(
    source: Source, values: dict[str, Any], is_backfill: bool
) -> None:
    order = apply_order_snapshot(source, snapshot(**values), now=NOW, is_backfill=is_backfill)

    assert order.check_at is None


def test_an_order_is_looked_at_after_the_time_of_its_method(source: Source) -> None:
    first = apply_order_snapshot(source, snapshot(), now=NOW)
    second = apply_order_snapshot(source, snapshot(ref="1002", is_offline_method=True), now=NOW)

    assert first.check_at == NOW - HOUR + timedelta(hours=24)
    assert second.check_at == NOW - HOUR + timedelta(days=3)


def test_a_cancellation_at_the_source_is_followed_and_taken_back(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(), now=NOW)

    apply_order_snapshot(source, snapshot(state=ShopState.CANCELLED, version_at=NOW), now=NOW)
    assert state_of(order)[0] == "cancelled"
    apply_order_snapshot(source, snapshot(version_at=NOW + MINUTE), now=NOW + MINUTE)

    order.refresh_from_db()
    assert (order.status, order.cancelled_at, order.check_at is None) == ("new", None, False)


def test_an_unpaid_order_that_its_source_takes_up_again_is_looked_at_again(source: Source) -> None:
    order = apply_order_snapshot(source, snapshot(), now=NOW)
    Order.objects.filter(pk=order.pk).update(status="unpaid", unpaid_at=NOW, check_at=None)

    apply_order_snapshot(source, snapshot(state=ShopState.CANCELLED, version_at=NOW), now=NOW)
    apply_order_snapshot(source, snapshot(version_at=NOW + MINUTE), now=NOW + MINUTE)

    order.refresh_from_db()
    assert (order.status, order.unpaid_at, order.check_at) == ("new", None, order.placed_at + 24 * HOUR)


def test_a_total_of_zero_completes_and_a_price_reopens_in_any_order_of_arrival(source: Source) -> None:
    priced, free = snapshot(version_at=NOW), snapshot(version_at=NOW + MINUTE, total=Decimal(0), lines=())
    priced_last = snapshot(version_at=NOW + 2 * MINUTE)
    found = []
    for told in ([priced, free], [free, priced], [free, priced_last], [priced_last, free]):
        order = apply_order_snapshot(make_source(make_shop(currency="PLN")), told[0], now=NOW)
        apply_order_snapshot(order.source, told[1], now=NOW)
        order.refresh_from_db()
        found.append((order.status, order.payment_state, order.check_at is None))

    is_free, is_owed = ("completed", "nothing_due", True), ("new", "owed", False)
    assert found == [is_free, is_free, is_owed, is_owed]
