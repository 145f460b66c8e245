"""Codes that the shop applies to a left cart: what they are bound to, typed at its checkout, and taken off again."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.config.worker import record_told
from recoup.core.activity import Actor
from recoup.integrations.woocommerce.adapter import WooCommerce
from recoup.offers import handlers
from recoup.offers.codes import shown
from recoup.offers.ending import end_offers, expire_due_offers, withdraw
from recoup.offers.making import call_shops
from recoup.offers.models import Offer, Redemption
from recoup.offers.reasons import Reason
from recoup.offers.redeeming import confirm_paid
from recoup.offers.terms import Kind, Terms
from recoup.orders.events import OrderCancelled, OrderPlaced
from recoup.orders.models import Order
from recoup.shops.snapshots import OrderSnapshot
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, NOW
from tests.factories.offers import TEN
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.offers.woo import (
    D,
    World,
    address,
    ask_for,
    asked_about,
    cost,
    fresh,
    place_with_code,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


def test_a_cart_gets_a_code_for_its_goods_and_a_link_that_applies_it(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()

    (coupon,) = world.woo.coupons.values()
    assert (fresh(offer).state, offer.new_total, coupon["product_ids"]) == ("granted", D("90.00"), [5, 6])
    assert offer.remote_url == f"{world.woo.url}/checkout-link/?products=5:2,6:1&coupon={shown(offer.code)}"
    assert coupon["email_restrictions"] == [address(cart.contact)["email"]]


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
    order = place_with_code(world, offer, billing=address(cart.contact))
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
    order = place_with_code(world, offer, billing=address(cart.contact))
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
    order = place_with_code(world, offer, billing=address(cart.contact))
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
    order = place_with_code(world, offer, billing=address(cart.contact), status="on-hold")
    handlers.follow_coupons([OrderPlaced(world.shop.pk, order.pk, NOW)])
    set_clock(NOW + 3 * DAY)
    expire_due_offers(now=NOW + 3 * DAY)
    world.work()

    assert (world.total(order), world.woo.coupons) == (D(90), {})
    assert asked_about("offers.coupon_on_hold") == [order.pk]


def test_a_cancelled_order_frees_the_code_that_was_typed_for_it_once(world: World) -> None:
    cart = world.cart()
    offer = ask_for(cart)
    world.work()
    order = place_with_code(world, offer, billing=address(cart.contact))
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
    second = place_with_code(world, offer, billing=address(cart.contact))
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
