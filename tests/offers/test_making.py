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

from recoup.config.worker import record_told
from recoup.core import outbox
from recoup.core.clock import real_now
from recoup.core.models import Installation
from recoup.offers.codes import shown
from recoup.offers.ending import expire_due_offers
from recoup.offers.events import OfferDecided, OfferGranted
from recoup.offers.granting import Wish, grant_offers
from recoup.offers.making import call_shops
from recoup.offers.models import Offer, Redemption
from recoup.offers.pricing import Basket, Line, Rules, lowest_sum, margin_at, quote
from recoup.offers.redeeming import KEPT, confirm_paid
from recoup.offers.terms import Kind, Terms
from recoup.offers.wishing import Promise
from recoup.orders.events import OrderChanged
from recoup.orders.models import Order
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.offers import TEN, make_settings
from tests.factories.products import make_product
from tests.integrations.woocommerce.coupon_desk import put_order
from tests.integrations.woocommerce.shop import Shop
from tests.offers.woo import (
    BUDGET,
    BusyShop,
    D,
    World,
    ask_for,
    asked_about,
    cost,
    fresh,
)
from tests.support.together import together

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


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
