"""Whom the shop calls paid is never reminded, whatever the payments that are named add up to (R4, R11, T75)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.core.models import AttentionItem
from recoup.orders.holds import resume_reminders
from recoup.orders.models import Order
from recoup.payments.actions import apply_order_snapshot, record_payment
from recoup.payments.models import Attempt, AttemptChange
from recoup.shops.models import Source
from recoup.shops.snapshots import AttemptState, OrderSnapshot, PaymentSnapshot, PersonSnapshot, ShopState
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


def told(version: int, *, is_paid: bool = False, total: str = "149.00", **values: Any) -> OrderSnapshot:
    return OrderSnapshot(
        ref="1", state=ShopState.PAID if is_paid else ShopState.PENDING, currency="PLN", total=Decimal(total),
        placed_at=NOW - HOUR, version_at=NOW + version * MINUTE, person=PersonSnapshot(email="anna@example.com"),
        paid_at=NOW if is_paid else None, **values,
    )  # fmt: skip


def money(amount: str, ref: str = "p1", currency: str = "PLN") -> PaymentSnapshot:
    at = NOW - MINUTE if ref == "p1" else NOW
    return PaymentSnapshot(ref, AttemptState.SUCCEEDED, Decimal(amount), currency, at, operator="bank")


def the_order() -> Order:
    return Order.objects.get(ref="1")


def end() -> tuple[Any, ...]:
    order = the_order()
    attempts = Attempt.objects.order_by("ref").values_list("ref", "amount", "currency", "state", "settled_at")
    return (order.payment_state, order.status, order.captured, order.paid_at, order.check_at, tuple(attempts))


def ends(source: Source, steps: list[Callable[[Source], object]]) -> set[tuple[Any, ...]]:
    """Return how it ends in every order of arrival; the order itself is known from the beginning.

    Orders share their beginnings, and what is told twice is one step that stands there twice.
    """
    found: set[tuple[Any, ...]] = set()

    def further(done: tuple[int, ...]) -> None:
        rest = {steps[number]: number for number in range(len(steps)) if number not in done}
        if not rest:
            found.add(end())
        for step, number in rest.items():
            with transaction.atomic():
                step(source)
                further((*done, number))
                transaction.set_rollback(True)

    with transaction.atomic():
        apply_order_snapshot(source, told(0), now=NOW)
        further(())
        transaction.set_rollback(True)
    return found


def tell_the_payment(_: Source) -> object:
    return record_payment(the_order(), money("100.00"), now=NOW)


PART_BY_VOUCHER: list[Callable[[Source], object]] = [
    lambda source: apply_order_snapshot(source, told(2, is_paid=True), now=NOW),
    tell_the_payment,
    tell_the_payment,
]


def test_what_is_left_is_paid_when_the_shop_says_so(source: Source) -> None:
    assert ends(source, PART_BY_VOUCHER) == {
        (
            "paid", "completed", Decimal(149), NOW, None,
            (
                ("order:1", Decimal(49), "PLN", "succeeded", NOW),
                ("p1", Decimal(100), "PLN", "succeeded", NOW - MINUTE),
            ),
        )
    }  # fmt: skip


def test_two_named_payments_take_the_place_of_the_word(source: Source) -> None:
    second = [lambda _: record_payment(the_order(), money("49.00", "p2"), now=NOW)]

    [one] = ends(source, [*PART_BY_VOUCHER, *second])

    assert (one[0], one[2]) == ("paid", Decimal(149))
    assert [attempt[0] for attempt in one[5]] == ["p1", "p2"]


def test_a_payment_in_another_currency_makes_nobody_unpaid_whom_the_shop_calls_paid(source: Source) -> None:
    steps: list[Callable[[Source], object]] = [
        lambda source: apply_order_snapshot(source, told(2, is_paid=True), now=NOW),
        lambda _: record_payment(the_order(), money("35.00", currency="EUR"), now=NOW),
    ]

    [one] = ends(source, steps)

    assert one[:3] == ("paid", "completed", Decimal(149))


def test_an_order_that_grew_in_the_shop_stays_paid_as_the_shop_says(source: Source) -> None:
    steps: list[Callable[[Source], object]] = [
        lambda source: apply_order_snapshot(source, told(2, is_paid=True), now=NOW),
        lambda source: apply_order_snapshot(source, told(3, is_paid=True, total="199.00"), now=NOW),
    ]

    [one] = ends(source, steps)

    assert one[:3] == ("paid", "completed", Decimal(199))


def test_reminders_rest_while_a_person_looks_at_a_foreign_payment_and_not_again_after(source: Source) -> None:
    apply_order_snapshot(source, told(0), now=NOW)

    record_payment(the_order(), money("35.00", currency="EUR"), now=NOW)

    order = the_order()
    assert (order.payment_state, order.paused_at) == ("owed", NOW)
    assert list(AttentionItem.objects.values_list("kind", "subject_id")) == [
        ("payments.amount_differs", order.pk)
    ]
    resume_reminders(order, actor=Actor("person", 1), now=NOW + HOUR)
    record_payment(the_order(), money("35.00", currency="EUR"), now=NOW + HOUR)
    assert the_order().paused_at is None


def test_an_imported_order_asks_nobody(source: Source) -> None:
    snapshot = told(0, payments=(money("35.00", currency="EUR"),))

    apply_order_snapshot(source, snapshot, now=NOW, is_backfill=True)

    assert (the_order().paused_at, AttentionItem.objects.count()) == (None, 0)


@pytest.mark.parametrize("is_nameless_first", [True, False])
@pytest.mark.parametrize("operator", ["", "bank"])
def test_a_payment_that_was_kept_under_two_names_is_one_at_its_next_word(
    source: Source, is_nameless_first: bool, operator: str
) -> None:
    order = apply_order_snapshot(source, told(1), now=NOW)
    record_payment(order, money("149.00"), now=NOW)
    record_payment(order, money("149.00", ref="p2"), now=NOW)
    first, last = Attempt.objects.order_by("id")
    # As an installation kept it that knew no payment by two names.
    nameless, named = (first, last) if is_nameless_first else (last, first)
    Attempt.objects.filter(pk=nameless.pk).update(operator="", ref="p1")
    Attempt.objects.filter(pk=named.pk).update(ref="p1")
    assert (the_order().captured, AttentionItem.objects.filter(settled_at=None).count()) == (298, 1)

    back = replace(money("149.00"), state=AttemptState.REFUNDED, at=NOW + HOUR, operator=operator)
    record_payment(order, back, now=NOW + HOUR)

    assert Attempt.objects.values_list("pk", "operator", "state").get() == (named.pk, "bank", "refunded")
    assert AttemptChange.objects.filter(attempt=named).count() == 3
    assert (the_order().captured, the_order().payment_state) == (149, "refunded")
    assert not AttentionItem.objects.filter(settled_at=None).exists()
