"""Claims about cases that hold when everything is wired as in the product: real actions, real news, real handlers."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from django_scopes import scopes_disabled

from recoup import flow
from recoup.core import outbox
from recoup.core.activity import Actor
from recoup.orders.carts import convert_cart
from recoup.orders.models import Cart, Order
from recoup.orders.status import change_status
from recoup.payments.actions import record_payment, record_refund
from recoup.recovery.actions import close_cases
from recoup.recovery.detection import open_due_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops.snapshots import AttemptState, FailureClass, PaymentSnapshot, RefundSnapshot
from recoup.storefront.buying import Agreed, Person, place_order
from recoup.storefront.filled import fill
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.messages import make_message
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wired() -> Iterator[None]:
    set_clock(NOW)
    before = dict(outbox._routes)
    outbox.set_routes(flow.ROUTES)
    with scopes_disabled():
        yield
    outbox._routes.clear()
    outbox._routes.update(before)


def paid(order: Order, amount: str, ref: str = "p-1") -> PaymentSnapshot:
    return PaymentSnapshot(
        ref=ref, state=AttemptState.SUCCEEDED, amount=Decimal(amount), currency=order.currency, at=NOW + HOUR
    )


def dispatch() -> None:
    while outbox.dispatch():
        pass


def only_case() -> RecoveryCase:
    dispatch()
    return RecoveryCase.objects.get()


def test_payment_after_a_message_recovers_and_a_refund_is_kept_beside_it() -> None:
    order = make_order(make_shop(), total="100.00")
    open_due_cases(now=NOW)
    case = only_case()
    message = make_message(order, case_id=case.pk, state="sent", handed_at=NOW + HOUR / 2)

    record_payment(order, paid(order, "100.00"), now=NOW + HOUR)
    recovered = only_case()
    record_refund(
        order,
        RefundSnapshot(ref="r-1", amount=Decimal("30.00"), currency="EUR", at=NOW + 2 * HOUR),
        now=NOW + 2 * HOUR,
    )
    refunded = only_case()

    order.refresh_from_db()
    assert (order.status, recovered.outcome, recovered.credited_message_id) == (
        "completed",
        "recovered",
        message.pk,
    )
    assert (refunded.outcome, refunded.recovered_amount, refunded.refunded_amount) == (
        "recovered",
        Decimal("100.00"),
        Decimal("30.00"),
    )


def test_case_of_a_partly_paid_order_goes_on_about_the_rest() -> None:
    order = make_order(make_shop(), total="100.00")
    open_due_cases(now=NOW)

    record_payment(order, paid(order, "60.00"), now=NOW + HOUR)
    part = only_case()
    record_payment(order, paid(order, "40.00", "p-2"), now=NOW + 2 * HOUR)
    whole = only_case()

    assert (part.closed_at, part.amount) == (None, Decimal("40.00"))
    assert whole.outcome == "paid_unaided"


def test_open_case_takes_on_why_the_last_payment_failed() -> None:
    shop = make_shop()
    order, closed = (make_order(shop, contact=make_contact(shop)) for _ in range(2))
    open_due_cases(now=NOW)
    dispatch()
    close_cases([RecoveryCase.objects.get(order=closed).pk], outcome="lapsed", now=NOW)
    causes = [RecoveryCase.objects.get(order=order).cause]

    for number, why in enumerate((FailureClass.SOFT, None, FailureClass.HARD), 1):
        at = NOW + number * HOUR
        refused = replace(
            paid(order, "149.00", f"p-{number}"), state=AttemptState.FAILED, failure_class=why, at=at
        )
        for one in (order, closed):
            record_payment(one, refused, now=at)
        dispatch()
        causes.append(RecoveryCase.objects.get(order=order).cause)

    assert causes == ["no_payment", "soft", "unknown", "hard"]
    assert RecoveryCase.objects.get(order=closed).cause == "no_payment"


def test_who_chose_a_transfer_and_paid_a_part_is_not_unpaid_for_the_card() -> None:
    order = make_order(make_shop())
    refused = replace(paid(order, "149.00"), state=AttemptState.FAILED, failure_class=FailureClass.SOFT)
    record_payment(order, refused, now=NOW + HOUR)
    Order.objects.filter(pk=order.pk).update(shop_state="on_hold", version_at=NOW + HOUR)
    record_payment(order, paid(order, "40.00", "p-2"), now=NOW + HOUR)
    open_due_cases(now=NOW + HOUR)

    assert only_case().cause == "unknown"


@pytest.mark.parametrize(
    ("ref", "shop_state", "cause"),
    [("p-1", "pending", "soft"), ("p-1", "on_hold", "offline"), ("failed:1", "pending", "no_payment")],
)
@pytest.mark.parametrize("is_open_before", [True, False])
def test_who_tries_again_is_unpaid_for_the_failure_still_unless_the_shop_says_more(
    ref: str, shop_state: str, cause: str, *, is_open_before: bool
) -> None:
    order = make_order(make_shop())
    if is_open_before:
        open_due_cases(now=NOW)
        dispatch()
    refused = replace(paid(order, "149.00", ref), state=AttemptState.FAILED, failure_class=FailureClass.SOFT)
    again = replace(paid(order, "149.00", "p-2"), state=AttemptState.PENDING, at=NOW + 2 * HOUR)
    record_payment(order, refused, now=NOW + HOUR)
    Order.objects.filter(pk=order.pk).update(shop_state=shop_state, version_at=NOW + HOUR)
    record_payment(order, again, now=NOW + 2 * HOUR)
    dispatch()
    open_due_cases(now=NOW + 2 * HOUR)

    assert RecoveryCase.objects.get().cause == cause


@pytest.mark.parametrize("is_followed_at_once", [True, False])
@pytest.mark.parametrize(
    ("parts", "recovered"),
    [
        ([("40.00", 1), ("60.00", 2)], "100.00"),
        ([("40.00", -1), ("60.00", 2)], "60.00"),  # the first before anybody was reminded
        ([("40.00", 1), ("160.00", 2)], "100.00"),  # more than was owed
        ([("100.00", 1), ("100.00", 2)], "100.00"),  # twice
    ],
)
def test_what_is_paid_in_parts_after_a_reminder_is_recovered_together(
    parts: list[tuple[str, int]], recovered: str, is_followed_at_once: bool
) -> None:
    order = make_order(make_shop(), total="100.00", placed_at=NOW - 27 * HOUR)
    open_due_cases(now=NOW - 2 * HOUR)
    case = only_case()
    make_message(order, case_id=case.pk, state="sent", handed_at=NOW)
    for amount, hours in parts:
        at = NOW + hours * HOUR
        record_payment(order, replace(paid(order, amount, f"p-{hours}"), at=at), now=at)
        if is_followed_at_once:
            dispatch()

    case = only_case()

    assert (case.outcome, case.recovered_amount) == ("recovered", Decimal(recovered))


def test_what_was_paid_twice_and_given_back_once_stays_recovered() -> None:
    order = make_order(make_shop(), total="100.00")
    open_due_cases(now=NOW)
    make_message(order, case_id=only_case().pk, state="sent", handed_at=NOW)
    for ref, at in (("p-1", NOW + HOUR), ("p-2", NOW + 2 * HOUR)):
        record_payment(order, replace(paid(order, "100.00", ref), at=at), now=at)
    back = [
        RefundSnapshot(ref=f"r-{n}", amount=Decimal(sum_), currency="EUR", at=NOW)
        for n, sum_ in ((1, 100), (2, 30))
    ]

    record_refund(order, back[0], now=NOW + 3 * HOUR)
    once = only_case()
    record_refund(order, back[1], now=NOW + 4 * HOUR)

    assert (once.recovered_amount, once.refunded_amount) == (Decimal(100), Decimal(0))
    assert only_case().refunded_amount == Decimal(30)


def test_payment_brings_a_dropped_duplicate_back_and_ends_the_one_that_was_kept() -> None:
    shop = make_shop()
    anna = make_contact(shop)
    dropped = make_order(shop, contact=anna, placed_at=NOW - 26 * HOUR)
    kept = make_order(shop, contact=anna)
    open_due_cases(now=NOW)
    dispatch()
    dropped.refresh_from_db()
    before = dropped.status

    record_payment(dropped, paid(dropped, "149.00"), now=NOW + HOUR)
    case = only_case()

    dropped.refresh_from_db()
    kept.refresh_from_db()
    assert (before, dropped.status, dropped.duplicate_of_id) == ("false", "completed", None)
    assert (kept.status, kept.cancel_reason, case.outcome) == ("cancelled", "superseded", "superseded")


def test_order_marked_false_leaves_the_numbers_and_comes_back_with_its_case() -> None:
    order = make_order(make_shop())
    open_due_cases(now=NOW)
    order.refresh_from_db()

    order = change_status(order, "false", actor=Actor("person", 1), now=NOW)
    ended = only_case().outcome
    change_status(order, "in_work", actor=Actor("person", 1), now=NOW + HOUR)

    assert (ended, only_case().outcome) == ("false", "")


def reminded_cart(total: str) -> tuple[Cart, int]:
    """Make a left cart whose person was written to an hour before `NOW`, and return it with the message."""
    line = {"product_ref": "cream", "name": "Cream", "quantity": "1", "unit_price": total, "total": total}
    cart = make_cart(make_shop(), state="abandoned", total=Decimal(total), lines=[line], check_at=None)
    case = make_case(cart, opened_at=NOW - 2 * HOUR)
    return cart, make_message(cart, case_id=case.pk, state="sent", handed_at=NOW - HOUR).pk


def place_again(cart: Cart, total: str, email: str = "") -> Order:
    agreed = Agreed(Decimal(total), cart.shop.terms_version)
    person = Person(name="Ewa", email=email) if email else None
    return place_order(cart, fill(cart), agreed, now=NOW, person=person)


@pytest.mark.parametrize("email", ["", "ewa@other.example"])  # the second was corrected before ordering
def test_cart_that_was_ordered_and_paid_here_is_recovered(email: str) -> None:
    cart, message_id = reminded_cart("149.00")

    order = place_again(cart, "149.00", email)
    record_payment(order, paid(order, "149.00"), now=NOW + HOUR)
    case = only_case()

    assert (case.outcome, case.recovered_amount, case.credited_message_id, case.paid_order_id) == (
        "recovered",
        Decimal("149.00"),
        message_id,
        order.pk,
    )


def test_cart_that_was_ordered_here_again_after_its_order_was_cancelled_is_recovered() -> None:
    cart, _ = reminded_cart("149.00")
    first = place_again(cart, "149.00")
    change_status(first, "cancelled", reason="other", actor=Actor("person", 1), now=NOW)
    cart.refresh_from_db()

    order = place_again(cart, "149.00")
    record_payment(order, paid(order, "149.00"), now=NOW + HOUR)

    assert (only_case().outcome, only_case().paid_order_id) == ("recovered", order.pk)


@pytest.mark.parametrize(("is_theirs", "outcome"), [(True, "recovered"), (False, "became_order")])
def test_cart_that_its_plugin_tells_became_an_order_of_another_source_is_recovered(
    is_theirs: bool, outcome: str
) -> None:
    cart, _ = reminded_cart("149.00")
    shop_itself = make_source(cart.shop, kind="woocommerce")
    contact = cart.contact if is_theirs else make_contact(cart.shop)
    order = make_order(
        cart.shop, source=shop_itself, ref="1234", contact=contact, placed_at=NOW, check_at=None
    )
    convert_cart(cart.source, cart.ref, order_ref="1234", at=NOW, now=NOW)

    record_payment(order, paid(order, "149.00"), now=NOW + HOUR)

    assert only_case().outcome == outcome
