"""A cart whose delivery or pick-up point is not what it was: shown, chosen anew, never ordered by one that is gone (C3)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from recoup.catalog.deliveries import record_delivery_option
from recoup.catalog.models import DeliveryOption
from recoup.orders.models import Cart, Order
from recoup.orders.particulars import delivery_of
from recoup.shops.models import Shop, Source
from recoup.shops.snapshots import DeliveryOptionSnapshot
from tests.factories.moments import NOW
from tests.factories.orders import make_cart
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source
from tests.storefront.conftest import MakeLink
from tests.storefront.test_cart_person import DELIVERY, line, proof_in
from tests.support.bank import TestBank


@pytest.fixture
def source(shop: Shop) -> Source:
    """Return a connected shop at candles.example."""
    return make_source(shop, base_url="https://candles.example")


@pytest.fixture
def cart(shop: Shop, source: Source, bank: TestBank) -> Cart:
    """Return a cart of 20.00 that was to go to a locker for 12.99."""
    bank.account(shop)
    return make_cart(
        shop,
        source=source,
        contact=make_contact(shop, name="Anna", email="anna@mail.pl"),
        lines=[line("cream")],
        delivery=DELIVERY,
        shipping_total=Decimal("12.99"),
    )


def offer(source: Source, ref: str, price: str | None = "16.00", *, minutes: int = 0, **values: Any) -> None:
    """Let a source tell of a way of delivery, or of a point."""
    told = DeliveryOptionSnapshot(
        ref=ref,
        version_at=NOW + timedelta(minutes=minutes),
        title=values.pop("title", ref.capitalize()),
        price=Decimal(price) if price else None,
        currency="EUR",
        **values,
    )
    record_delivery_option(source, told, now=NOW + timedelta(hours=1))


def press(buyer: Client, path: str, total: str, shop: Shop, **values: str) -> int:
    """Order, and return the status of the answer."""
    form = {"terms": "1", "total": total, "terms_version": shop.terms_version, **values}
    return buyer.post(path, form).status_code


def test_a_way_that_is_gone_is_shown_and_another_is_chosen(
    shop: Shop, source: Source, cart: Cart, link: MakeLink, buyer: Client
) -> None:
    offer(source, "inpost_locker", is_available=False)
    offer(source, "courier")
    offer(source, "other_locker", "1.00", needs_point=True)
    offer(source, "closed", "2.00", is_available=False)
    offer(make_source(make_shop()), "foreign", "3.00")
    path = link("cart", cart)

    shown = buyer.get(path).content.decode()
    refused = press(buyer, path, "20.00", shop)
    odd = press(buyer, path, "21.00", shop, delivery_method="other_locker")
    chosen = buyer.post(path, {"choose": "courier"}).content.decode()

    assert "This way of delivery is not offered any more" in shown
    assert (shown.count('name="choose"'), 'name="terms"' in shown, "€20.00" in shown) == (1, False, True)
    assert (refused, odd, Order.objects.count()) == (422, 409, 0)
    assert ("€36.00" in chosen, 'name="delivery_method" value="courier"' in chosen) == (True, True)
    assert "KRA01M" not in chosen
    assert press(buyer, path, "36.00", shop, delivery_method="courier") == 303

    order = Order.objects.get()
    brought = delivery_of(order)
    assert (order.total, order.shipping_total) == (Decimal(36), Decimal(16))
    assert (brought.method, brought.title, brought.point.is_known) == ("courier", "Courier", False)
    assert (brought.name, brought.address["street"]) == ("Jan Wilk", "Boczna 9")


def test_a_way_that_costs_nothing_is_offered_too(
    source: Source, cart: Cart, link: MakeLink, buyer: Client
) -> None:
    offer(source, "inpost_locker", is_available=False)
    offer(source, "courier", "0")

    shown = buyer.get(link("cart", cart)).content.decode()

    assert 'name="choose" value="courier">Courier, €0.00' in shown


def test_a_point_that_is_closed_is_named_anew_by_its_person(
    shop: Shop, source: Source, cart: Cart, link: MakeLink, buyer: Client
) -> None:
    offer(source, "KRA01M", None, is_point=True, is_available=False)
    offer(source, "WAW02B", None, is_point=True, is_available=False)
    path = link("cart", cart)

    shown = buyer.get(path).content.decode()
    refused = press(buyer, path, "32.99", shop)
    whole = buyer.post(path, {"confirm": "1", "email": "anna@mail.pl"}).content.decode()
    proof = proof_in(whole)
    again = press(buyer, path, "32.99", shop, change="1", proof=proof, point="WAW02B")

    assert ("The pick-up point is not in use any more" in shown, 'name="terms"' in shown) == (True, False)
    assert ('<details class="change" open>' in whole, 'name="terms"' in whole) == (True, True)
    assert (refused, again, Order.objects.count()) == (422, 422, 0)
    assert press(buyer, path, "32.99", shop, change="1", proof=proof, point="WAW01A") == 303
    assert delivery_of(Order.objects.get()).point.ref == "WAW01A"


@pytest.mark.parametrize(("told", "total"), [("15.00", "35.00"), ("9.00", "29.00"), ("12.99", "32.99")])
def test_a_new_price_of_the_delivery_is_shown_before_it_is_ordered(
    shop: Shop, source: Source, cart: Cart, link: MakeLink, buyer: Client, told: str, total: str
) -> None:
    offer(source, "inpost_locker", told)
    path = link("cart", cart)

    shown = buyer.get(path).content.decode()

    assert (f"€{total}" in shown, "It was €12.99" in shown) == (True, told != "12.99")
    assert press(buyer, path, total, shop) == 303


def test_a_delivery_that_was_free_stays_free_and_an_unheard_one_as_it_was(
    shop: Shop, source: Source, cart: Cart, link: MakeLink, buyer: Client
) -> None:
    assert "€32.99" in buyer.get(link("cart", cart)).content.decode()

    offer(source, "inpost_locker")
    Cart.objects.filter(pk=cart.pk).update(shipping_total=Decimal(0))

    assert "€20.00" in buyer.get(link("cart", cart)).content.decode()


def test_without_another_way_the_shop_has_to_be_asked(
    shop: Shop, source: Source, cart: Cart, link: MakeLink, buyer: Client
) -> None:
    offer(source, "inpost_locker", is_available=False)
    path = link("cart", cart)

    shown = buyer.get(path).content.decode()

    assert ("This way of delivery is not offered any more" in shown, f"call {shop.phone}" in shown) == (
        True,
        True,
    )
    assert (press(buyer, path, "20.00", shop), Order.objects.count()) == (409, 0)


def test_older_news_of_a_way_changes_nothing(source: Source) -> None:
    offer(source, "courier", minutes=5)
    offer(source, "courier", "1.00", is_available=False, title="")

    option = DeliveryOption.objects.get()
    assert (option.price, option.is_available) == (Decimal(16), True)

    offer(source, "courier", None, minutes=9, is_available=False, title="")
    option.refresh_from_db()
    assert (option.title, option.price, option.is_available) == ("Courier", Decimal(16), False)
