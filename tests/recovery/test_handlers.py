"""Claims about what recovery does when it hears news."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.models import AttentionItem
from recoup.core.money import Money
from recoup.customers.events import CustomerMerged
from recoup.flow import ROUTES
from recoup.messaging.events import MessageSettled
from recoup.offers.models import Offer
from recoup.orders.carts import record_cart
from recoup.orders.events import CartChanged, OrderCancelled, OrderChanged, OrderPlaced
from recoup.orders.models import CartFact, Order, OrderFact, StatusChange
from recoup.payments.events import PaymentReceived, RefundMade
from recoup.recovery import handlers
from recoup.recovery.detection import open_due_cases
from recoup.recovery.events import RecoveryCaseOpened
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from recoup.shops.snapshots import CartSnapshot, LineSnapshot
from recoup.storefront.filled import fill
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.offers import make_offer
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_waiting_time

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    set_clock(NOW)
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def unpaid(shop: Shop, **values: Any) -> Order:
    """Make an unpaid order of a day ago with a case opened at `NOW`."""
    order = make_order(shop, **{"status": "unpaid", "unpaid_at": NOW, "check_at": None, **values})
    make_case(order)
    return order


def state(order: Order) -> tuple[str, str, str]:
    """Return status of the order, and outcome of its case."""
    order.refresh_from_db()
    outcome = RecoveryCase.objects.filter(order=order).values_list("outcome", flat=True).first()
    return order.status, order.cancel_reason, "no case" if outcome is None else outcome


def placed(order: Order) -> list[OrderPlaced]:
    return [OrderPlaced(shop_id=order.shop_id, order_id=order.pk, at=order.placed_at)]


def paid(order: Order) -> list[PaymentReceived]:
    return [PaymentReceived(shop_id=order.shop_id, order_id=order.pk, at=NOW, learnt_at=NOW)]


def ended(order: Order) -> list[OrderCancelled]:
    return [OrderCancelled(shop_id=order.shop_id, order_id=order.pk, at=NOW)]


def changed(order: Order) -> list[OrderChanged]:
    return [OrderChanged(shop_id=order.shop_id, order_id=order.pk, at=NOW)]


def opened(order: Order) -> list[RecoveryCaseOpened]:
    case = RecoveryCase.objects.get(order=order)
    return [RecoveryCaseOpened(order.shop_id, case.pk, "order", order.pk, order.contact_id, NOW)]


def test_paid_order_closes_its_case(shop: Shop) -> None:
    order = unpaid(shop)
    case = RecoveryCase.objects.get()
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW - 2 * HOUR)
    Order.objects.filter(pk=order.pk).update(
        payment_state="paid", status="completed", paid_at=NOW - HOUR, paid_learnt_at=NOW, captured=order.total
    )

    handlers.close_paid(paid(order))
    handlers.close_paid(paid(order))

    case.refresh_from_db()
    assert (case.outcome, case.recovered_at) == ("recovered", NOW - HOUR)


def test_paid_order_supersedes_an_older_one_that_is_being_reminded(shop: Shop) -> None:
    anna = make_contact(shop)
    old, other = unpaid(shop, contact=anna), unpaid(shop, contact=anna, products=("soap",))
    new = make_order(shop, contact=anna, placed_at=NOW - 2 * HOUR, paid_at=NOW - HOUR)

    handlers.close_paid(paid(new))
    handlers.close_paid(paid(new))

    assert (state(old), state(other)) == (("cancelled", "superseded", "superseded"), ("unpaid", "", ""))
    assert (old.superseded_by_id, old.lock_version) == (new.pk, 1)
    assert StatusChange.objects.values_list("order_id", "from_status", "to_status", "reason").get() == (
        old.pk,
        "unpaid",
        "cancelled",
        "superseded",
    )
    assert OrderFact.objects.values_list("kind", "details").get() == ("superseded", {"by": new.pk})


def test_payment_on_a_dropped_duplicate_ends_the_one_that_was_kept(shop: Shop) -> None:
    anna = make_contact(shop)
    dropped = make_order(shop, contact=anna, placed_at=NOW - 26 * HOUR)
    kept = make_order(shop, contact=anna)
    open_due_cases(now=NOW)
    assert (state(dropped), state(kept)) == (("false", "", "no case"), ("unpaid", "", ""))
    Order.objects.filter(pk=dropped.pk).update(  # as settle_order restores it
        payment_state="paid", status="completed", paid_at=NOW, duplicate_of=None, captured=dropped.total
    )

    handlers.close_paid(paid(dropped))

    assert (state(dropped), state(kept)) == (
        ("completed", "", "no case"),
        ("cancelled", "superseded", "superseded"),
    )


def test_new_order_for_the_same_products_takes_over_from_the_older_one(shop: Shop) -> None:
    anna = make_contact(shop)
    old, other = unpaid(shop, contact=anna), unpaid(shop, contact=anna, products=("soap",))
    held = unpaid(shop, contact=anna, products=("comb",), claimed_until=NOW + DAY)
    new = make_order(shop, contact=anna, placed_at=NOW - HOUR)
    comb = make_order(shop, contact=anna, products=("comb",), placed_at=NOW - HOUR)

    handlers.make_way_for_orders(placed(new) + placed(comb))
    handlers.make_way_for_orders(placed(new) + placed(comb))

    assert [state(order) for order in (old, other, held)] == [
        ("false", "", "duplicate"),
        ("unpaid", "", ""),
        ("unpaid", "", ""),
    ]
    assert old.duplicate_of_id == new.pk
    assert StatusChange.objects.values_list("order_id", "to_status", "reason").get() == (
        old.pk,
        "false",
        "duplicate",
    )


def test_new_order_ends_the_case_of_the_cart_that_its_person_left(shop: Shop) -> None:
    anna = make_contact(shop)
    left = make_cart(shop, contact=anna, state="abandoned", last_activity_at=NOW - 3 * HOUR)
    later = make_cart(shop, contact=anna, state="abandoned", last_activity_at=NOW - HOUR)
    foreign = make_cart(shop, state="abandoned", last_activity_at=NOW - 3 * HOUR)
    for cart in (left, later, foreign):
        make_case(cart)

    handlers.make_way_for_orders(placed(make_order(shop, contact=anna, placed_at=NOW - 2 * HOUR)))

    assert list(RecoveryCase.objects.order_by("id").values_list("outcome", flat=True)) == [
        "became_order",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ({"status": "cancelled", "cancel_reason": "too dear"}, "cancelled"),
        ({"status": "false"}, "false"),
        ({"status": "in_work"}, ""),  # taken back before the news was heard
    ],
)
def test_ended_order_closes_its_case(shop: Shop, values: dict[str, str], outcome: str) -> None:
    order = unpaid(shop)
    Order.objects.filter(pk=order.pk).update(**values)

    handlers.close_ended(ended(order))

    assert RecoveryCase.objects.get().outcome == outcome


def test_duplicates_of_an_order_marked_false_come_back(shop: Shop) -> None:
    anna = make_contact(shop)
    dropped = make_order(shop, contact=anna, placed_at=NOW - 26 * HOUR)
    kept = make_order(shop, contact=anna)
    open_due_cases(now=NOW)
    Order.objects.filter(pk=kept.pk).update(status="false")

    handlers.close_ended(ended(kept))
    counts = open_due_cases(now=NOW + timedelta(seconds=90))

    assert counts.opened == 1
    assert (state(dropped), state(kept)) == (("unpaid", "", ""), ("false", "", "false"))
    assert list(
        StatusChange.objects.filter(order=dropped).order_by("id").values_list("to_status", "reason")
    ) == [("false", "duplicate"), ("new", "released"), ("unpaid", "not_paid_in_time")]


def test_third_duplicate_leaves_the_first_dropped_and_one_comes_back_at_the_end(shop: Shop) -> None:
    anna = make_contact(shop)
    first = unpaid(shop, contact=anna, placed_at=NOW - 50 * HOUR)
    second = unpaid(shop, contact=anna, placed_at=NOW - 30 * HOUR)
    handlers.make_way_for_orders(placed(second))
    handlers.close_ended(ended(first))
    third = unpaid(shop, contact=anna)

    handlers.make_way_for_orders(placed(third))
    handlers.close_ended(ended(second))

    assert [state(one) for one in (first, second, third)] == [("false", "", "duplicate")] * 2 + [
        ("unpaid", "", "")
    ]
    assert {first.duplicate_of_id, second.duplicate_of_id} == {third.pk}
    Order.objects.filter(pk=third.pk).update(status="false")
    handlers.close_ended(ended(third))
    assert [state(one)[0] for one in (first, second, third)] == ["false", "new", "false"]
    assert [one.duplicate_of_id for one in (first, second)] == [second.pk, None]
    assert StatusChange.objects.filter(order=first).count() == 1


def test_duplicates_dropped_one_after_the_other_before_anybody_heard_go_to_the_end(shop: Shop) -> None:
    anna = make_contact(shop)
    last = unpaid(shop, contact=anna)
    second = unpaid(shop, contact=anna, status="false", duplicate_of=last)
    first = unpaid(shop, contact=anna, status="false", duplicate_of=second)
    dropped = unpaid(shop, contact=anna, status="false", duplicate_of=first)

    handlers.close_ended([*ended(first), *ended(second), *ended(dropped)])

    assert {state(one)[0] for one in (dropped, first, second)} == {"false"}
    assert {one.duplicate_of_id for one in (dropped, first, second)} == {last.pk}


def test_duplicates_of_a_cancelled_order_stay_dropped(shop: Shop) -> None:
    anna = make_contact(shop)
    dropped = make_order(shop, contact=anna, placed_at=NOW - 26 * HOUR)
    kept = make_order(shop, contact=anna)
    open_due_cases(now=NOW)
    Order.objects.filter(pk=kept.pk).update(status="cancelled")

    handlers.close_ended(ended(kept))

    assert (state(dropped), state(kept)) == (("false", "", "no case"), ("cancelled", "", "cancelled"))


def test_order_taken_back_into_work_counts_again(shop: Shop) -> None:
    order = unpaid(shop)
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    handlers.close_ended(ended(order))
    Order.objects.filter(pk=order.pk).update(status="in_work")

    handlers.follow_changed(changed(order))

    case = RecoveryCase.objects.get()
    assert (case.outcome, case.closed_at) == ("", None)


def test_changed_order_changes_the_sum_that_waits(shop: Shop) -> None:
    order = unpaid(shop)
    Order.objects.filter(pk=order.pk).update(total=Decimal("200"), captured=Decimal("50"))

    handlers.follow_changed(changed(order))

    assert RecoveryCase.objects.get().amount == Decimal("150.00")


def test_order_that_costs_nothing_any_more_ends_its_case(shop: Shop) -> None:
    order = unpaid(shop)
    Order.objects.filter(pk=order.pk).update(total=0, payment_state="nothing_due", status="completed")

    handlers.follow_changed(changed(order))

    assert RecoveryCase.objects.get().outcome == "cancelled"


def test_cart_whose_buyer_switched_the_currency_is_wholly_in_the_new_one(shop: Shop) -> None:
    cart = make_cart(shop, state="abandoned", abandoned_at=NOW - HOUR)
    case = make_case(cart)
    offer = make_offer(cart)
    kept = make_offer(make_cart(shop))
    line = LineSnapshot("cream", "Cream", Decimal(1), Decimal("640.00"), Decimal("640.00"))
    told = CartSnapshot(cart.ref, "PLN", Decimal("640.00"), NOW, lines=(line,))

    record_cart(cart.source, told, now=NOW)
    for hears in ROUTES[CartChanged]:
        hears([CartChanged(shop_id=shop.pk, cart_id=cart.pk, at=NOW)])

    cart.refresh_from_db()
    case.refresh_from_db()
    assert fill(cart).total == fill(cart).was_total == Money(Decimal("640.00"), "PLN")
    assert (case.amount, case.currency, case.outcome) == (Decimal("640.00"), "PLN", "")
    assert CartFact.objects.values_list("kind", "details").get() == (
        "changed",
        {
            "total": "640.00",
            "product_refs": ["cream"],
            "currency": "PLN",
            "was_currency": "EUR",
            "was_total": "99.0000",
        },
    )
    assert list(Offer.objects.order_by("id").values_list("id", "state", "reason")) == [
        (offer.pk, "void", "currency"),
        (kept.pk, "granted", ""),
    ]


def test_converted_cart_becomes_an_order(shop: Shop) -> None:
    cart = make_cart(shop, state="converted", converted_at=NOW)
    make_case(cart)

    handlers.follow_changed_carts([CartChanged(shop_id=shop.pk, cart_id=cart.pk, at=NOW)])

    assert RecoveryCase.objects.get().outcome == "became_order"


def settled(order: Order, case_id: int | None, at: datetime) -> list[MessageSettled]:
    message = make_message(order, case_id=case_id, state="sent", handed_at=at)
    return [MessageSettled(order.shop_id, message.pk, None, None, case_id, "sent", at)]


def test_settled_messages_are_counted(shop: Shop) -> None:
    order = unpaid(shop)
    case = RecoveryCase.objects.get()

    handlers.count_settled(
        settled(order, case.pk, NOW + HOUR) + settled(order, case.pk, NOW) + settled(order, None, NOW)
    )

    case.refresh_from_db()
    assert (case.messages_sent, case.first_message_at) == (2, NOW)


def test_refund_is_kept_beside_the_recovered_money(shop: Shop) -> None:
    order = unpaid(shop)
    case = RecoveryCase.objects.get()
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW - 2 * HOUR)
    Order.objects.filter(pk=order.pk).update(
        payment_state="refunded", paid_at=NOW - HOUR, captured=order.total, refunded=order.total
    )

    handlers.subtract_refunds([RefundMade(shop_id=shop.pk, order_id=order.pk, at=NOW)])

    case.refresh_from_db()
    assert (case.outcome, case.recovered_amount, case.refunded_amount) == (
        "recovered",
        order.total,
        order.total,
    )


def test_case_that_opened_in_the_moment_its_sibling_was_paid_is_looked_at_again(shop: Shop) -> None:
    anna = make_contact(shop)
    order = unpaid(shop, contact=anna)
    make_order(shop, contact=anna, placed_at=NOW - 2 * HOUR, paid_at=NOW - HOUR)

    handlers.look_again(opened(order))

    assert state(order) == ("cancelled", "superseded", "superseded")


def test_two_cases_for_the_same_products_become_one(shop: Shop) -> None:
    anna = make_contact(shop)
    older, newer = unpaid(shop, contact=anna), unpaid(shop, contact=anna, placed_at=NOW - 24 * HOUR)

    handlers.look_again(opened(newer) + opened(older))

    assert (state(older), state(newer)) == (("false", "", "duplicate"), ("unpaid", "", ""))


def test_news_of_one_shop_moves_nothing_of_another(shop: Shop) -> None:
    other = make_shop()
    foreign = unpaid(other, contact=make_contact(other, email="anna@example.com"))
    new = make_order(shop, contact=make_contact(shop, email="anna@example.com"), paid_at=NOW)

    handlers.make_way_for_orders(placed(new))
    handlers.close_paid(paid(new))

    assert state(foreign) == ("unpaid", "", "")


def test_cases_follow_a_merged_person(shop: Shop) -> None:
    order = unpaid(shop)
    stays = make_contact(shop)

    handlers.follow_merged([CustomerMerged(shop.pk, stays.pk, gone_id=order.contact_id or 0, at=NOW)])

    assert RecoveryCase.objects.get().contact_id == stays.pk


def test_a_merged_person_is_not_reminded_of_what_the_other_paid_or_ordered_anew(shop: Shop) -> None:
    stays, gone = make_contact(shop), make_contact(shop)
    superseded = unpaid(shop, contact=stays, products=("cream",), placed_at=NOW - 2 * DAY)
    twin = unpaid(shop, contact=stays, products=("soap",), placed_at=NOW - 2 * DAY)
    cart = make_cart(shop, contact=stays, products=("brush",), last_activity_at=NOW - 2 * DAY)
    left = make_case(cart)
    make_order(shop, contact=gone, products=("cream",), paid_at=NOW - HOUR)
    newer = unpaid(shop, contact=gone, products=("soap",), placed_at=NOW - DAY)
    Order.objects.filter(contact=gone).update(contact=stays)  # as the merge did

    handlers.follow_merged([CustomerMerged(shop.pk, stays.pk, gone_id=gone.pk, at=NOW)])

    assert state(superseded) == ("cancelled", "superseded", "superseded")
    assert (state(twin)[0], state(newer)) == ("false", ("unpaid", "", ""))
    left.refresh_from_db()
    assert left.outcome == "became_order"


@pytest.mark.parametrize(("minutes", "outcome"), [(None, "cancelled"), (60, "")])
def test_buyer_who_pays_on_delivery_after_all_is_reminded_only_by_a_time_of_that(
    shop: Shop, minutes: int | None, outcome: str
) -> None:
    order = unpaid(shop)
    if minutes is not None:
        make_waiting_time(shop, method="cod", minutes=minutes)
    Order.objects.update(method="cod", is_offline_method=True, payment_state="on_hold")

    for _ in range(2):
        handlers.follow_changed([OrderChanged(shop.pk, order.pk, NOW)])
        assert state(order)[2] == outcome

    Order.objects.update(method="card", is_offline_method=False, payment_state="failed")
    handlers.follow_changed([OrderChanged(shop.pk, order.pk, NOW)])
    assert state(order)[2] == ""


def test_cases_of_orders_paid_on_delivery_from_an_older_version_are_closed(shop: Shop) -> None:
    tell = import_module("recoup.recovery.migrations.0003_tell_of_payments_on_delivery").TELL
    order, card, timed = unpaid(shop, method="cod"), unpaid(shop), unpaid(make_shop(), method="cod")
    make_waiting_time(timed.shop, method="cod", minutes=60)
    with connection.cursor() as cursor:
        cursor.execute(tell)

    while outbox.dispatch():
        pass

    assert [state(one)[2] for one in (order, card, timed)] == ["cancelled", "", ""]
    assert not AttentionItem.objects.exists()  # no dead letter
