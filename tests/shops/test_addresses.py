"""Where a buyer may be sent (T58)."""

import pytest

from recoup.shops.addresses import is_own_address, origin_of, own_hosts
from recoup.shops.models import Source

SOURCE = Source(base_url="https://www.Candles.example", options={"link_hosts": ["pay.candles.example"]})


@pytest.mark.parametrize(
    "url",
    [
        "https://candles.example/",
        "https://www.candles.example/checkout?a=1#b",
        "https://CANDLES.example./x",
        "https://candles.example:443/x",
        "https://pay.candles.example/x",
    ],
)
def test_addresses_of_the_source_are_its_own(url: str) -> None:
    assert is_own_address(SOURCE, url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/checkout",
        "//candles.example/",
        "http://candles.example/",
        "ftp://candles.example/",
        "javascript:alert(1)//candles.example/",
        "https:candles.example",
        "https://evil.example/?candles.example",
        "https://candles.example.evil.example/",
        "https://evilcandles.example/",
        "https://shop.candles.example/",
        "https://candles.example@evil.example/",
        "https://user:pw@candles.example/",
        "https://candles.example:8443/",
        "https://candles.example:99999/",
        "https://[::1/",
        "https://candles.example/\r\nx",
        "https://candles.example/ x",
        "https://candles.example\\@evil.example/",
        "https://cаndles.example/",  # a Cyrillic letter
        "https://candles.example/" + "a" * 2000,
    ],
)
def test_all_others_are_foreign(url: str) -> None:
    assert not is_own_address(SOURCE, url)


def test_a_source_without_an_address_owns_none() -> None:
    assert own_hosts(Source(base_url="", options={})) == frozenset()
    assert not is_own_address(Source(base_url="", options={}), "https://candles.example/")


def test_the_demo_may_use_http_on_this_machine_alone(settings: object) -> None:
    local = Source(base_url="http://127.0.0.1:9000", options={})

    settings.IS_DEMO, settings.IS_TEST = True, False  # type: ignore[attr-defined]
    assert is_own_address(local, "http://127.0.0.1:9000/cart")
    settings.IS_DEMO = False  # type: ignore[attr-defined]
    assert not is_own_address(local, "http://127.0.0.1:9000/cart")


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin_of("https://pay.example:8443/a/b?c=d") == "https://pay.example:8443"
