"""The page of a source: a shop that cancels unpaid orders by itself, before their reminders."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.shops.models import Shop, Source
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop, make_source
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
