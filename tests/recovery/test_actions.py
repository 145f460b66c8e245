"""Claims about how cases end."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.analytics.tallies import drifts
from recoup.core.models import Activity
from recoup.orders.models import Cart, Order
from recoup.orders.queries import check_instant
from recoup.recovery import actions
from recoup.recovery.actions import (
    CaseAlreadyClosed,
    Outcome,
    close_case,
    close_cases,
    count_messages,
    follow_carts,
    lapse_due_cases,
    reschedule_checks,
    settle_paid_cases,
)
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_attempt, make_cart, make_order
from tests.factories.shops import make_shop, make_waiting_time

pytestmark = pytest.mark.django_db

News = Callable[[], list[tuple[str, int]]]


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def unpaid(shop: Shop, **values: Any) -> tuple[Order, RecoveryCase]:
    """Make an unpaid order of 149.00 with a case opened at `NOW`."""
    order = make_order(shop, status="unpaid", unpaid_at=NOW, check_at=None)
    return order, make_case(order, **values)


def pay(order: Order, *, at: datetime, message_id: int | None = None, **values: Any) -> None:
    """Pay the order as `settle_order` leaves it."""
    make_attempt(order, settled_at=at, learnt_at=at, message_id=message_id)
    Order.objects.filter(pk=order.pk).update(
        **{
            "payment_state": "paid",
            "status": "completed",
            "captured": order.total,
            "paid_at": at,
            "paid_learnt_at": at,
            **values,
        }
    )


def test_order_paid_after_a_message_is_recovered(shop: Shop, news: News) -> None:
    order, case = unpaid(shop)
    message = make_message(order, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    pay(order, at=NOW + 2 * HOUR)

    changed = settle_paid_cases([order.pk], now=NOW + 3 * HOUR)

    case.refresh_from_db()
    assert changed == [case.pk]
    assert (case.outcome, case.closed_at) == ("recovered", NOW + 3 * HOUR)
    assert (case.recovered_at, case.recovered_amount) == (NOW + 2 * HOUR, Decimal("149.00"))
    assert case.credited_message_id == message.pk
    assert news() == [("RecoveryCaseClosed", order.pk)]


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"state": "sent", "handed_at": NOW + 2 * HOUR},  # handed over as it was paid
        {"state": "sent", "handed_at": NOW + HOUR, "is_test": True},
        {"state": "sent", "handed_at": NOW + HOUR, "purpose": "thanks"},
        {"state": "uncertain", "handed_at": NOW + HOUR},
        {"state": "cancelled"},
        {"state": "due"},
    ],
)
def test_order_paid_without_a_message_before_is_paid_unaided(
    shop: Shop, message: dict[str, Any] | None
) -> None:
    order, case = unpaid(shop)
    if message is not None:
        make_message(order, case_id=case.pk, **message)
    pay(order, at=NOW + 2 * HOUR)

    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)

    case.refresh_from_db()
    assert (case.outcome, case.recovered_at, case.recovered_amount, case.credited_message_id) == (
        "paid_unaided",
        None,
        None,
        None,
    )


def test_message_of_another_case_earns_no_credit(shop: Shop) -> None:
    order, case = unpaid(shop)
    other, other_case = unpaid(shop)
    make_message(other, case_id=other_case.pk, state="sent", handed_at=NOW + HOUR)
    pay(order, at=NOW + 2 * HOUR)

    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)

    case.refresh_from_db()
    assert case.outcome == "paid_unaided"


def test_credit_goes_to_the_message_whose_link_opened_the_payment(shop: Shop) -> None:
    order, case = unpaid(shop)
    first, *_ = (
        make_message(
            order,
            case_id=case.pk,
            state="sent",
            handed_at=NOW + hours * HOUR,
            step_no=hours,
            clicked_at=click,
        )
        for hours, click in ((1, None), (2, NOW + 4 * HOUR), (3, None))
    )
    pay(order, at=NOW + 5 * HOUR, message_id=first.pk)

    settle_paid_cases([order.pk], now=NOW + 6 * HOUR)

    case.refresh_from_db()
    assert case.credited_message_id == first.pk


def test_credit_goes_to_the_last_followed_message_else_to_the_last_sent(shop: Shop) -> None:
    followed, only_sent = unpaid(shop), unpaid(shop)
    clicks = {1: NOW + 3 * HOUR, 2: NOW + 4 * HOUR, 3: NOW + 6 * HOUR}  # the third after paying
    messages = {
        (case.pk, hours): make_message(
            order,
            case_id=case.pk,
            state="sent",
            handed_at=NOW + hours * HOUR,
            step_no=hours,
            clicked_at=clicks[hours] if case is followed[1] else None,
        ).pk
        for order, case in (followed, only_sent)
        for hours in (1, 2, 3)
    }
    for order, _ in (followed, only_sent):
        pay(order, at=NOW + 5 * HOUR)

    settle_paid_cases([followed[0].pk, only_sent[0].pk], now=NOW + 7 * HOUR)

    credited = dict(RecoveryCase.objects.values_list("pk", "credited_message_id"))
    assert credited == {
        followed[1].pk: messages[followed[1].pk, 2],
        only_sent[1].pk: messages[only_sent[1].pk, 3],
    }


def test_settling_twice_changes_nothing(shop: Shop, news: News) -> None:
    order, case = unpaid(shop)
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    pay(order, at=NOW + 2 * HOUR)
    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)
    before = RecoveryCase.objects.values().get()

    assert settle_paid_cases([order.pk], now=NOW + 4 * HOUR) == []
    assert (RecoveryCase.objects.values().get(), len(news()), Activity.objects.count()) == (before, 1, 0)


def test_lapsed_case_is_restated_by_a_payment_that_became_true_in_time(shop: Shop) -> None:
    (early, early_case), (late, late_case) = unpaid(shop), unpaid(shop)
    for order, case in ((early, early_case), (late, late_case)):
        make_message(order, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    lapse_due_cases(now=NOW + 31 * DAY)
    pay(early, at=NOW + 29 * DAY)
    pay(late, at=NOW + 30 * DAY)

    settle_paid_cases([early.pk, late.pk], now=NOW + 40 * DAY)

    early_case.refresh_from_db()
    late_case.refresh_from_db()
    assert (early_case.outcome, early_case.recovered_at) == ("recovered", NOW + 29 * DAY)
    assert early_case.closed_at == NOW + 31 * DAY
    assert (late_case.outcome, late_case.recovered_amount) == ("paid_unaided", None)
    assert list(Activity.objects.order_by("id").values_list("verb", "subject_id", "details")) == [
        ("recovery.case.restated", early_case.pk, {"was": "lapsed", "outcome": "recovered"}),
        ("recovery.case.restated", late_case.pk, {"was": "lapsed", "outcome": "paid_unaided"}),
    ]


def test_message_whose_answer_came_after_the_payment_restates_the_case(shop: Shop) -> None:
    order, case = unpaid(shop)
    message = make_message(order, case_id=case.pk, state="handing", handed_at=NOW + HOUR)
    pay(order, at=NOW + 2 * HOUR)
    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)
    message.state = "sent"
    message.save()

    count_messages([case.pk], now=NOW + 4 * HOUR)

    case.refresh_from_db()
    assert (case.outcome, case.messages_sent, case.first_message_at) == ("recovered", 1, NOW + HOUR)


def test_messages_of_a_case_are_counted_from_the_messages(shop: Shop) -> None:
    order, case = unpaid(shop)
    for hours, state in ((5, "sent"), (3, "sent"), (4, "failed"), (1, "cancelled")):
        make_message(order, case_id=case.pk, state=state, handed_at=NOW + hours * HOUR, step_no=hours)
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW, step_no=9, is_test=True)

    count_messages([case.pk], now=NOW + DAY)
    count_messages([case.pk], now=NOW + DAY)

    case.refresh_from_db()
    assert (case.messages_sent, case.first_message_at) == (2, NOW + 3 * HOUR)


@pytest.mark.parametrize(
    ("values", "given_back"),
    [
        ({"refunded": Decimal("49.00"), "payment_state": "partly_refunded"}, Decimal("49.00")),
        ({"refunded": Decimal("149.00"), "payment_state": "refunded"}, Decimal("149.00")),
        ({"payment_state": "disputed"}, Decimal("149.00")),
    ],
)
def test_refund_keeps_the_case_recovered_and_stands_beside_it(
    shop: Shop, values: dict[str, Any], given_back: Decimal
) -> None:
    order, case = unpaid(shop)
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    pay(order, at=NOW + 2 * HOUR)
    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)
    Order.objects.filter(pk=order.pk).update(**values)

    settle_paid_cases([order.pk], now=NOW + DAY)

    case.refresh_from_db()
    assert (case.outcome, case.recovered_amount, case.refunded_amount) == (
        "recovered",
        Decimal("149.00"),
        given_back,
    )


def test_rest_of_a_partly_paid_order_is_what_was_recovered(shop: Shop) -> None:
    order, case = unpaid(shop, amount=Decimal("99.00"))
    make_attempt(order, amount=Decimal("50.00"), settled_at=NOW - HOUR)
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    pay(order, at=NOW + 2 * HOUR)

    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)

    case.refresh_from_db()
    assert case.recovered_amount == Decimal("99.00")


def test_cart_is_recovered_when_its_order_is_paid_without_a_case_of_its_own(shop: Shop) -> None:
    cart = make_cart(shop, state="converted", converted_at=NOW + 2 * HOUR)
    case = make_case(cart)
    message = make_message(cart, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    order = make_order(
        shop, source=cart.source, contact=cart.contact, cart_ref=cart.ref, placed_at=NOW + 2 * HOUR
    )
    follow_carts([cart.pk], now=NOW + 2 * HOUR)
    case.refresh_from_db()
    closed_as = case.outcome
    pay(order, at=NOW + 3 * HOUR)

    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)

    case.refresh_from_db()
    assert closed_as == "became_order"
    assert (case.outcome, case.credited_message_id) == ("recovered", message.pk)
    assert (case.paid_order_id, case.recovered_amount) == (order.pk, Decimal("149.00"))


def test_cart_that_was_paid_in_another_currency_counts_in_that_one(shop: Shop) -> None:
    cart = make_cart(shop, state="converted", converted_at=NOW + 2 * HOUR)
    case = make_case(cart)
    make_message(cart, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    follow_carts([cart.pk], now=NOW + 2 * HOUR)
    order = make_order(
        shop,
        source=cart.source,
        cart_ref=cart.ref,
        placed_at=NOW + 2 * HOUR,
        total="640.00",
        currency="PLN",
    )
    pay(order, at=NOW + 3 * HOUR)

    settle_paid_cases([order.pk], now=NOW + 3 * HOUR)

    case.refresh_from_db()
    assert (case.outcome, case.currency, case.recovered_amount, case.amount) == (
        "recovered",
        "PLN",
        Decimal("640.00"),
        Decimal("640.00"),
    )
    assert drifts(shop, now=NOW) == []


def test_cart_named_by_the_order_it_says_it_became_is_recovered_too(shop: Shop) -> None:
    cart = make_cart(shop, state="converted", converted_at=NOW + 2 * HOUR, order_ref="o-7")
    case = make_case(cart)
    make_message(cart, case_id=case.pk, state="sent", handed_at=NOW + HOUR)
    order = make_order(
        shop, source=cart.source, contact=cart.contact, ref="o-7", placed_at=NOW + 2 * HOUR, check_at=None
    )
    pay(order, at=NOW + 3 * HOUR)

    follow_carts([cart.pk], now=NOW + 3 * HOUR)

    case.refresh_from_db()
    assert (case.outcome, case.paid_order_id) == ("recovered", order.pk)


def test_money_is_credited_once_to_the_case_of_the_order(shop: Shop) -> None:
    cart = make_cart(shop, state="converted", converted_at=NOW)
    cart_case = make_case(cart, outcome="became_order", closed_at=NOW)
    make_message(cart, case_id=cart_case.pk, state="sent", handed_at=NOW - HOUR)
    order = make_order(shop, source=cart.source, contact=cart.contact, cart_ref=cart.ref, placed_at=NOW)
    order_case = make_case(order, opened_at=NOW + DAY)
    make_message(order, case_id=order_case.pk, state="sent", handed_at=NOW + DAY)
    pay(order, at=NOW + 2 * DAY)

    settle_paid_cases([order.pk], now=NOW + 2 * DAY)

    assert list(RecoveryCase.objects.order_by("id").values_list("outcome", "recovered_amount")) == [
        ("became_order", None),
        ("recovered", Decimal("149.00")),
    ]


def test_emptied_cart_is_cancelled_and_a_changed_one_keeps_its_sum(shop: Shop) -> None:
    emptied = make_cart(shop, state="emptied")
    changed = make_cart(shop, state="abandoned")
    cases = [make_case(emptied), make_case(changed)]
    Cart.objects.filter(pk=changed.pk).update(total=Decimal("12.50"))

    follow_carts([emptied.pk, changed.pk], now=NOW)

    for case in cases:
        case.refresh_from_db()
    assert [(c.outcome, c.amount) for c in cases] == [("cancelled", Decimal("99.00")), ("", Decimal("12.50"))]


def test_lapse_closes_what_is_over_and_nothing_else(shop: Shop, news: News) -> None:
    (order, over), (_, running), (_, closed) = (
        unpaid(shop),
        unpaid(shop, lapses_at=NOW + 31 * DAY),
        unpaid(shop, closed_at=NOW, outcome="cancelled"),
    )

    assert lapse_due_cases(now=NOW + 30 * DAY) == 1
    assert lapse_due_cases(now=NOW + 30 * DAY) == 0
    for case in (over, running, closed):
        case.refresh_from_db()
    assert [(c.outcome, c.closed_at) for c in (over, running, closed)] == [
        ("lapsed", NOW + 30 * DAY),
        ("", None),
        ("cancelled", NOW),
    ]
    assert news() == [("RecoveryCaseClosed", order.pk)]
    order.refresh_from_db()
    assert order.status == "unpaid"


def test_close_case_refuses_a_second_close(shop: Shop, news: News) -> None:
    order, case = unpaid(shop)
    close_case(case, outcome=Outcome.CANCELLED, now=NOW)

    with pytest.raises(CaseAlreadyClosed):
        close_case(case, outcome=Outcome.LAPSED, now=NOW + DAY)

    case.refresh_from_db()
    assert (case.outcome, case.closed_at, news()) == ("cancelled", NOW, [("RecoveryCaseClosed", order.pk)])


def test_close_cases_costs_the_same_for_one_and_three(
    shop: Shop, news: News, django_assert_num_queries: Any
) -> None:
    one, three = [unpaid(shop)[1].pk], [unpaid(shop)[1].pk for _ in range(3)]

    with django_assert_num_queries(5):
        close_cases(one, outcome=Outcome.CANCELLED, now=NOW)
    with django_assert_num_queries(5):
        assert close_cases(three, outcome=Outcome.CANCELLED, now=NOW) == three


def test_new_waiting_time_moves_only_orders_that_were_not_looked_at(shop: Shop) -> None:
    waiting = make_order(shop, placed_at=NOW)
    card = make_order(shop, placed_at=NOW, method="blik")
    transfer = make_order(shop, placed_at=NOW, method="bacs", is_offline_method=True)
    looked, _ = unpaid(shop)
    foreign = make_order(make_shop(), placed_at=NOW)
    shop.unpaid_after_minutes = 30
    shop.save()
    make_waiting_time(shop, method="blik", minutes=15)

    assert reschedule_checks(shop) == 3

    checks = dict(Order.objects.values_list("pk", "check_at"))
    assert checks == {
        waiting.pk: NOW + 30 * MINUTE,
        card.pk: NOW + 15 * MINUTE,
        transfer.pk: NOW + 3 * DAY,
        looked.pk: None,
        foreign.pk: NOW + 24 * HOUR,
    }


def test_orders_paid_on_delivery_are_looked_at_only_with_a_time_of_their_own(shop: Shop) -> None:
    order = make_order(shop, placed_at=NOW, method="cod", is_offline_method=True, check_at=None)
    order.check_at = check_instant(order, shop, live_since=order.source.live_since)
    assert (order.check_at, reschedule_checks(shop)) == (None, 0)

    make_waiting_time(shop, method="cod", minutes=20 * 24 * 60)

    assert reschedule_checks(shop) == 1
    assert Order.objects.get().check_at == NOW + 20 * DAY


def test_time_for_delivery_takes_only_what_would_be_looked_at_and_few_statements(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    cod: dict[str, Any] = {"placed_at": NOW, "method": "cod", "is_offline_method": True, "check_at": None}
    for values in ({"is_backfill": True}, {"is_test": True}, {"shop_state": "unknown"}, {}, {}):
        make_order(shop, **cod, **values)
    with django_assert_num_queries(4):  # one question, one batch, in its savepoint
        reschedule_checks(shop)
    make_waiting_time(shop, method="cod", minutes=60)

    with django_assert_num_queries(7):
        assert reschedule_checks(shop) == 2
    Order.objects.update(check_at=None)
    monkeypatch.setattr(actions, "BATCH", 1)
    assert reschedule_checks(shop) == 2

    for order in Order.objects.select_related("source"):
        assert order.check_at == check_instant(order, shop, live_since=order.source.live_since)


@pytest.mark.parametrize("method", ["card", "blik", "", "cod"])
@pytest.mark.parametrize("is_offline", [True, False])
@pytest.mark.parametrize("offline_minutes", [None, 7200])
def test_waiting_times_in_sql_are_those_of_the_orders_part(
    shop: Shop, method: str, is_offline: bool, offline_minutes: int | None
) -> None:
    order = make_order(shop, placed_at=NOW, method=method, is_offline_method=is_offline)
    make_waiting_time(shop, method="blik", minutes=15)
    if offline_minutes:
        make_waiting_time(shop, method="offline", minutes=offline_minutes)

    reschedule_checks(shop)

    order.refresh_from_db()
    assert order.check_at == check_instant(order, shop, live_since=order.source.live_since)
