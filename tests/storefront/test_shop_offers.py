"""What buyers see of an offer that the shop takes off: its price on the pay page, its code on the cart (K2, K5)."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from recoup.core.clock import trade_now
from recoup.offers.codes import shown
from recoup.offers.models import Offer, Redemption
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop, Source
from tests.factories.moments import NOW
from tests.factories.offers import TEN, make_offer
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_source
from tests.storefront.conftest import MakeLink

D = Decimal
HOST = "https://candles.example"
CHECKOUT = f"{HOST}/checkout-link/?products=5:1&coupon=X"


@pytest.fixture
def woo(shop: Shop) -> Source:
    """Return a shop that takes its payments itself."""
    return make_source(shop, kind="woocommerce", base_url=HOST, credentials="{}")


def offer_at(woo: Source, subject: Order | Cart, **values: object) -> Offer:
    """Make an offer of 10 % in force, whose coupon stands in the shop."""
    now = trade_now()
    times = {"granted_at": now, "valid_until": now + timedelta(days=2)}
    return make_offer(subject, TEN, **{**times, "maker": woo, "remote_ref": "7", **values})


@pytest.fixture
def order(shop: Shop, woo: Source) -> Order:
    """Return an order over 100.00 that costs 90.00 in the shop by now."""
    contact = make_contact(shop, email="anna@mail.pl", time_zone="Europe/Lisbon")
    order = make_order(
        shop, source=woo, contact=contact, total="90.00", pay_url=f"{HOST}/checkout/order-pay/7/?key=k"
    )
    offer = offer_at(woo, order, new_total=D("90.00"))
    Order.objects.filter(pk=order.pk).update(
        coupons=[{"code": shown(offer.code).lower(), "discount": "10.00"}], discount_total=D("10.00")
    )
    return order


def test_the_person_sees_both_prices_and_pays_the_new_one_at_the_shop(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    body = buyer.get(path).content.decode()
    answer = buyer.post(path, {"quote": "90.00 EUR"})

    wanted = ('<del><span class="money">€100.00</span></del>', "10%", "You save €10.00", "Pay €90.00")
    assert [part for part in wanted if part not in body] == []
    assert answer.headers["Location"] == order.pay_url


def test_whoever_else_has_the_link_sees_what_the_shop_charges_and_no_offer(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    stranger = make_contact(order.shop)
    path = link("pay", order)
    Order.objects.filter(pk=order.pk).update(contact=stranger)
    body = buyer.get(path).content.decode()

    assert ("Pay €90.00" in body, "<del>" in body, "You save" in body) == (True, False, False)


def test_a_sum_that_changed_in_the_shop_meanwhile_is_shown_before_it_is_charged(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    buyer.get(path)
    Order.objects.filter(pk=order.pk).update(total=D("100.00"), coupons=[])  # the offer ended meanwhile
    answer = buyer.post(path, {"quote": "90.00 EUR"})

    assert answer.status_code == 409
    assert "it was €90.00 and is €100.00 now" in answer.content.decode()


@pytest.fixture
def cart(shop: Shop, woo: Source) -> Cart:
    """Return a cart that a plugin of the same shop told us about."""
    plugin = make_source(shop, base_url=HOST)
    return make_cart(shop, source=plugin, contact=make_contact(shop), url=f"{HOST}/cart")


def test_the_filled_cart_leads_to_the_checkout_with_the_code(
    cart: Cart, woo: Source, link: MakeLink, buyer: Client
) -> None:
    offer = offer_at(woo, cart, remote_url=CHECKOUT)
    body = buyer.get(link("cart", cart)).content.decode()
    answer = buyer.post(link("cart", cart))

    assert [part in body for part in (shown(offer.code), "10%", "filled in for you")] == [True] * 3
    assert answer.headers["Location"] == CHECKOUT


def test_where_the_shop_knows_no_such_link_the_code_is_to_be_typed(
    cart: Cart, woo: Source, link: MakeLink, buyer: Client
) -> None:
    offer = offer_at(woo, cart)
    body = buyer.get(link("cart", cart)).content.decode()

    assert f"Type this code at the checkout of Cedar &amp; Wax: <strong>{shown(offer.code)}" in body.replace(
        ":</p>", ":"
    )
    assert buyer.post(link("cart", cart)).headers["Location"] == cart.url


@pytest.mark.parametrize("case", ["passed on", "over", "used", "being made", "another address"])
def test_no_code_is_shown_to_others_or_when_it_does_not_count(
    cart: Cart, woo: Source, link: MakeLink, buyer: Client, case: str
) -> None:
    values: dict[str, dict[str, object]] = {"over": {"valid_until": NOW}, "being made": {"state": "asked"}}
    offer = offer_at(woo, cart, **{"remote_url": CHECKOUT, **values.get(case, {})})
    path = link("cart", cart)
    if case == "passed on":
        Cart.objects.filter(pk=cart.pk).update(contact=make_contact(cart.shop))
    if case == "used":
        order = make_order(cart.shop, source=woo, contact=cart.contact)
        Redemption(shop=cart.shop, offer=offer, order=order, discount=1, cost=1, made_at=NOW).save()
    if case == "another address":
        Offer.objects.filter(pk=offer.pk).update(remote_url="https://elsewhere.example/checkout-link/")

    body = buyer.get(path).content.decode()

    assert (shown(offer.code) in body) == (case == "another address")
    assert buyer.post(path).headers["Location"] == cart.url
