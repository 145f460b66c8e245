"""What the signed webhook says that a product costs."""

from decimal import Decimal
from typing import Any

import pytest

from recoup.integrations.generic import contract, snapshots
from recoup.shops.ports import BodyQuarantined

PRODUCT = {
    "id": "7",
    "name": "Soap",
    "updated_at": "2026-11-02T13:00:00+01:00",
    "currency": "EUR",
    "price": "9.00",
}


@pytest.mark.parametrize(
    ("told", "cost", "says"),
    [
        ({}, None, False),
        ({"cost": None}, None, True),
        ({"cost": "3.1250"}, Decimal("3.125"), True),
        ({"cost": 3}, 3, True),
    ],
)
def test_an_absent_cost_says_nothing_and_null_that_none_is_known(
    told: dict[str, Any], cost: Decimal | None, says: bool
) -> None:
    found = snapshots.product(contract.Product.model_validate({**PRODUCT, **told}))

    assert (found.cost, found.says_cost) == (cost, says)


@pytest.mark.parametrize("told", ["-1", "cheap", "1,50"])
def test_what_is_no_cost_is_quarantined(told: str) -> None:
    with pytest.raises(BodyQuarantined, match="cost"):
        snapshots.product(contract.Product.model_validate({**PRODUCT, "cost": told}))


def test_the_published_schema_tells_of_it() -> None:
    assert "cost" in contract.json_schema()["$defs"]["Product"]["properties"]
