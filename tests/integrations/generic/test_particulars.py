"""Delivery and invoice in the signed webhook: as the document shows them, and no mistake in them costs the order."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from recoup.integrations.generic import adapter, contract, snapshots
from recoup.shops.models import Source
from recoup.shops.snapshots import DeliverySnapshot, InvoiceSnapshot, OrderSnapshot, PointSnapshot
from tests.hooks.calls import order_data

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs/connect/generic-webhook.md").read_text("utf-8")


def read(**values: Any) -> OrderSnapshot:
    """Return an order of the contract, read."""
    return snapshots.order(contract.Order.model_validate(order_data(**values)), is_test=False)


def test_the_printed_example_is_read() -> None:
    block = re.search(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    assert block

    found = read(**json.loads(block[1]))

    assert found.delivery == DeliverySnapshot(
        method="inpost_locker",
        title="InPost, parcel locker",
        point=PointSnapshot("KRA01M", "by the grocery", "ul. Pawia 5, 31-154 Kraków"),
        name="Anna Nowak",
        phone="+48600100200",
        address={"street": "ul. Cicha 7", "postcode": "25-520", "city": "Kielce", "country": "PL"},
    )
    assert found.invoice == InvoiceSnapshot(True, "Anna Nowak s.c.", "5252248481")
    assert (str(found.shipping_total), [one.code for one in found.coupons]) == ("12.99", ["LATO10"])


def test_a_cart_tells_the_same() -> None:
    told = {"title": "Courier", "point": "KRA01M"}
    body = {"id": "C1", "currency": "EUR", "total": "1.00", "updated_at": "2026-11-02T09:00:00+01:00"}

    found = snapshots.cart(
        contract.Cart.model_validate({**body, "delivery": told, "invoice": True, "shipping_total": "free"})
    )

    assert found.delivery == DeliverySnapshot(title="Courier", point=PointSnapshot("KRA01M"))
    assert (found.invoice, found.shipping_total) == (InvoiceSnapshot(is_wanted=True), None)


@pytest.mark.parametrize(
    ("odd", "delivery"),
    [
        ("Courier", DeliverySnapshot(title="Courier")),
        (
            {"title": 5, "method": [], "address": "Cicha 7"},
            DeliverySnapshot("", "5", address={"address": "Cicha 7"}),
        ),
        (
            {"point": {"id": 79, "name": {}}, "address": {"city": 5}},
            DeliverySnapshot(point=PointSnapshot("79")),
        ),
        ([1], DeliverySnapshot()),
        (None, DeliverySnapshot()),
        (7, DeliverySnapshot()),
    ],
)
def test_a_mistake_in_the_delivery_never_costs_the_order(odd: Any, delivery: DeliverySnapshot) -> None:
    assert read(delivery=odd, invoice=odd, coupon=odd).delivery == delivery


def test_absent_is_none_of_it() -> None:
    found = read()

    assert (found.delivery, found.invoice) == (DeliverySnapshot(), InvoiceSnapshot())


def test_the_schema_shows_both() -> None:
    parts = contract.json_schema()["$defs"]

    assert {"Delivery", "Point", "Invoice"} <= set(parts)
    assert parts["Order"]["properties"]["delivery"]["anyOf"][0] == {"$ref": "#/$defs/Delivery"}


def told(kind: str, **data: Any) -> Any:
    """Return the snapshot of an event, read without a shop."""
    event = contract.MODELS[kind].model_validate({"type": kind, "data": data})
    return adapter._snapshot(event, Source())


def test_ways_of_delivery_and_points_are_heard() -> None:
    at = "2026-11-02T09:00:00+01:00"
    way = told("delivery_method.updated", id=7, title="Courier", currency="eur", price="9.50", updated_at=at)
    point = told("delivery_point.updated", id="KRA01M", name="Shop", is_available=False, updated_at=at)
    gone = told("delivery_point.deleted", id="KRA01M", deleted_at=at)

    assert (way.ref, way.title, str(way.price), way.currency, way.is_point) == (
        "7",
        "Courier",
        "9.50",
        "EUR",
        False,
    )
    assert (point.title, point.is_point, point.is_available) == ("Shop", True, False)
    assert (gone.is_point, gone.is_available, gone.title) == (True, False, "")
