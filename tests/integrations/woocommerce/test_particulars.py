"""Delivery, point and invoice as plugins of WooCommerce write them; nothing of it can cost an order (C3, C4)."""

import json
from decimal import Decimal
from typing import Any

import pytest

from recoup.integrations.woocommerce.orders import read_order
from recoup.shops.snapshots import DeliverySnapshot, InvoiceSnapshot, OrderSnapshot, PointSnapshot
from tests.integrations.woocommerce.shop import Shop

LINE = {
    "method_id": "easypack_parcel_machines",
    "instance_id": "7",
    "method_title": "InPost Paczkomat 24/7",
    "total": "10.56",
    "total_tax": "2.43",
}


def read(*meta: tuple[str, Any], **values: Any) -> OrderSnapshot:
    """Return an order with some meta, read."""
    rows = [{"id": number, "key": key, "value": value} for number, (key, value) in enumerate(meta)]
    return read_order(Shop().add_order(7, **{"shipping_lines": [LINE], "meta_data": rows, **values}))


def delivery(*meta: tuple[str, Any], **values: Any) -> DeliverySnapshot:
    """Return how an order with some meta is delivered."""
    found = read(*meta, **values).delivery
    assert found is not None
    return found


def test_delivery_is_apart_from_the_bill_and_costs_what_the_buyer_pays() -> None:
    found = read(
        billing={"company": "Lipa s.c.", "address_1": "Lipowa 1", "city": "Kraków", "postcode": "31-112"},
        shipping={"first_name": "Jan", "last_name": "Nowak", "address_1": "Cicha 7", "city": "Kielce"},
        shipping_total="10.56",
        shipping_tax="2.43",
    )

    assert found.person.address == {"address_1": "Lipowa 1", "postcode": "31-112", "city": "Kraków"}
    assert found.delivery == DeliverySnapshot(
        method="easypack_parcel_machines:7",
        title="InPost Paczkomat 24/7",
        name="Jan Nowak",
        address={"address_1": "Cicha 7", "city": "Kielce"},
    )
    assert found.shipping_total == Decimal("12.99")


APACZKA = {
    "apm_access_point_id": "BYD117M",
    "apm_name": "Komunalni",
    "apm_street": "Fałata 2",
    "apm_city": "Bydgoszcz",
}


@pytest.mark.parametrize(
    ("meta", "point"),
    [
        (
            [("_parcel_machine_id", "KRA01M"), ("_parcel_machine_desc", "Pawia 5<br/>31-154 Krak&oacute;w")],
            PointSnapshot("KRA01M", "Pawia 5 31-154 Kraków"),
        ),
        ([("_paczkomat_id", "WAW22A")], PointSnapshot("WAW22A")),
        (
            [("_furgonetkaPoint", "POZ08N"), ("_furgonetkaPointName", "Żabka")],
            PointSnapshot("POZ08N", "Żabka"),
        ),
        (
            [
                ("packetery_point_id", 79),
                ("packetery_point_name", "Trafika"),
                ("packetery_point_city", "Brno"),
            ],
            PointSnapshot("79", "Trafika", "Brno"),
        ),
        ([("apaczka_delivery_point", APACZKA)], PointSnapshot("BYD117M", "Komunalni", "Fałata 2, Bydgoszcz")),
        (
            [("apaczka_delivery_point", json.dumps(APACZKA))],
            PointSnapshot("BYD117M", "Komunalni", "Fałata 2, Bydgoszcz"),
        ),
        (
            [("_gls_pickup_info", '{"id": "HU1", "name": "Posta", "contact": {"city": "Pécs"}}')],
            PointSnapshot("HU1", "Posta", "Pécs"),
        ),
        (
            [("sendcloudshipping_service_point_meta", {"id": 5, "extra": "Shop|Weg 1|1011 Amsterdam"})],
            PointSnapshot("5", "", "Shop, Weg 1, 1011 Amsterdam"),
        ),
        ([("_gls_pickup_info", '{"id": '), ("apaczka_delivery_point", [1])], PointSnapshot()),
        ([("_parcel_machine_id", {"a": 1}), ("loyalty_points", "350")], PointSnapshot()),
    ],
)
def test_points_of_plugins(meta: list[tuple[str, Any]], point: PointSnapshot) -> None:
    assert delivery(*meta).point == point


def test_a_point_may_stand_on_the_shipping_line_or_in_the_street() -> None:
    poshta = [
        {"key": "wcus_warehouse_ref", "value": "1ec09d88-e1c2-11e3-8c4a-0050568002cf"},
        {"key": "wcus_warehouse_name", "value": "Поштомат 5012"},
        {"key": "wcus_city_name", "value": "Київ"},
    ]
    collected = [
        {"key": "pickup_location", "value": "Our shop"},
        {"key": "pickup_address", "value": "Main Street 1"},
    ]
    street = {"address_1": "Packstation 145", "postcode": "53113", "city": "Bonn"}

    assert delivery(shipping_lines=[{**LINE, "meta_data": poshta}]).point == PointSnapshot(
        "1ec09d88-e1c2-11e3-8c4a-0050568002cf", "Поштомат 5012", "Київ"
    )
    assert delivery(shipping_lines=[{"method_id": "pickup_location", "meta_data": collected}]).point == (
        PointSnapshot("", "Our shop", "Main Street 1")
    )
    assert delivery(shipping=street).point == PointSnapshot("Packstation 145", "", "53113 Bonn")


@pytest.mark.parametrize(
    ("meta", "invoice"),
    [
        ([("_billing_nip", "525-224-84-81")], InvoiceSnapshot(True, "Lipa s.c.", "525-224-84-81")),
        ([("_billing_nip", ""), ("_vat_number", "DE811")], InvoiceSnapshot(True, "Lipa s.c.", "DE811")),
        ([("_wc_billing/shop/nip", 5252248481)], InvoiceSnapshot(True, "Lipa s.c.", "5252248481")),
        ([("_billing_nip", "1"), ("_billing_invoice_ask", "0")], InvoiceSnapshot(False, "Lipa s.c.", "1")),
        ([("_billing_chce_fakture_vat", "Tak")], InvoiceSnapshot(True, "Lipa s.c.", "")),
        ([("_billing_nip", ["x"]), ("is_vat_exempt", "no")], InvoiceSnapshot(None, "Lipa s.c.", "")),
    ],
)
def test_tax_numbers_and_wishes_for_an_invoice(meta: list[tuple[str, Any]], invoice: InvoiceSnapshot) -> None:
    assert read(*meta, billing={"company": "Lipa s.c."}).invoice == invoice


@pytest.mark.parametrize("odd", [None, 5, "x", [], [5], [{}], {}, [{"method_title": {}, "meta_data": "x"}]])
def test_whatever_stands_there_the_order_comes_in(odd: Any) -> None:
    found = read(shipping_lines=odd, shipping=odd, shipping_tax=odd, shipping_total="9.99")

    assert (found.ref, found.delivery, found.shipping_total) == (
        "7",
        DeliverySnapshot(),
        Decimal("9.99") if odd != 5 else Decimal("14.99"),
    )


def test_a_body_cut_down_to_other_fields_says_nothing_of_delivery() -> None:
    body = Shop().add_order(7)

    assert read_order(body).delivery is None
