"""The pages of sources: connecting, new keys, and a shop that cancels unpaid orders by itself, before their reminders."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.shops.addresses import site_of
from recoup.shops.models import Shop, Source
from recoup.shops.sources import history_state, hook_address
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop, make_source
from tests.integrations.woocommerce.shop import KEY, SECRET, serving
from tests.integrations.woocommerce.shop import Shop as FakeShop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    set_clock(NOW)
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop(slug="lumen")


def woo(shop: Shop, **values: Any) -> Source:
    return make_source(shop, kind="woocommerce", base_url="https://shop.example", **values)


def notice(source: Source) -> Any:
    page = sign_in(source.shop, name=f"Ewa{source.pk} Lis").get(f"/s/lumen/settings/sources/{source.pk}/")
    assert page.status_code == 200
    if page.context["cancelling"] is not None:
        assert str(page.context["cancelling"].title) in page.content.decode()
    return page.context["cancelling"]


def cancelled(source: Source, number: str, **values: Any) -> None:
    placed_at = values.pop("placed_at", NOW - DAY)
    make_order(
        source.shop,
        source=source,
        number=number,
        **{
            "placed_at": placed_at,
            "status": "cancelled",
            "cancel_reason": "source",
            "cancelled_at": placed_at + HOUR,
            "check_at": None,
            **values,
        },
    )


def test_woocommerce_is_said_to_cancel_by_itself_and_what_to_change(shop: Shop) -> None:
    found = notice(woo(shop))

    assert (str(found.title), found.tone, found.orders) == (
        "WooCommerce cancels unpaid orders by itself", "neutral", [],
    )  # fmt: skip
    assert "24 hours" in found.text
    assert "Hold stock (minutes)" in found.advice


def test_orders_that_the_shop_cancelled_before_their_reminder_are_shown(shop: Shop) -> None:
    source = woo(shop)
    cancelled(source, "seen", cancel_reason="source: auto")
    cancelled(source, "too long ago", placed_at=NOW - 8 * DAY)
    cancelled(source, "after the wait", cancelled_at=NOW - DAY + 25 * HOUR)
    cancelled(source, "by staff", cancel_reason="Changed their mind")
    cancelled(source, "paid", paid_at=NOW - 2 * HOUR)
    cancelled(source, "history", is_backfill=True)
    cancelled(woo(shop), "of another source")
    make_order(shop, source=source, number="open")

    found = notice(source)

    assert str(found.title) == "Your shop cancelled 1 order in the last 7 days before it could be reminded"
    assert ([link.label for link in found.orders], found.tone) == (["seen"], "due")


def test_of_many_only_the_newest_are_shown_and_it_says_so(shop: Shop) -> None:
    source = woo(shop)
    for number in range(13):
        cancelled(source, str(number), placed_at=NOW - 2 * DAY + number * HOUR)

    found = notice(source)

    assert "more than 12 orders" in str(found.title)
    assert [link.label for link in found.orders] == [str(number) for number in range(12, 0, -1)]


def test_nothing_is_said_of_other_sources_or_of_shops_that_wait_less_than_an_hour(shop: Shop) -> None:
    other = make_source(shop)
    cancelled(other, "1")
    assert notice(other) is None

    Shop.objects.filter(pk=shop.pk).update(unpaid_after_minutes=30)
    assert notice(woo(shop)) is None


# Connecting, and new keys


@pytest.fixture
def woocommerce() -> Iterator[FakeShop]:
    """Return a WooCommerce shop that answers on this machine."""
    with serving(FakeShop()) as served:
        yield served


def typed(served: FakeShop, **values: str) -> dict[str, str]:
    return {
        "base_url": served.url, "consumer_key": KEY, "consumer_secret": SECRET, "history": "0", **values,
    }  # fmt: skip


def test_a_shop_is_connected_once_and_the_second_time_gets_its_new_keys(
    shop: Shop, woocommerce: FakeShop
) -> None:
    client, path = sign_in(shop), "/s/lumen/settings/sources/woocommerce/"

    first = client.post(path, typed(woocommerce))
    again = client.post(path, typed(woocommerce, base_url=f"{woocommerce.url.upper()}/", history="30"))

    source = Source.objects.get()
    assert first.headers["Location"] == again.headers["Location"] == f"/s/lumen/settings/sources/{source.pk}/"
    assert history_state(source) is not None
    addresses = {hook["delivery_url"] for hook in woocommerce.webhooks.values()}
    assert addresses == {hook_address(source)}


def test_keys_that_do_not_work_connect_nothing_and_say_why(shop: Shop, woocommerce: FakeShop) -> None:
    page = sign_in(shop).post(
        "/s/lumen/settings/sources/woocommerce/", typed(woocommerce, consumer_key="ck_old")
    )

    assert page.status_code == 422
    assert "refuses the keys" in page.content.decode()
    assert not Source.objects.exists()
    assert not woocommerce.webhooks


def test_new_keys_are_tried_kept_and_end_the_trouble(shop: Shop, woocommerce: FakeShop) -> None:
    pauses = {"failures": 5, "next_at": (NOW + DAY).isoformat()}
    source = make_source(
        shop,
        kind="woocommerce",
        base_url=woocommerce.url,
        secret="s" * 32,
        credentials='{"consumer_key": "ck_old", "consumer_secret": "cs_old"}',
        state="broken",
        trouble="keys_refused: 401",
        cursor={"_intake": pauses, "orders": {"page": 3}},
        last_polled_at=NOW,
    )
    client, path = sign_in(shop), f"/s/lumen/settings/sources/{source.pk}/keys/"
    assert path in client.get(f"/s/lumen/settings/sources/{source.pk}/").content.decode()

    refused = client.post(path, {"consumer_key": "ck_older", "consumer_secret": "cs"})
    source.refresh_from_db()
    assert (refused.status_code, source.state) == (422, "broken")
    assert "ck_old" in source.credentials

    client.post(path, {"consumer_key": KEY, "consumer_secret": SECRET})
    source.refresh_from_db()
    assert json.loads(source.credentials) == {"consumer_key": KEY, "consumer_secret": SECRET}
    assert (source.state, source.trouble, source.last_polled_at) == ("active", "", None)
    assert source.cursor == {"orders": {"page": 3}}
    assert woocommerce.webhooks


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("https://Shop.Example/", "shop.example"),
        ("http://www.shop.example", "shop.example"),
        ("shop.example", "shop.example"),
        ("https://shop.example:443/pl/", "shop.example/pl"),
        ("https://shop.example:8443", "shop.example:8443"),
        ("https://shop.example:no", ""),
        ("", ""),
    ],
)
def test_a_site_is_told_by_its_host_and_folder(address: str, site: str) -> None:
    assert site_of(address) == site
