"""Delivery and invoice of orders and carts: kept, read back whatever stands there, alike in any order of arrival."""

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_scopes import scope

from recoup.orders.actions import record_order
from recoup.orders.carts import record_cart
from recoup.orders.models import Cart, Order
from recoup.orders.particulars import (
    address_words,
    bill_address_of,
    delivery_of,
    delivery_words,
    invoice_of,
    point_words,
)
from recoup.shops.models import Shop, Source
from recoup.shops.snapshots import (
    CartSnapshot,
    DeliverySnapshot,
    InvoiceSnapshot,
    OrderSnapshot,
    PersonSnapshot,
    PointSnapshot,
    ShopState,
)
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop, make_source

pytestmark = pytest.mark.django_db
LOCKER = PointSnapshot("KRA01M", "przy sklepie", "ul. Pawia 5, 31-154 Kraków")
DELIVERY = DeliverySnapshot(
    method="inpost_locker",
    title="InPost Paczkomat",
    point=LOCKER,
    name="Anna Nowak",
    phone="600 100 200",
    address={"street": "Cicha 7", "postcode": "25-520", "city": "Kielce", "country": "PL"},
)
INVOICE = InvoiceSnapshot(is_wanted=True, company="Lipa s.c.", tax_id="5252248481")
KEPT = replace(DELIVERY, phone="+48600100200")


@pytest.fixture
def source() -> Source:
    """Return a connected shop."""
    return make_source(make_shop())


def told(minutes: int, **values: Any) -> OrderSnapshot:
    """Return the order as it was some minutes after it was placed."""
    return OrderSnapshot(
        ref="A1",
        state=ShopState.PENDING,
        currency="EUR",
        total=Decimal(149),
        placed_at=NOW,
        version_at=NOW + timedelta(minutes=minutes),
        person=PersonSnapshot(email="anna@mail.pl", name="Anna Nowak", country="PL"),
        **values,
    )


def kept(source: Source, *snapshots: OrderSnapshot) -> Order:
    """Take snapshots in and return the order."""
    with scope(shop=source.shop):
        for snapshot in snapshots:
            record_order(source, snapshot, now=NOW + timedelta(hours=1))
        return Order.objects.get(source=source, ref="A1")


def test_delivery_and_invoice_come_back_as_they_were_told(source: Source) -> None:
    order = kept(source, told(0, delivery=DELIVERY, invoice=INVOICE))

    assert (delivery_of(order), invoice_of(order)) == (KEPT, INVOICE)
    assert [word for word in order.search if "kra01m" in word or "5252248481" in word or "lipa" in word] == []


def test_news_that_does_not_tell_keeps_it_and_news_of_none_takes_it_away(source: Source) -> None:
    silent = kept(source, told(0, delivery=DELIVERY, invoice=INVOICE), told(1))
    assert (delivery_of(silent), invoice_of(silent)) == (KEPT, INVOICE)

    cleared = kept(source, told(2, delivery=DeliverySnapshot(), invoice=InvoiceSnapshot()))
    assert (delivery_of(cleared), invoice_of(cleared)) == (DeliverySnapshot(), InvoiceSnapshot())


def test_any_order_of_arrival_leaves_the_same(source: Source) -> None:
    other = replace(DELIVERY, title="Kurier", point=PointSnapshot())
    story = (told(0, delivery=DELIVERY), told(1, delivery=other, invoice=INVOICE), told(2))
    found = set()
    for number, arrival in enumerate(itertools.permutations(story)):
        with scope(shop=source.shop):
            for snapshot in arrival:
                record_order(source, replace(snapshot, ref=f"B{number}"), now=NOW + timedelta(hours=1))
            order = Order.objects.get(source=source, ref=f"B{number}")
        found.add((delivery_of(order).title, point_words(delivery_of(order).point), invoice_of(order).tax_id))

    assert found == {("Kurier", "", "5252248481")}


def test_an_order_known_from_before_is_filled_in_by_the_same_news_told_again(source: Source) -> None:
    before = kept(source, told(0))
    with scope(shop=source.shop):
        Order.objects.filter(pk=before.pk).update(delivery={}, version_key="99:z")

    assert delivery_of(kept(source, told(0, delivery=DELIVERY))) == KEPT


def test_a_cart_keeps_its_person_and_delivery(source: Source) -> None:
    cart = CartSnapshot(
        ref="C1",
        currency="EUR",
        total=Decimal(149),
        version_at=NOW,
        person=PersonSnapshot(email="anna@mail.pl", name="Anna Nowak", address={"city": "Kielce"}),
        shipping_total=Decimal("12.99"),
        delivery=DELIVERY,
        invoice=INVOICE,
    )
    with scope(shop=source.shop):
        record_cart(source, cart, now=NOW)
        silent = replace(cart, version_at=NOW + timedelta(minutes=1), delivery=None, invoice=None)
        record_cart(source, silent, now=NOW + timedelta(minutes=1))
        found = Cart.objects.get(ref="C1")

    assert (delivery_of(found).title, invoice_of(found), found.shipping_total) == (
        "InPost Paczkomat",
        INVOICE,
        Decimal("12.99"),
    )
    assert (bill_address_of(found), found.buyer["email"]) == ({"city": "Kielce"}, "anna@mail.pl")


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"point": 5, "address": "x", "title": None},
        {"is_wanted": "yes", "tax_id": [1]},
        {"address": {"a": 1}},
    ],
)
def test_whatever_stands_there_is_read(odd: dict[str, Any]) -> None:
    order = make_order(make_shop(), delivery=odd, invoice=odd)

    assert (delivery_of(order), invoice_of(order)) == (DeliverySnapshot(), InvoiceSnapshot())


@pytest.mark.parametrize("column", ["delivery", "invoice"])
def test_the_database_takes_objects_alone(shop: Shop, column: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_order(shop, **{column: ["x"]})


@pytest.fixture
def shop() -> Shop:
    """Return a shop."""
    return make_shop()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"city": "Kraków", "street": "Lipowa 1", "postcode": "31-112"}, "Lipowa 1, 31-112 Kraków"),
        ({"country": "PL", "address_2": "m. 4", "address_1": "Lipowa 1"}, "Lipowa 1, m. 4, PL"),
        ({"floor": "3", "city": "Bonn"}, "Bonn, 3"),
        ({}, ""),
    ],
)
def test_addresses_are_written_as_people_do(address: dict[str, str], words: str) -> None:
    assert address_words(address) == words


@pytest.mark.parametrize(
    ("delivery", "words"),
    [
        (DELIVERY, "InPost Paczkomat: KRA01M, przy sklepie, ul. Pawia 5, 31-154 Kraków"),
        (replace(DELIVERY, title="Paczkomat KRA01M"), "Paczkomat KRA01M"),
        (DeliverySnapshot(title="Kurier", address={"city": "Kielce"}), "Kurier"),
        (DeliverySnapshot(point=PointSnapshot("1ec09d88-e1c2-11e3-8c4a", "Поштомат 5")), "Поштомат 5"),
        (DeliverySnapshot(), ""),
    ],
)
def test_delivery_in_words(delivery: DeliverySnapshot, words: str) -> None:
    assert delivery_words(delivery) == words
