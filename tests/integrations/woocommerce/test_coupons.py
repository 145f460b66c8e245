"""Coupons of WooCommerce: the port's conformance suite, and what is WooCommerce's own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from recoup.integrations.woocommerce.adapter import WooCommerce
from recoup.shops.coupons import CartLine, CouponKind, CouponRefused, CouponTrouble
from recoup.shops.models import Source
from tests.factories.moments import NOW
from tests.factories.shops import make_shop, make_source
from tests.integrations.platforms.coupon_conformance import WISH, CouponConformance
from tests.integrations.woocommerce.shop import KEY, SECRET, Shop, serving

D = Decimal
pytestmark = pytest.mark.django_db


@dataclass
class WooTill:
    """The shop in miniature behind the suite's eyes."""

    shop: Shop
    source: Source

    def add_order(self, *, is_net: bool = False, is_guest: bool = True) -> str:
        """Add an order over 100.00, of which 23 % tax is on the first line where prices stand without it."""
        number = 100 + len(self.shop.orders)
        first = (
            {"total": "48.78", "total_tax": "11.22"} if is_net else {"total": "60.00", "total_tax": "0.00"}
        )
        lines: list[dict[str, Any]] = [
            {"id": 1, "product_id": 5, "name": "Cream", "quantity": 1, **first},
            {"id": 2, "product_id": 6, "name": "Soap", "quantity": 2, "total": "40.00", "total_tax": "0.00"},
        ]
        self.shop.add_order(
            number,
            total="100.00",
            line_items=lines,
            prices_include_tax=not is_net,
            customer_id=0 if is_guest else 7,
            billing={"first_name": "Anna", "email": "Anna@example.com"},
        )
        return str(number)

    def pay(self, ref: str) -> None:
        """Pay by card."""
        self.shop.change_order(int(ref), status="processing", date_paid_gmt="2026-11-02T12:05:00")

    def total(self, ref: str) -> Decimal:
        """Return the total."""
        return D(self.shop.orders[int(ref)]["total"])

    def codes(self) -> list[str]:
        """Return all codes."""
        return [row["code"] for row in self.shop.coupons.values()]

    def add_coupon(self, code: str, *, takes: int, ref: str = "", is_over: bool = False) -> None:
        """Add a coupon as the shop's people do."""
        call = self.shop.answer
        body = {"code": code, "discount_type": "percent", "amount": str(takes)}
        _, row = call("POST", "/wp-json/wc/v3/coupons", {}, body)
        if ref:
            call("PUT", f"/wp-json/wc/v3/orders/{ref}", {}, {"coupon_lines": [{"code": code}]})
        if is_over:
            row["date_expires_gmt"] = "2020-01-01T00:00:00"
        self.shop.asked.clear()

    def switch_coupons_off(self) -> None:
        """Untick “Enable the use of coupon codes”."""
        self.shop.takes_coupons = False

    def meddle(self) -> None:
        """Let a plugin raise the limit."""
        self.shop.meddles = {"usage_limit": 100}

    def fail(self, how: str) -> None:
        """Fail."""
        self.shop.fault = "forbidden" if how == "keys" else how


@pytest.fixture
def till(settings: Settings) -> Iterator[WooTill]:
    """Return the shop, answering on this machine."""
    settings.IS_TEST = True
    with serving(Shop(now=NOW)) as shop:
        keys = json.dumps({"consumer_key": KEY, "consumer_secret": SECRET})
        yield WooTill(shop, make_source(make_shop(), kind="woocommerce", base_url=shop.url, credentials=keys))


class TestWooCommerceCoupons(CouponConformance):
    """The suite, inherited."""


def test_a_coupon_says_what_was_asked_for_to_the_second(till: WooTill) -> None:
    wish = replace(
        WISH,
        kind=CouponKind.ONE_PIECE,
        value=D("5"),
        products=("5",),
        min_sum=D("20"),
        note="Recoup: Anna",
        expires_at=NOW + timedelta(hours=47, seconds=13),
    )
    WooCommerce().make_coupon(till.source, wish)

    (row,) = till.shop.coupons.values()
    told = ("discount_type", "amount", "usage_limit", "limit_usage_to_x_items", "individual_use")
    assert [row[name] for name in told] == ["fixed_product", "5.00", 1, 1, True]
    assert (row["product_ids"], row["minimum_amount"]) == ([5], "20")
    assert row["email_restrictions"] == ["anna@example.com"]
    # The shop's own clock says two hours more; the instant is the same.
    ends = NOW + timedelta(hours=47, seconds=13)
    assert row["date_expires_gmt"] == ends.strftime("%Y-%m-%dT%H:%M:%S")
    assert row["meta_data"] == [{"key": "_recoup_offer", "value": "recoup:1"}]


def test_a_coupon_of_a_guest_beside_ours_that_is_counted_by_address_is_not_risked(till: WooTill) -> None:
    ref = till.add_order()
    till.add_coupon("once", takes=20, ref=ref)
    (row,) = till.shop.coupons.values()
    row["usage_limit_per_user"] = 1
    WooCommerce().make_coupon(till.source, WISH)

    with pytest.raises(CouponRefused) as refused:
        WooCommerce().put_coupon(till.source, ref, WISH.code, is_beside=True)

    assert (refused.value.trouble, till.total(ref)) == (CouponTrouble.BESIDE, D("80.00"))


def test_keys_that_may_not_read_settings_make_coupons_all_the_same(
    till: WooTill, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = till.shop.answer

    def guarded(method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if "/settings/" in path or path.endswith("/system_status"):
            return 403, {"code": "woocommerce_rest_cannot_view", "message": "Sorry"}
        return answer(method, path, query, body)

    monkeypatch.setattr(till.shop, "answer", guarded)
    made = WooCommerce().make_coupon(till.source, WISH)

    assert till.codes() == [made.code]
    assert WooCommerce().coupon_link(till.source, WISH.code, [CartLine("5", "", D(1))]) == ""


@pytest.mark.parametrize(
    ("version", "is_known"), [("9.9.5", False), ("10.0.0", True), ("11.2", True), ("", False)]
)
def test_the_checkout_link_is_there_from_version_10_on(till: WooTill, version: str, is_known: bool) -> None:
    till.shop.version = version
    lines = [CartLine("5", "", D(2)), CartLine("6", "61", D(1))]
    link = WooCommerce().coupon_link(till.source, WISH.code, lines)

    wanted = f"{till.shop.url}/checkout-link/?products=5:2,61:1&coupon={WISH.code}"
    assert link == (wanted if is_known else "")
