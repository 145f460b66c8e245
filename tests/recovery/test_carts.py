"""Claims about carts that were left."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.orders.carts import record_cart
from recoup.orders.models import Cart, CartFact
from recoup.recovery.detection import Counts, open_left_carts
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from recoup.shops.snapshots import CartSnapshot, LineSnapshot
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source

pytestmark = pytest.mark.django_db

News = Callable[[], list[tuple[str, int]]]


@pytest.fixture(autouse=True)
def everywhere() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop(cart_after_minutes=60)


def test_left_cart_is_abandoned_and_opens_a_case(shop: Shop, news: News) -> None:
    cart = make_cart(shop, last_activity_at=NOW - HOUR)

    counts = open_left_carts(now=NOW)

    cart.refresh_from_db()
    case = RecoveryCase.objects.get()
    assert counts == Counts(looked=1, opened=1)
    assert (cart.state, cart.abandoned_at, cart.check_at) == ("abandoned", NOW, None)
    assert (case.kind, case.cart_id, case.order_id, case.cause) == ("cart", cart.pk, None, "cart_left")
    assert (case.amount, case.currency, case.contact_id) == (cart.total, "EUR", cart.contact_id)
    assert (case.opened_at, case.lapses_at) == (NOW, NOW + 30 * DAY)
    assert list(CartFact.objects.values_list("cart_id", "kind", "became_true_at", "learnt_at")) == [
        (cart.pk, "abandoned", NOW, NOW)
    ]
    assert news() == [("RecoveryCaseOpened", cart.pk)]


def test_cart_is_left_once_however_often_its_owner_comes_back(shop: Shop, news: News) -> None:
    cart = make_cart(shop)
    open_left_carts(now=NOW)
    for visit in range(5):
        at = NOW + visit * DAY
        Cart.objects.filter(pk=cart.pk).update(state="open", last_activity_at=at, check_at=at + HOUR)
        open_left_carts(now=at + 2 * HOUR)

    assert (RecoveryCase.objects.count(), CartFact.objects.count(), len(news())) == (1, 1, 1)


def test_left_cart_that_is_emptied_and_filled_again_is_no_empty_one(shop: Shop) -> None:
    cart = make_cart(shop, last_activity_at=NOW - HOUR)
    open_left_carts(now=NOW)
    lines = (LineSnapshot("cream", "Cream", Decimal(1), Decimal(9), Decimal(9)),)
    states = []

    for minute, told in enumerate([(), lines], start=1):
        at = NOW + minute * MINUTE
        snapshot = CartSnapshot(cart.ref, "EUR", Decimal(9), version_at=at, lines=told)
        record_cart(cart.source, snapshot, now=at)
        cart.refresh_from_db()
        states.append((cart.state, cart.check_at))

    assert states == [("emptied", None), ("abandoned", None)]


def test_cart_touched_since_it_was_scheduled_waits_anew(shop: Shop) -> None:
    cart = make_cart(shop, last_activity_at=NOW - 10 * MINUTE, check_at=NOW - MINUTE)

    assert open_left_carts(now=NOW) == Counts(looked=1, postponed=1)
    cart.refresh_from_db()
    assert (cart.state, cart.check_at) == ("open", NOW + 50 * MINUTE)


@pytest.mark.parametrize(
    "values",
    [
        {"contact": None},
        {"state": "converted", "converted_at": NOW - HOUR},
        {"state": "emptied"},
        {"is_backfill": True},
        {"last_activity_at": NOW - 15 * DAY},
    ],
)
def test_cart_that_nobody_can_be_reminded_of_opens_nothing(
    shop: Shop, news: News, values: dict[str, Any]
) -> None:
    cart = make_cart(shop, **values)
    before = cart.state

    assert open_left_carts(now=NOW) == Counts(looked=1, passed_over=1)
    cart.refresh_from_db()
    assert (cart.state, cart.check_at, cart.abandoned_at) == (before, None, None)
    assert (RecoveryCase.objects.count(), news()) == (0, [])


@pytest.mark.parametrize("values", [{"collects_carts": False}, {"live_since": NOW - HOUR}])
def test_shop_that_collects_no_carts_or_was_not_live_opens_nothing(values: dict[str, Any]) -> None:
    make_cart(make_shop(**values))

    assert open_left_carts(now=NOW) == Counts(looked=1, passed_over=1)


def test_source_that_was_not_live_opens_nothing(shop: Shop) -> None:
    make_cart(shop, source=make_source(shop, live_since=NOW - HOUR))

    assert open_left_carts(now=NOW) == Counts(looked=1, passed_over=1)


def test_whoever_has_ordered_since_has_left_nothing(shop: Shop) -> None:
    anna = make_contact(shop)
    make_cart(shop, contact=anna, last_activity_at=NOW - 3 * HOUR)
    make_order(shop, contact=anna, products=("soap",), placed_at=NOW - 2 * HOUR)

    assert open_left_carts(now=NOW) == Counts(looked=1, passed_over=1)
    assert RecoveryCase.objects.count() == 0


def test_order_placed_before_the_cart_was_touched_does_not_count(shop: Shop) -> None:
    anna = make_contact(shop)
    make_order(shop, contact=anna, placed_at=NOW - 4 * HOUR)
    make_cart(shop, contact=anna, last_activity_at=NOW - 3 * HOUR)

    assert open_left_carts(now=NOW) == Counts(looked=1, opened=1)


def test_second_cart_of_the_same_person_is_a_cycle_of_its_own(shop: Shop) -> None:
    anna = make_contact(shop)
    carts = [make_cart(shop, contact=anna), make_cart(shop, contact=anna)]

    assert open_left_carts(now=NOW) == Counts(looked=2, opened=2)
    assert sorted(RecoveryCase.objects.values_list("cart_id", flat=True)) == [c.pk for c in carts]
