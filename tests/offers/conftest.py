"""A shop on WooCommerce in which offers are made."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.offers import make_settings
from tests.factories.shops import make_shop
from tests.integrations.woocommerce.shop import serving
from tests.offers.woo import BusyShop, World, connect


@pytest.fixture(scope="module")
def woo() -> Iterator[BusyShop]:
    """One server for all tests; each finds it as new."""
    with serving(BusyShop(now=NOW)) as shop:
        assert isinstance(shop, BusyShop)
        yield shop


@pytest.fixture
def world(woo: BusyShop, settings: Settings) -> World:
    """Return a connected shop whose goods cost 40 %, at `NOW`."""
    settings.IS_TEST = True
    fresh = BusyShop(now=NOW, url=woo.url)
    for name in fresh.__dataclass_fields__:
        setattr(woo, name, getattr(fresh, name))
    set_clock(NOW)
    shop = make_shop()
    make_settings(shop)
    return connect(woo, shop)
