"""Offers that the shop itself applies: its coupon is made, held against the promise, used once, and taken away."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from recoup.config.worker import record_told
from recoup.core import outbox
from recoup.core.activity import Actor
from recoup.core.clock import real_now
from recoup.core.models import AttentionItem, Installation
from recoup.customers.models import Contact
from recoup.integrations.woocommerce.adapter import WooCommerce
from recoup.offers import handlers
from recoup.offers.budgets import period_start, spent
from recoup.offers.codes import shown
from recoup.offers.ending import PAUSE, end_offers, expire_due_offers, withdraw
from recoup.offers.events import OfferDecided, OfferGranted
from recoup.offers.granting import OfferRefused, Wish, grant_by_hand, grant_offers
from recoup.offers.making import call_shops
from recoup.offers.models import Budget, Offer, Redemption
from recoup.offers.pricing import Basket, Line, Rules, lowest_sum, margin_at, quote
from recoup.offers.reasons import Reason
from recoup.offers.redeeming import KEPT, confirm_paid, find_applied, redeem
from recoup.offers.terms import BudgetLimit, Kind, Period, Terms
from recoup.offers.wishing import Promise
from recoup.orders.events import OrderCancelled, OrderChanged, OrderPlaced
from recoup.orders.models import Cart, Order
from recoup.processes.engine.codes import Code
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import StepLog
from recoup.shops.snapshots import OrderSnapshot
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.offers import TEN, make_settings
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.products import make_product
from tests.factories.shops import make_shop, make_source
from tests.integrations.woocommerce.coupon_desk import put_order
from tests.integrations.woocommerce.shop import Shop, serving
from tests.offers.woo import BusyShop, World, address, connect
from tests.support.together import together

D = Decimal
pytestmark = pytest.mark.django_db
BUDGET = BudgetLimit(D("1000.00"), "EUR", Period.EVER)


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture(scope="module")
def woo() -> Iterator[BusyShop]:
    """One server for all tests; each finds it as new."""
    with serving(BusyShop(now=NOW)) as shop:
        assert isinstance(shop, BusyShop)
        yield shop


@pytest.fixture
def world(woo: BusyShop, settings: Settings) -> World:
    """Return a connected shop whose goods cost 40 %, at `NOW`."""
    settings.IS_TEST = True
    fresh = BusyShop(now=NOW, url=woo.url)
    for name in fresh.__dataclass_fields__:
        setattr(woo, name, getattr(fresh, name))
    set_clock(NOW)
    shop = make_shop()
    make_settings(shop)
    return connect(woo, shop)


def ask_for(subject: Order | Cart, terms: Terms = TEN, **values: Any) -> Offer:
    """Let a step wish for an offer."""
    is_order = isinstance(subject, Order)
    wish = Wish(
        subject.shop_id,
        subject.contact_id or 0,
        terms,
        NOW + 2 * DAY,
        order_id=subject.pk if is_order else None,
        cart_id=None if is_order else subject.pk,
        budget=BUDGET,
        budget_key="k",
        enrolment_id=7,
        step_no=3,
    )
    (offer,) = grant_offers([replace(wish, **values)], now=NOW)
    return offer


def fresh(offer: Offer) -> Offer:
    offer.refresh_from_db()
    return offer


def cost(world: World) -> Decimal:
    return spent(world.shop, "k", "EUR", start=period_start(Period.EVER, world.shop, NOW))


def asked_about(kind: str) -> list[int | None]:
    return list(AttentionItem.objects.filter(kind=kind).values_list("subject_id", flat=True))


def test_the_order_charges_the_new_sum_before_anybody_hears_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.order()
    news: list[Any] = []
    monkeypatch.setattr(outbox, "announce", lambda *items: news.extend(items))
    offer = ask_for(order)
    assert (offer.state, news, world.total(order)) == ("asked", [], D("100.00"))

    world.work()

    offer = fresh(offer)
    assert offer.decided_at is not None
    order.refresh_from_db()
    assert (offer.state, offer.new_total, world.total(order), order.total) == (
        "granted",
        D("90.00"),
        D("90.00"),
        D("90.00"),
    )
    assert [one for one in news if not isinstance(one, OrderChanged)] == [
        OfferGranted(world.shop.pk, offer.pk, offer.decided_at),
        OfferDecided(world.shop.pk, offer.pk, 7, offer.decided_at),
    ]
    (coupon,) = world.woo.coupons.values()
    assert (coupon["code"], offer.remote_ref) == (shown(offer.code).lower(), str(coupon["id"]))
    assert coupon["date_expires_gmt"] == (NOW + 2 * DAY).strftime("%Y-%m-%dT%H:%M:%S")
    assert (world.work(), cost(world)) == (0, D("10.00"))


@pytest.mark.parametrize(
    ("terms", "left"),
    [
        (Terms(Kind.AMOUNT, amount=D("12.50"), currency="EUR"), "92.50"),
        (Terms(Kind.PERCENT, percent=D("33.33"), products=("5",)), "85.00"),
        (Terms(Kind.DELIVERY), "100.00"),
    ],
)
@pytest.mark.parametrize("is_net", [False, True])
def test_every_kind_comes_to_what_was_promised(world: World, terms: Terms, left: str, is_net: bool) -> None:
    first = {"total": "48.78", "total_tax": "11.22"} if is_net else {"total": "60.00", "total_tax": "0.00"}
    lines = [
        {"id": 1, "product_id": 5, "name": "Cream", "quantity": 1, **first},
        {"id": 2, "product_id": 6, "name": "Soap", "quantity": 1, "total": "40.00", "total_tax": "0.00"},
    ]
    order = world.order(lines=lines, total="105.00", shipping_total="5.00", prices_include_tax=not is_net)
    offer = ask_for(order, terms)
    world.work()

    assert (fresh(offer).state, world.total(order)) == ("granted", offer.new_total)
    assert abs(world.total(order) - D(left)) <= D("0.02")


REFUSALS: dict[str, tuple[Callable[[World, Order], object], str]] = {
    "coupons are off": (lambda world, _: setattr(world.woo, "takes_coupons", False), "coupons_off"),
    "a plugin changes coupons": (
        lambda world, _: setattr(world.woo, "meddles", {"usage_limit": 9}),
        "differs",
    ),
    "a plugin adds a fee": (lambda world, _: setattr(world.woo, "surcharge", D("3")), "differs"),
    "a plugin takes more off": (lambda world, _: setattr(world.woo, "surcharge", D("-3")), "differs"),
    "below the floor": (lambda world, _: setattr(world.woo, "surcharge", D("-60")), "floor"),
    "paid meanwhile": (lambda world, order: world.pay(order), "subject_over"),
    "deleted": (lambda world, order: world.woo.orders.pop(int(order.ref)), "subject_over"),
    "the floor rose": (lambda world, _: make_settings(world.shop, floor=D(60)), "floor"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_stand_is_refused_and_leaves_nothing_in_the_shop(world: World, case: str) -> None:
    happens, reason = REFUSALS[case]
    order = world.order()
    offer = ask_for(order)
    happens(world, order)
    world.work(rounds=2)

    assert (fresh(offer).state, offer.reason, offer.remote_next_at) == ("refused", reason, None)
    assert (world.woo.coupons, cost(world)) == ({}, D(0))
    if case != "deleted":
        assert world.theirs(order)["coupon_lines"] == []
    is_told = case in {"a plugin adds a fee", "a plugin takes more off"}
    assert asked_about("offers.sum_differs") == ([order.pk] if is_told else [])


def test_an_order_that_bears_a_coupon_gets_none_unless_it_may(world: World) -> None:
    order = world.order()
    world.woo.answer(
        "POST", "/wp-json/wc/v3/coupons", {}, {"code": "spring", "discount_type": "percent", "amount": "20"}
    )
    put_order(world.woo, world.theirs(order), {"coupon_lines": [{"code": "spring"}]})
    world.woo.now += timedelta(seconds=1)
    refused = ask_for(order)  # we have not heard of that coupon yet
    world.work(rounds=2)
    beside = ask_for(order, replace(TEN, with_coupon=True), step_no=4)
    world.work()

    assert (fresh(refused).state, refused.reason) == ("refused", "coupon")
    assert (fresh(beside).state, beside.new_total, world.total(order)) == ("granted", D("70.00"), D("70.00"))
    assert cost(world) == D("10.00")


def test_a_product_that_was_removed_from_the_shop_is_refused_without_a_call(world: World) -> None:
    offer = ask_for(world.order())
    make_product(world.source, ref="5", is_deleted=True)
    world.work(rounds=2)

    assert (fresh(offer).state, offer.reason, world.woo.calls) == ("refused", "product_gone", [])


def test_a_shop_that_is_down_is_asked_again_until_the_time_is_over(world: World) -> None:
    order = world.order()
    offer = ask_for(order)
    world.woo.fault = "down"
    world.work(rounds=3)
    assert (fresh(offer).state, offer.remote_tries, offer.remote_trouble) == (
        "asked",
        3,
        "answer_status: 503 unavailable",
    )

    set_clock(NOW + 11 * HOUR)
    world.work()
    assert (fresh(offer).state, offer.reason) == ("refused", "no_answer")
    assert (
        offer.remote_next_at is not None
    )  # an answer may have been lost: it is looked for what stands there
    world.woo.fault = ""
    world.work()

    assert (fresh(offer).remote_next_at, world.woo.coupons, cost(world)) == (None, {}, D(0))


@pytest.mark.parametrize("lost_at", ["POST", "PUT"])
def test_a_lost_answer_makes_no_second_coupon(
    world: World, monkeypatch: pytest.MonkeyPatch, lost_at: str
) -> None:
    order = world.order()
    offer = ask_for(order)
    answer = type(world.woo).answer

    def losing(shop: BusyShop, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        shop.fault = "lost" if method == lost_at else ""
        return answer(shop, method, path, query, body)

    monkeypatch.setattr(type(world.woo), "answer", losing)
    world.work()
    assert (fresh(offer).state, len(world.woo.coupons)) == ("asked", 1)
    monkeypatch.setattr(type(world.woo), "answer", answer)
    world.woo.fault = ""
    world.work()

    assert (fresh(offer).state, offer.new_total, world.total(order)) == ("granted", D("90.00"), D("90.00"))
    assert [row["usage_count"] for row in world.woo.coupons.values()] == [1]


def test_a_code_that_the_shop_knows_from_elsewhere_gives_way_to_another(world: World) -> None:
    order = world.order()
    offer = ask_for(order)
    code = offer.code
    body = {"code": shown(code), "discount_type": "percent", "amount": "50"}
    world.woo.answer("POST", "/wp-json/wc/v3/coupons", {}, body)
    world.work()

    assert fresh(offer).state == "granted"
    assert offer.code != code
    assert len(world.woo.coupons) == 2
    assert world.total(order) == D("90.00")


@pytest.mark.django_db(transaction=True)
def test_twenty_grants_at_once_and_many_workers_make_one_coupon(world: World) -> None:
    order = world.order()
    wish = Wish(world.shop.pk, order.contact_id or 0, TEN, NOW + 2 * DAY, order_id=order.pk)
    together([lambda: grant_offers([wish], now=NOW)] * 20)
    assert sorted(Offer.objects.values_list("state", "reason")) == [
        ("asked", ""),
        *[("refused", "other_offer")] * 19,
    ]

    together([lambda: call_shops(record_told)] * 4)

    assert (len(world.woo.coupons), world.total(order)) == (1, D("90.00"))
    assert Offer.objects.filter(state="granted").count() == 1
    assert [call for call in world.woo.calls if call.startswith("POST")] == ["POST coupons"]


def dearer(world: World, order: Order) -> None:
    """Let the order grow at the shop after the offer was asked for."""
    row = world.theirs(order)
    row["line_items"][0] |= {"total": "300.00", "subtotal": "300.00"}
    world.woo.change_order(int(order.ref), total="300.00")


def test_an_offer_whose_cost_has_grown_is_held_against_its_budget_again(world: World) -> None:
    order = world.order()
    offer = ask_for(order, budget=replace(BUDGET, amount=D("25.00")))
    dearer(world, order)
    world.work(rounds=2)
    other = ask_for(order, budget=replace(BUDGET, amount=D("30.00")), step_no=4)
    world.work()

    assert (fresh(offer).state, offer.reason, world.total(order)) == ("refused", "budget", D("270.00"))
    assert (fresh(other).state, cost(world)) == ("granted", D("30.00"))


def test_what_expires_is_taken_off_the_order_and_deleted(world: World) -> None:
    order = world.order()
    offer = ask_for(order)
    world.work()
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    assert (fresh(offer).state, call_shops(record_told)) == ("expired", 0)  # who is paying may finish

    world.work()

    order.refresh_from_db()
    assert (world.total(order), order.total, world.woo.coupons) == (D("100.00"), D("100.00"), {})
    assert (fresh(offer).remote_next_at, cost(world)) == (None, D(0))


def test_a_payment_with_the_coupon_counts_once_even_when_its_time_is_over(world: World) -> None:
    order = world.order()
    offer = ask_for(order)
    world.work()
    world.pay(order)
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)

    world.work()  # finds it paid, and leaves it as it was
    paid = Order.objects.get(pk=order.pk)
    for _ in range(2):
        confirm_paid(paid, now=NOW + 3 * DAY)

    assert (paid.payment_state, paid.total, paid.captured) == ("paid", D("90.00"), D("90.00"))
    assert (fresh(offer).state, cost(world)) == ("redeemed", D("10.00"))
    assert list(Redemption.objects.values_list("order_id", "discount")) == [(order.pk, D("10.00"))]
    assert offer.remote_next_at is not None


def test_a_used_coupon_is_deleted_after_a_week_and_stays_on_its_order(world: World) -> None:
    order = world.order()
    offer = ask_for(order)
    world.work()
    world.pay(order)
    confirm_paid(world.learn(int(order.ref)), now=NOW)
    due = fresh(offer).remote_next_at
    assert due is not None
    assert KEPT - timedelta(minutes=1) < due - real_now() <= KEPT

    world.work()

    assert (world.woo.coupons, world.total(order), fresh(offer).remote_next_at) == ({}, D("90.00"), None)


def test_who_pays_in_full_meanwhile_gets_no_coupon(world: World) -> None:
    order = world.order()
    offer = ask_for(order)
    world.pay(order)
    confirm_paid(world.learn(int(order.ref)), now=NOW)
    assert (fresh(offer).state, offer.reason) == ("refused", "paid_full")

    world.work()

    assert (world.woo.calls, fresh(offer).remote_next_at) == ([], None)


def place_with_code(world: World, offer: Offer, **values: Any) -> Order:
    """Place an order at the shop's checkout with the code of an offer."""
    row = world.theirs(world.order(**values))
    put_order(world.woo, row, {"coupon_lines": [{"code": shown(offer.code)}]})
    world.woo.now += timedelta(seconds=1)
    return world.learn(row["id"])


def test_a_cart_gets_a_code_for_its_goods_and_a_link_that_applies_it(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (fresh(offer).state, offer.new_total, coupon["product_ids"]) == ("granted", D("90.00"), [5, 6])
    assert offer.remote_url == f"{world.woo.url}/checkout-link/?products=5:2,6:1&coupon={shown(offer.code)}"
    assert coupon["email_restrictions"] == [cart.contact.email]  # type: ignore[union-attr]


def lines_of(count: int, **values: Any) -> dict[str, Any]:
    """Return the goods of a cart: so many pieces at 10.00, each of another product."""
    rows = [
        {
            "name": f"{n}",
            "product_ref": f"{n}",
            "quantity": "1",
            "unit_price": "10.00",
            "total": "10.00",
            **values,
        }
        for n in range(1, count + 1)
    ]
    return {
        "lines": rows,
        "product_refs": sorted({row["product_ref"] for row in rows}),
        "total": D(10) * count,
    }


def test_the_code_of_a_big_cart_is_bound_to_all_its_goods(world: World) -> None:
    offer = ask_for(world.cart(**lines_of(120)))
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (fresh(offer).state, coupon["product_ids"]) == ("granted", list(range(1, 121)))


def test_a_code_is_bound_to_the_variants_that_were_left_where_the_shop_knows_them_by_number(
    world: World,
) -> None:
    ask_for(world.cart(**lines_of(1, variant_ref="51")))
    ask_for(world.cart(**lines_of(1, variant_ref="red")), step_no=4, contact_id=make_contact(world.shop).pk)
    world.work()

    assert [row["product_ids"] for row in world.woo.coupons.values()] == [[51]]


@pytest.mark.parametrize("lines", [lines_of(0), lines_of(2, product_ref="")])
def test_a_cart_whose_goods_the_shop_does_not_know_gets_no_code_and_says_why(
    world: World, lines: dict[str, Any]
) -> None:
    offer = ask_for(world.cart(**{**lines, "total": D(20)}))

    assert (offer.state, offer.reason, world.work(), world.woo.calls) == ("refused", "goods_unknown", 0, [])


def test_a_code_is_not_given_where_one_of_the_goods_does_not_carry_it(world: World) -> None:
    cart = world.cart()
    make_product(cart.source, ref="6", price=D(40), cost=D("37.00"))
    at_once = ask_for(cart)
    later = ask_for(cart, replace(TEN, percent=D("7.5")), step_no=4)
    make_product(cart.source, ref="5", price=D(30), cost=D("29.00"))
    world.work(rounds=2)

    assert [(one.state, one.reason) for one in (at_once, fresh(later))] == [("refused", "floor")] * 2
    assert (world.woo.calls, later.decided_at is not None) == ([], True)


def test_a_gift_for_a_cart_is_not_given_for_a_part_of_it(world: World) -> None:
    make_product(world.source, ref="9", name="Gift", price=D(10), cost=D(5))
    ask_for(world.cart(), Terms(Kind.GIFT, gift="9"))
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (coupon["product_ids"], D(coupon["minimum_amount"])) == ([5, 6], D(100))


def test_an_older_shop_has_no_link_and_a_sum_counts_from_the_cart_as_it_was(world: World) -> None:
    world.woo.version = "9.8.0"
    offer = ask_for(world.cart(), Terms(Kind.AMOUNT, amount=D("10"), currency="EUR"))
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (fresh(offer).state, offer.remote_url) == ("granted", "")
    assert (coupon["discount_type"], D(coupon["minimum_amount"])) == ("fixed_cart", D("100.00"))


def test_the_delivery_of_a_cart_is_no_part_of_its_goods(world: World) -> None:
    values: dict[str, Any] = {"total": "115.00", "shipping_total": D("15.00")}
    ask_for(world.cart(**values), Terms(Kind.AMOUNT, amount=D("10"), currency="EUR"))
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert D(coupon["minimum_amount"]) == D("100.00")


def test_a_delivery_for_nothing_is_taken_off_the_goods_of_a_cart(world: World) -> None:
    offer = ask_for(world.cart(total="115.00", shipping_total=D("15.00")), Terms(Kind.DELIVERY))
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (fresh(offer).state, offer.new_total) == ("granted", D("100.00"))
    assert (coupon["discount_type"], D(coupon["amount"])) == ("fixed_cart", D("15.00"))


def test_what_comes_after_another_worker_has_taken_the_coupon_away_is_taken_away_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.order()
    offer, put = ask_for(order), WooCommerce.put_coupon

    def late(*args: Any, **values: Any) -> OrderSnapshot:
        end_offers([offer.pk], "void", Reason.BY_HAND, now=NOW)
        Offer.objects.update(remote_next_at=None)  # the other one found none on the order, and is done
        return put(*args, **values)

    monkeypatch.setattr(WooCommerce, "put_coupon", late)
    world.work()
    left = world.total(order)
    world.work()

    assert (fresh(offer).state, left, world.total(order)) == ("refused", D("90.00"), D("100.00"))
    assert world.woo.coupons == {}


def test_keys_that_cannot_be_read_hold_up_no_other_shop(world: World) -> None:
    offer = ask_for(world.order())
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE shops_source SET credentials = 'of another key' WHERE id = %s", [world.source.pk]
        )

    done = world.work()

    left = Offer.objects.filter(pk=offer.pk).values_list("state", "remote_trouble", "remote_tries")
    assert (done, list(left)) == (1, [("asked", "keys_unreadable", 1)])


def test_slow_shops_do_not_pass_for_a_worker_that_has_stopped(world: World) -> None:
    for _ in range(2):
        ask_for(world.order(), enrolment_id=None, step_no=None)
    at: list[int] = []

    call_shops(record_told, beat=lambda: at.append(len(world.woo.calls)))

    assert len(at) == 2
    assert at[0] < at[1]


@pytest.mark.parametrize(
    ("dropped", "products"), [("minimum_amount", ()), ("limit_usage_to_x_items", ("5",))]
)
def test_a_code_that_a_plugin_lets_take_more_off_another_cart_is_not_given(
    world: World, dropped: str, products: tuple[str, ...]
) -> None:
    world.woo.meddles = {dropped: None}
    offer = ask_for(world.cart(), Terms(Kind.AMOUNT, amount=D("10"), currency="EUR", products=products))
    world.work(rounds=2)

    assert (fresh(offer).state, offer.reason, world.woo.coupons) == ("refused", "differs", {})


def test_a_code_typed_at_the_checkout_holds_its_offer_and_counts_when_paid(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()
    order = place_with_code(world, offer, billing=address(cart.contact))  # type: ignore[arg-type]
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    set_clock(NOW + 3 * DAY)
    assert (expire_due_offers(now=NOW + 3 * DAY), fresh(offer).state) == (1, "expired")
    assert call_shops(record_told) == 0  # who is paying may finish

    world.pay(order)
    confirm_paid(world.learn(int(order.ref)), now=NOW + 3 * DAY)

    assert (fresh(offer).state, cost(world)) == ("redeemed", D("10.00"))
    assert asked_about("offers.used_by_other") == []


ENDS: dict[str, Callable[[Offer], object]] = {
    "over": lambda _: expire_due_offers(now=NOW + 3 * DAY),
    "withdrawn": lambda offer: withdraw(offer, note="", actor=Actor("person", 7), now=NOW + 3 * DAY),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_code_that_was_typed_is_taken_off_its_unpaid_order_when_the_offer_ends(
    world: World, end: str
) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()
    order = place_with_code(world, offer, billing=address(cart.contact))  # type: ignore[arg-type]
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    set_clock(NOW + 3 * DAY)
    ENDS[end](fresh(offer))
    kept = (call_shops(record_told), world.total(order))

    world.work()

    order.refresh_from_db()
    assert kept == (0, D("90.00"))  # who is paying may finish
    assert (world.total(order), order.total, world.theirs(order)["coupon_lines"]) == (D(100), D(100), [])
    assert (world.woo.coupons, cost(world), fresh(offer).remote_next_at) == ({}, D(0), None)
    assert not Redemption.objects.filter(freed_at=None).exists()


def test_an_order_that_is_told_of_after_the_offer_has_ended_loses_its_discount_too(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    order = place_with_code(world, offer, billing=address(cart.contact))  # type: ignore[arg-type]
    world.work()
    assert (world.woo.coupons, world.total(order)) == ({}, D(90))

    for _ in range(2):
        handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    world.work()

    assert (world.total(order), fresh(offer).remote_next_at) == (D(100), None)


def test_a_discount_on_an_order_that_waits_for_a_transfer_is_left_and_told(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()
    order = place_with_code(world, offer, billing=address(cart.contact), status="on-hold")  # type: ignore[arg-type]
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    world.work()

    assert (world.total(order), world.woo.coupons) == (D(90), {})
    assert asked_about("offers.coupon_on_hold") == [order.pk]


def paying_while_the_coupon_is_put_on(
    world: World,
    order: Order,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_late: bool = False,
    sticks: bool = False,
) -> None:
    """Let the buyer pay in full between our look and our change, or right after it (`is_late`).

    `sticks`: then the shop changes the order no more.
    """
    answer = type(world.woo).answer
    done: list[str] = []

    def paying(shop: BusyShop, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method != "PUT" or "/orders/" not in path:
            return answer(shop, method, path, query, body)
        if done and sticks:
            return 400, {"code": "woocommerce_rest_invalid_coupon", "message": "This order is closed."}
        paid = {"status": "processing", "date_paid_gmt": shop.now.strftime("%Y-%m-%dT%H:%M:%S")}
        if not done and not is_late:
            shop.orders[int(order.ref)] |= paid
        status, told = answer(shop, method, path, query, body)
        told = dict(told)
        if not done and is_late:
            shop.orders[int(order.ref)] |= paid
        done.append(path)
        return status, told

    monkeypatch.setattr(type(world.woo), "answer", paying)


@pytest.mark.parametrize("is_late", [False, True])
def test_an_order_that_is_paid_while_its_coupon_is_put_on_costs_what_was_paid(
    world: World, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    order = world.order()
    offer = ask_for(order)
    paying_while_the_coupon_is_put_on(world, order, monkeypatch, is_late=is_late)
    world.work(rounds=2)

    order.refresh_from_db()
    confirm_paid(order, now=NOW)
    assert (world.total(order), order.total, order.captured) == (D(100), D(100), D(100))
    assert (world.theirs(order)["coupon_lines"], world.woo.coupons) == ([], {})
    assert (fresh(offer).state, offer.reason, cost(world)) == ("refused", "subject_over", D(0))
    assert (Redemption.objects.count(), asked_about("offers.paid_meanwhile")) == (0, [])


def test_a_coupon_that_stays_on_such_an_order_is_told_and_is_no_use_of_the_offer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.order()
    offer = ask_for(order)
    paying_while_the_coupon_is_put_on(world, order, monkeypatch, sticks=True)
    world.work(rounds=2)

    order.refresh_from_db()
    for _ in range(2):
        confirm_paid(order, now=NOW)
    assert (world.total(order), order.payment_state) == (D(90), "paid")
    assert (fresh(offer).state, offer.reason, cost(world)) == ("refused", "subject_over", D(0))
    assert (Redemption.objects.count(), asked_about("offers.paid_meanwhile")) == (0, [order.pk])


def test_a_cancelled_order_frees_the_code_that_was_typed_for_it_once(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()
    order = place_with_code(world, offer, billing=address(cart.contact))  # type: ignore[arg-type]
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    world.woo.change_order(int(order.ref), status="cancelled")
    world.woo.now += timedelta(seconds=1)
    Order.objects.filter(pk=order.pk).update(status="cancelled")
    for _ in range(2):
        handlers.follow_cancelled([OrderCancelled(world.shop.pk, order.pk, NOW)])

    assert (fresh(offer).state, Redemption.objects.filter(freed_at=None).count()) == ("granted", 0)
    assert Redemption.objects.count() == 1


def test_another_person_and_another_order_are_told_and_counted_once(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()
    (coupon,) = world.woo.coupons.values()
    coupon["email_restrictions"], coupon["usage_limit"] = [], None  # somebody has loosened it in the shop
    stranger = make_contact(world.shop, email="stranger@example.com")
    first = place_with_code(world, offer, billing=address(stranger))
    second = place_with_code(world, offer, billing=address(cart.contact))  # type: ignore[arg-type]
    for order in (first, second):
        handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
        world.pay(order)
        confirm_paid(world.learn(int(order.ref)), now=NOW)

    assert list(Redemption.objects.filter(freed_at=None).values_list("order_id", flat=True)) == [first.pk]
    assert (fresh(offer).state, cost(world)) == ("redeemed", D("10.00"))
    assert (asked_about("offers.used_by_other"), asked_about("offers.coupon_twice")) == (
        [first.pk],
        [second.pk],
    )


def test_a_trial_and_a_silenced_copy_call_nobody(world: World) -> None:
    trial = ask_for(world.order(), is_test=True)
    asked = ask_for(world.order(), step_no=9)
    Installation.objects.update(silenced_at=NOW)
    world.work()

    assert (trial.state, fresh(asked).state, world.woo.calls) == ("granted", "asked", [])


def test_without_keys_or_while_paused_the_shop_cannot_apply_it(world: World) -> None:
    order = world.order()
    world.source.state = "paused"
    world.source.save()
    paused = ask_for(order)
    type(world.source).objects.update(state="active", credentials="")
    keyless = ask_for(Order.objects.get(pk=order.pk), step_no=4)

    assert [(one.state, one.reason) for one in (paused, keyless)] == [("refused", "origin")] * 2


def promise_to(world: World, contact: Contact, terms: Terms = TEN, **values: Any) -> Offer:
    """Let somebody of the staff promise a person an offer for whatever they order next."""
    wish = Wish(world.shop.pk, contact.pk, replace(terms, currency="EUR"), NOW + 2 * DAY, is_for_person=True)
    try:
        return grant_by_hand(replace(wish, **values), actor=Actor("person", 7), now=NOW)
    except OfferRefused as refused:
        return refused.offer


def test_an_offer_to_a_person_is_taken_off_whatever_they_order_at_the_shop(world: World) -> None:
    make_settings(world.shop, fixed_fee=D("1.20"))
    world.order(total="107.00", shipping_total="7.00")
    anna = make_contact(world.shop, email="anna@mail.pl")
    make_product(world.source, ref="5", price=D(50), cost=D(35))  # 10 % leave it 20 % of its price
    offer = promise_to(world, anna)
    asked = offer.state
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (asked, fresh(offer).state, offer.new_total) == ("asked", "granted", None)
    told = (
        coupon["discount_type"],
        coupon["usage_limit"],
        coupon["product_ids"],
        coupon["email_restrictions"],
    )
    assert told == ("percent", 1, [], ["anna@mail.pl"])
    assert D(coupon["minimum_amount"]) == D(
        "6.03"
    )  # a fee of 1.20 and half a coin, of which goods earn a fifth

    order = place_with_code(world, offer, billing=address(anna))
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    world.pay(order)
    confirm_paid(world.learn(int(order.ref)), now=NOW)

    assert (world.total(order), fresh(offer).state) == (D(90), "redeemed")


def test_what_a_budget_set_aside_for_a_person_stays_so_until_the_code_is_over(world: World) -> None:
    world.order(total="200.00", shipping_total="0.00")
    anna = make_contact(world.shop, email="anna@mail.pl")
    budget = BudgetLimit(D(50), "EUR", Period.EVER)
    offer = promise_to(world, anna, budget=budget, budget_key="process:1:n1")
    kept = [offer.expected]
    world.work()
    kept.append(fresh(offer).expected)
    end_offers([offer.pk], "expired", "expired", now=NOW)

    assert (fresh(offer).state, kept) == ("expired", [D(20), D(20)])
    assert Budget.objects.get().spent == 0


def test_an_offer_to_a_person_is_off_their_unpaid_order_when_it_ends(world: World) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    offer = promise_to(world, anna)
    world.work()
    order = place_with_code(world, offer, billing=address(anna))
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    world.work()

    assert (world.total(order), world.woo.coupons, fresh(offer).state) == (D(100), {}, "expired")


def test_an_offer_to_a_person_is_used_once_here_or_there(world: World) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    here = make_source(world.shop)
    offer = promise_to(world, anna)
    world.work()
    ours = make_order(world.shop, source=here, contact=anna, total="100.00", currency="EUR")
    applied = find_applied(ours, now=NOW)
    assert applied is not None
    redeem(ours, applied, now=NOW)
    Order.objects.filter(pk=ours.pk).update(
        discount_given=applied.discount, payment_state="paid", paid_at=NOW
    )
    ours.refresh_from_db()
    confirm_paid(ours, now=NOW)

    due = fresh(offer).remote_next_at
    assert due is not None
    assert (offer.state, due - real_now() < PAUSE) == ("redeemed", True)
    assert (world.work(), world.woo.coupons) == (1, {})


def test_who_pays_here_when_an_offer_to_a_person_ends_may_finish(world: World) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    offer = promise_to(world, anna)
    world.work()
    strange = world.order()
    ours = make_order(
        world.shop,
        source=make_source(world.shop),
        contact=anna,
        ref=strange.ref,  # of our counting, and by chance one of the shop's, too
        total="100.00",
        currency="EUR",
    )
    applied = find_applied(ours, now=NOW)
    assert applied is not None
    redeem(ours, applied, now=NOW)
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    world.work()

    assert (fresh(offer).state, world.woo.coupons) == ("expired", {})
    assert Redemption.objects.filter(offer=offer, order=ours, freed_at=None).exists()


@pytest.mark.parametrize("trouble", ["coupons are off", "the shop is down"])
def test_what_the_shop_does_not_make_for_a_person_still_counts_here(world: World, trouble: str) -> None:
    anna = make_contact(world.shop, email="anna@mail.pl")
    make_source(world.shop)
    offer = promise_to(world, anna)
    asked = offer.state
    if trouble == "coupons are off":
        world.woo.takes_coupons = False
    else:
        world.woo.fault = "down"
        world.work()
        set_clock(NOW + 11 * HOUR)
    world.work()

    assert (asked, fresh(offer).state, offer.reason, offer.remote_next_at) == ("asked", "granted", "", None)
    assert world.woo.coupons == {}


PERSONS: dict[str, tuple[Terms, dict[str, Any], str]] = {
    "the cheapest goods do not carry it": (TEN, {"cost": D(46)}, "floor"),
    "free delivery": (Terms(Kind.DELIVERY), {}, "origin"),
    "goods of unknown cost": (TEN, {"cost": None}, "no_cost"),
    "no address": (TEN, {"email": ""}, "no_email"),
}


@pytest.mark.parametrize("case", PERSONS)
def test_a_person_gets_no_code_that_the_floor_may_not_hold(world: World, case: str) -> None:
    terms, values, reason = PERSONS[case]
    make_settings(world.shop, default_cost=None if reason == "no_cost" else D(40))
    make_product(world.source, ref="5", price=D(50), cost=values.get("cost", D(20)))
    anna = make_contact(world.shop, email=values.get("email", "anna@mail.pl"), phone="+48601000009")

    offer = promise_to(world, anna, terms)

    assert (offer.state, offer.reason, world.work()) == ("refused", reason, 0)


def test_where_the_shop_cannot_hold_it_our_own_page_takes_it_off(world: World) -> None:
    make_product(world.source, ref="5", price=D(50), cost=D(46))
    make_source(world.shop)

    offer = promise_to(world, make_contact(world.shop, email="anna@mail.pl"))

    assert (offer.state, offer.maker, world.work()) == ("granted", None, 0)


def advance() -> None:
    """Let processes and news go on as far as they can without the shop."""
    while outbox.dispatch() or Engine().run_once():
        pass


def test_who_waits_goes_on_once_the_coupon_stands_and_by_the_other_way_without_it(world: World) -> None:
    nodes = {
        "n1": {"t": "offer", "percent": 10, "valid": "P2D", "out": {"granted": "n2", "refused": "n3"}},
        "n2": {"t": "tag", "add": ["offered"], "out": {"next": "n4"}},
        "n3": {"t": "tag", "add": ["not offered"], "out": {"next": "n4"}},
        "n4": {"t": "end"},
    }
    make_process(world.shop, nodes=nodes, goals=[])
    orders = [world.order(billing={"first_name": "A", "email": f"a{n}@mail.pl"}) for n in (1, 2)]
    Order.objects.update(status="unpaid")
    enrol_cases([opened(make_case(Order.objects.get(pk=order.pk))) for order in orders])
    advance()
    assert list(Offer.objects.values_list("state", flat=True)) == ["asked", "asked"]
    assert not StepLog.objects.filter(outcome=Code.TAGGED).exists()

    world.pay(orders[1])  # nobody has told us
    world.work()
    advance()

    ways = []
    for offer in Offer.objects.order_by("order_id"):
        lines = StepLog.objects.filter(enrolment_id=offer.enrolment_id or 0).order_by("step_no")
        ways.append((offer.state, lines.values_list("outcome", flat=True)[0]))
    assert ways == [("granted", Code.OFFER_GRANTED), ("refused", Code.OFFER_UNFIT)]


def test_a_shop_without_coupons_leads_on_by_the_other_way(world: World) -> None:
    nodes = {
        "n1": {"t": "offer", "percent": 10, "valid": "P2D", "out": {"granted": "n2", "refused": "n3"}},
        "n2": {"t": "tag", "add": ["offered"], "out": {"next": "n3"}},
        "n3": {"t": "end"},
    }
    make_process(world.shop, nodes=nodes, goals=[])
    order = world.order()
    Order.objects.update(status="unpaid")
    enrol_cases([opened(make_case(Order.objects.get(pk=order.pk)))])
    advance()
    world.woo.takes_coupons = False
    world.work()
    advance()

    lines = StepLog.objects.order_by("step_no").values_list("outcome", flat=True)
    assert list(lines) == [Code.FAILED_COUPON, Code.COMPLETED]


MONEY = st.integers(100, 50_000).map(lambda cents: D(cents) / 100)


@given(
    prices=st.lists(
        st.tuples(MONEY, st.integers(1, 3), st.sampled_from([0, 5, 8, 23])), min_size=1, max_size=4
    ),
    percent=st.integers(1, 9900).map(lambda share: D(share) / 100),
    floor=st.integers(0, 80),
    goods=st.integers(0, 90),
    surcharge=st.sampled_from([D(0), D(0), D("-0.01"), D("-5"), D("0.02"), D("4")]),
    holds_tax=st.booleans(),
)
def test_whatever_stands_at_the_shop_leaves_the_floor(
    prices: list[tuple[Decimal, int, int]],
    percent: Decimal,
    floor: int,
    goods: int,
    surcharge: Decimal,
    holds_tax: bool,
) -> None:
    shop = Shop(surcharge=surcharge)
    lines = []
    for number, (price, pieces, rate) in enumerate(prices, 1):
        tax = (price * pieces * rate / (100 + rate)).quantize(D("0.01"))
        net = price * pieces - tax
        lines.append(
            {"id": number, "product_id": number, "quantity": pieces, "total": f"{net}", "total_tax": f"{tax}"}
        )
    whole = sum((price * pieces for price, pieces, _ in prices), D(0))
    order = shop.add_order(1, total=f"{whole}", line_items=lines, prices_include_tax=holds_tax)
    basket = Basket("EUR", whole, tuple(Line(str(n), p * q) for n, (p, q, _) in enumerate(prices, 1)))
    rules = Rules(default_cost=D(goods), floor=D(floor), least=D("0.01"))
    found = quote(basket, [Terms(Kind.PERCENT, percent=percent)], rules)
    if found.parts[0].refusal is not None or found.parts[0].is_cut:
        return
    shop.answer(
        "POST",
        "/wp-json/wc/v3/coupons",
        {},
        {"code": "x", "discount_type": "percent", "amount": f"{percent}"},
    )
    put_order(shop, order, {"coupon_lines": [{"code": "x"}]})
    lowest = lowest_sum(basket, rules)
    assert lowest is not None
    promise = Promise(basket, found, lowest, D("0.01") * len(prices))

    if promise.refusal_of(D(order["total"])) == "":
        left = margin_at(basket, rules, D(order["total"]))
        assert left is not None
        assert left.share is not None
        assert left.share * 100 >= floor
        assert abs(D(order["total"]) - found.after) <= D("0.01") * len(prices)
