"""What WooCommerce says that a product costs (Cost of Goods Sold of WooCommerce 10 and newer)."""

from decimal import Decimal
from typing import Any

import pytest

from recoup.integrations.woocommerce.products import read_product
from recoup.shops.ports import BodyQuarantined

BODY: dict[str, Any] = {
    "id": 81, "parent_id": 41, "name": "Cream, 50 ml", "price": "49.00", "date_modified_gmt": "2026-11-02T12:00:00",
}  # fmt: skip
D = Decimal


@pytest.mark.parametrize(
    ("told", "cost", "says"),
    [
        ({}, None, False),  # the feature is switched off
        ({"cost_of_goods_sold": None}, None, True),
        ({"cost_of_goods_sold": {"values": [], "total_value": 0}}, None, True),
        (
            {
                "cost_of_goods_sold": {
                    "values": [{"defined_value": None, "effective_value": 0}],
                    "total_value": 0,
                }
            },
            None,
            True,
        ),
        (  # a variation whose own value comes on top of its product's
            {
                "cost_of_goods_sold": {
                    "values": [{"defined_value": D("56.78"), "effective_value": D("56.78")}],
                    "defined_value_is_additive": True,
                    "total_value": D("69.12"),
                }
            },
            D("69.12"),
            True,
        ),
        ({"cost_of_goods_sold": {"values": [{"defined_value": D("12.3456")}]}}, D("12.3456"), True),
    ],
)
def test_the_whole_cost_is_read_and_zero_is_none(
    told: dict[str, Any], cost: Decimal | None, says: bool
) -> None:
    found = read_product({**BODY, **told}, currency="EUR")

    assert (found.cost, found.says_cost) == (cost, says)


def test_a_cost_that_is_no_number_is_named() -> None:
    with pytest.raises(BodyQuarantined, match=r"cost_of_goods_sold\.total_value"):
        read_product({**BODY, "cost_of_goods_sold": {"total_value": "cheap"}}, currency="EUR")
