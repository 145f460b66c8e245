"""What people have bought, as the database tells it (J4, J6)."""

from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.payments.events import PaymentReceived
from recoup.processes.engine.codes import Code, State
from recoup.processes.entering import enrol_placed
from recoup.processes.handlers import wake_paid
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, StepLog
from recoup.processes.purchases import purchases_of
from recoup.processes.queries import next_steps
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop

ASKS = {
    "n1": {
        "t": "until",
        "on": {"e": "product.bought", "products": ["soap"]},
        "within": "P2D",
        "out": {"yes": "n2", "no": "n3"},
    },
    "n3": {"t": "send", "template": "first", "out": {"done": "n2"}},
    "n2": {"t": "end"},
}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Any:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Return a shop."""
    return make_shop()


def test_only_what_was_paid_and_kept_is_bought(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, products=("soap", "wax"), paid_at=NOW - 2 * DAY)
    make_order(shop, contact=anna, products=("soap",), paid_at=NOW - DAY, payment_state="partly_refunded")
    make_order(shop, contact=anna, products=("lamp",), paid_at=NOW - DAY, payment_state="refunded")
    make_order(shop, contact=anna, products=("vase",))
    make_order(shop, contact=anna, products=("cup",), paid_at=NOW - DAY, is_test=True)
    make_order(shop, products=("candle",), paid_at=NOW - DAY)

    assert purchases_of([(shop.pk, anna.pk)]) == {
        anna.pk: {"soap": (NOW - 2 * DAY, NOW - DAY), "wax": (NOW - 2 * DAY,)}
    }


def test_another_shop_is_not_asked(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, paid_at=NOW - DAY)

    assert purchases_of([(make_shop(slug="other").pk, anna.pk)]) == {}


def test_a_clock_ahead_buys_nothing_before_we_learnt_it(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, products=("soap",), paid_at=NOW + HOUR, paid_learnt_at=NOW)

    assert purchases_of([(shop.pk, anna.pk)]) == {anna.pk: {"soap": (NOW,)}}


def test_a_payment_of_another_order_answers_who_waits_for_the_same_person_to_buy(shop: Shop) -> None:
    set_clock(NOW)
    make_process(shop, nodes=ASKS, entry={"on": "order.placed"})
    anna, ewa = make_contact(shop), make_contact(shop)
    asked = [make_order(shop, contact=contact, placed_at=NOW) for contact in (anna, ewa)]
    enrol_placed([order.pk for order in asked])
    Engine().run_once()

    paid = make_order(shop, contact=anna, products=("soap",), paid_at=NOW)
    wake_paid([PaymentReceived(shop.pk, paid.pk, at=NOW, learnt_at=NOW)])

    assert dict(Enrolment.objects.values_list("subject_id", "state")) == {
        asked[0].pk: State.READY,
        asked[1].pk: State.WAITING,
    }
    assert Engine().run_once() == 1
    assert list(StepLog.objects.order_by("step_no").values_list("outcome", flat=True)) == [
        Code.YES,
        Code.COMPLETED,
    ]
    (_, waiting) = next_steps(subject_kind=1, subject_id=asked[1].pk, now=NOW)[0]
    assert waiting.unless == ("process.unless.order.paid", "process.unless.product.bought")


def test_a_process_may_ask_at_the_door_for_what_was_ordered(shop: Shop) -> None:
    condition = {"f": "order.products", "op": "has_any", "v": ["soap", "wax"]}
    make_process(shop, entry={"on": "order.placed", "if": condition})
    orders = [
        make_order(shop, products=products, placed_at=NOW)
        for products in (("soap",), ("lamp",), ("lamp", "wax"))
    ]

    enrol_placed([order.pk for order in orders])

    assert sorted(Enrolment.objects.values_list("subject_id", flat=True)) == [orders[0].pk, orders[2].pk]
