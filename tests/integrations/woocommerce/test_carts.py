"""The link that opens a WooCommerce checkout with goods in it (C2, C3)."""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from pytest_django import Settings

from recoup.integrations.woocommerce.adapter import WooCommerce
from recoup.shops.addresses import is_own_address
from recoup.shops.coupons import CartLine
from recoup.shops.models import Source
from tests.factories.moments import NOW
from tests.factories.shops import make_shop, make_source
from tests.integrations.woocommerce.shop import KEY, SECRET, Shop, serving

D = Decimal
pytestmark = pytest.mark.django_db
GOODS = [CartLine("5", "", D("2.000")), CartLine("6", "61", D(1))]


@pytest.fixture
def woo(settings: Settings) -> Iterator[Shop]:
    """Return a shop in miniature, answering on this machine."""
    settings.IS_TEST = True
    with serving(Shop(now=NOW)) as shop:
        yield shop


@pytest.fixture
def source(woo: Shop) -> Source:
    """Return it as a source of ours."""
    keys = json.dumps({"consumer_key": KEY, "consumer_secret": SECRET})
    return make_source(make_shop(), kind="woocommerce", base_url=f"{woo.url}/", credentials=keys)


def test_the_link_names_variants_and_quantities_and_nothing_else(woo: Shop, source: Source) -> None:
    link = WooCommerce().cart_link(source, GOODS)

    assert link == f"{woo.url}/checkout-link/?products=5:2,61:1"
    assert is_own_address(source, link)


@pytest.mark.parametrize(
    "odd",
    [
        CartLine("", "", D(1)),
        CartLine("cream", "", D(1)),
        CartLine("0", "", D(1)),
        CartLine("٥", "", D(1)),
        CartLine("5", "x", D(1)),
        CartLine("5", "", D("0.5")),
        CartLine("5", "", D(-1)),
    ],
)
def test_one_line_that_cannot_be_said_makes_no_link_and_asks_nobody(
    woo: Shop, source: Source, odd: CartLine
) -> None:
    assert WooCommerce().cart_link(source, [*GOODS, odd]) == ""
    assert woo.asked == []


@pytest.mark.parametrize("version", ["9.9.5", "", "dev"])
def test_an_older_shop_has_no_such_link(woo: Shop, source: Source, version: str) -> None:
    woo.version = version

    assert WooCommerce().cart_link(source, GOODS) == ""


@pytest.mark.parametrize("fault", ["down", "busy", "forbidden"])
def test_a_shop_that_does_not_say_its_version_is_not_asked_by_every_buyer(
    woo: Shop, source: Source, fault: str
) -> None:
    woo.fault = fault
    found = [WooCommerce().cart_link(source, GOODS) for _ in range(3)]

    assert (found, len(woo.asked) <= 1) == ([""] * 3, True)


def test_the_version_is_asked_once_for_many_buyers(woo: Shop, source: Source) -> None:
    found = {WooCommerce().cart_link(source, GOODS) for _ in range(3)}

    assert (len(found), "" in found, len(woo.asked)) == (1, False, 1)
