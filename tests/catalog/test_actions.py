"""Products as their source shows them."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.catalog.actions import record_product, set_repeatable
from recoup.catalog.models import Product
from recoup.core.activity import Actor
from recoup.shops.models import Source
from recoup.shops.snapshots import ProductSnapshot
from tests.factories.moments import HOUR, MINUTE, NOW
from tests.factories.shops import make_shop, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def source() -> Source:
    return make_source(make_shop())


def snapshot(**values: Any) -> ProductSnapshot:
    defaults: dict[str, Any] = {
        "ref": "5",
        "name": "Cream",
        "price": Decimal("49.00"),
        "currency": "EUR",
        "version_at": NOW - HOUR,
    }
    return ProductSnapshot(**{**defaults, **values})


def gone(**values: Any) -> ProductSnapshot:
    return snapshot(name="", price=None, is_deleted=True, **values)


def products() -> list[tuple[str, str, Decimal | None, bool, bool]]:
    rows = Product.objects.order_by("variant_ref")
    return list(rows.values_list("variant_ref", "name", "price", "is_available", "is_deleted"))


def test_the_newer_snapshot_stands_whatever_came_first(source: Source) -> None:
    older, newer = snapshot(), snapshot(price=Decimal("59.00"), version_at=NOW)
    for told in ((older, newer), (newer, older)):
        Product.objects.all().delete()
        for one in told:
            record_product(source, one, now=NOW)

        assert products() == [("", "Cream", Decimal("59.00"), True, False)]


def test_a_product_that_is_gone_keeps_its_name_and_takes_its_variants_along(source: Source) -> None:
    record_product(source, snapshot(), now=NOW)
    record_product(source, snapshot(variant_ref="5a", name="Cream, 50 ml"), now=NOW)

    record_product(source, gone(version_at=NOW), now=NOW)
    record_product(source, snapshot(version_at=NOW - MINUTE), now=NOW)  # told before it was gone, came late

    assert products() == [
        ("", "Cream", Decimal("49.00"), False, True),
        ("5a", "Cream, 50 ml", Decimal("49.00"), False, True),
    ]


def test_a_variant_that_is_gone_leaves_the_others(source: Source) -> None:
    record_product(source, snapshot(variant_ref="5a"), now=NOW)
    record_product(source, snapshot(variant_ref="5b"), now=NOW)

    record_product(source, gone(variant_ref="5a", version_at=NOW), now=NOW)

    assert [(variant, is_deleted) for variant, *_, is_deleted in products()] == [("5a", True), ("5b", False)]


def test_what_is_bought_again_and_again_is_so_until_its_source_says_otherwise(source: Source) -> None:
    found = []
    for hour, told in enumerate((None, True, None, False)):
        version_at = NOW - HOUR + hour * MINUTE
        product = record_product(source, snapshot(is_repeatable=told, version_at=version_at), now=NOW)
        found.append(product.is_repeatable)

    assert found == [False, True, True, False]


def test_what_staff_say_holds_until_the_source_says_otherwise(source: Source) -> None:
    product = record_product(source, snapshot(), now=NOW)
    variant = record_product(source, snapshot(variant_ref="5a"), now=NOW)
    other = record_product(source, snapshot(ref="6"), now=NOW)

    told = [set_repeatable(product, is_repeatable=True, actor=Actor("person", 1), now=NOW) for _ in range(2)]
    record_product(source, snapshot(version_at=NOW), now=NOW)
    assert told == [True, False]
    assert set(Product.objects.filter(is_repeatable=True)) == {product, variant}
    record_product(source, snapshot(version_at=NOW, is_repeatable=False), now=NOW)

    assert set(Product.objects.filter(is_repeatable=True)) == {variant}
    assert not Product.objects.get(pk=other.pk).is_repeatable
