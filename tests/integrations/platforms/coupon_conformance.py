"""What every platform with the capability `coupons` must keep to (`shops.coupons`); an adapter's tests inherit the class.

Pytest does not collect it by itself. An adapter gives the fixture `till`: a stand-in server of its own behind `Till`.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from recoup.shops.adapters import platform
from recoup.shops.addresses import is_own_address
from recoup.shops.coupons import (
    CartLine,
    Coupon,
    CouponCodeTaken,
    CouponKind,
    CouponRefused,
    CouponTrouble,
    CouponWish,
)
from recoup.shops.models import Source
from recoup.shops.ports import ShopPlatform, SourceRefused, SourceUnavailable
from tests.factories.moments import NOW

D = Decimal
WISH = CouponWish(
    code="CDFG-HJKM-NPQR",
    reference="recoup:1",
    kind=CouponKind.PERCENT,
    value=D(10),
    currency="EUR",
    expires_at=NOW + timedelta(days=2),
    emails=("anna@example.com",),
)


class Till(Protocol):
    """A shop in miniature, seen from its own side. Its goods are products 5 (60.00) and 6 (40.00)."""

    source: Source

    def add_order(self, *, is_net: bool = False, is_guest: bool = True) -> str:
        """Add an unpaid order of anna@example.com over 100.00, tax included; return its ref."""

    def pay(self, ref: str) -> None:
        """Let an order be paid."""

    def total(self, ref: str) -> Decimal:
        """Return what an order charges."""

    def codes(self) -> list[str]:
        """Return the codes of all coupons, in lower case."""

    def add_coupon(self, code: str, *, takes: int, ref: str = "", is_over: bool = False) -> None:
        """Add a coupon of the shop's own over so many per cent, and put it on an order. `is_over`: it has expired since."""

    def switch_coupons_off(self) -> None:
        """Take no coupons any more."""

    def meddle(self) -> None:
        """Make something else of every coupon, as a plugin would."""

    def fail(self, how: str) -> None:
        """Fail from now on: `down`, `busy`, `keys`, `lost` (done, and the answer gets lost), or not (empty)."""


class CouponConformance:
    """The suite."""

    @pytest.fixture
    def maker(self, till: Till) -> ShopPlatform:
        """Return the adapter."""
        return platform(till.source.kind)

    def make(self, maker: ShopPlatform, till: Till, **values: object) -> Coupon:
        """Make a coupon."""
        return maker.make_coupon(till.source, replace(WISH, **values))  # type: ignore[arg-type]

    def test_it_says_that_it_can(self, maker: ShopPlatform) -> None:
        assert maker.capabilities.coupons

    def test_a_coupon_is_made_once_for_its_reference(self, maker: ShopPlatform, till: Till) -> None:
        first, second = self.make(maker, till), self.make(maker, till)

        assert (first, first.code.upper()) == (second, WISH.code)
        assert till.codes() == [WISH.code.lower()]

    def test_a_lost_answer_makes_no_second_coupon(self, maker: ShopPlatform, till: Till) -> None:
        till.fail("lost")
        with pytest.raises(SourceUnavailable):
            self.make(maker, till)
        till.fail("")

        self.make(maker, till)

        assert till.codes() == [WISH.code.lower()]

    def test_a_code_of_somebody_else_is_left_alone(self, maker: ShopPlatform, till: Till) -> None:
        till.add_coupon(WISH.code, takes=50)
        with pytest.raises(CouponCodeTaken):
            self.make(maker, till)
        maker.remove_coupon(till.source, WISH.code, WISH.reference)
        ref = till.add_order()
        maker.put_coupon(till.source, ref, WISH.code, is_beside=False)

        assert (till.codes(), till.total(ref)) == ([WISH.code.lower()], D("50.00"))

    @pytest.mark.parametrize("is_net", [False, True])
    @pytest.mark.parametrize(
        ("kind", "value", "products", "left"),
        [
            (CouponKind.PERCENT, "10", (), "90.00"),
            (CouponKind.PERCENT, "10", ("5",), "94.00"),
            (CouponKind.AMOUNT, "12.50", (), "87.50"),
            (CouponKind.NOTHING, "0", (), "100.00"),
        ],
    )
    def test_an_order_charges_what_was_asked_for(
        self,
        maker: ShopPlatform,
        till: Till,
        kind: CouponKind,
        value: str,
        products: tuple[str, ...],
        left: str,
        is_net: bool,
    ) -> None:
        ref = till.add_order(is_net=is_net)
        self.make(maker, till, kind=kind, value=D(value), products=products, order_ref=ref)
        order = maker.put_coupon(till.source, ref, WISH.code, is_beside=False)
        again = maker.put_coupon(till.source, ref, WISH.code, is_beside=False)

        # Tax of single lines is rounded by the shop: a cent may move.
        assert abs(till.total(ref) - D(left)) <= D("0.01")
        assert (order.total, again) == (till.total(ref), order)
        assert [(one.code.upper(), one.discount) for one in order.coupons] == [
            (WISH.code, D(100) - till.total(ref))
        ]

    def test_a_paid_or_unknown_order_gets_none_and_keeps_what_it_has(
        self, maker: ShopPlatform, till: Till
    ) -> None:
        paid, bearing = till.add_order(), till.add_order()
        self.make(maker, till)
        maker.put_coupon(till.source, bearing, WISH.code, is_beside=False)
        till.pay(paid)
        till.pay(bearing)

        for ref in (paid, "999999"):
            with pytest.raises(CouponRefused) as refused:
                maker.put_coupon(till.source, ref, WISH.code, is_beside=False)
            assert refused.value.trouble is CouponTrouble.CLOSED
        assert maker.take_off_coupon(till.source, "999999", WISH.code) is None
        maker.take_off_coupon(till.source, bearing, WISH.code)
        assert (till.total(paid), till.total(bearing)) == (D("100.00"), D("90.00"))

    def test_it_stands_beside_another_only_if_it_may(self, maker: ShopPlatform, till: Till) -> None:
        ref = till.add_order()
        till.add_coupon("spring", takes=20, ref=ref)
        self.make(maker, till)

        with pytest.raises(CouponRefused) as refused:
            maker.put_coupon(till.source, ref, WISH.code, is_beside=False)
        assert (refused.value.trouble, till.total(ref)) == (CouponTrouble.BESIDE, D("80.00"))
        maker.put_coupon(till.source, ref, WISH.code, is_beside=True)
        assert till.total(ref) == D("70.00")
        maker.take_off_coupon(till.source, ref, WISH.code)
        assert till.total(ref) == D("80.00")

    def test_nobody_loses_a_coupon_that_could_not_be_put_back(self, maker: ShopPlatform, till: Till) -> None:
        ref = till.add_order()
        till.add_coupon("spring", takes=20, ref=ref, is_over=True)
        self.make(maker, till)

        with pytest.raises(CouponRefused) as refused:
            maker.put_coupon(till.source, ref, WISH.code, is_beside=True)

        assert (refused.value.trouble, till.total(ref)) == (CouponTrouble.BESIDE, D("80.00"))

    def test_taken_off_the_order_costs_what_it_did(self, maker: ShopPlatform, till: Till) -> None:
        ref = till.add_order()
        self.make(maker, till)
        maker.put_coupon(till.source, ref, WISH.code, is_beside=False)

        first = maker.take_off_coupon(till.source, ref, WISH.code)
        second = maker.take_off_coupon(till.source, ref, WISH.code)
        again = maker.put_coupon(till.source, ref, WISH.code, is_beside=False)

        assert first is not None
        assert (first.total, first.coupons, second) == (D("100.00"), (), first)
        assert again.total == D("90.00")

    def test_a_lost_answer_leaves_one_coupon_on_the_order(self, maker: ShopPlatform, till: Till) -> None:
        ref = till.add_order()
        self.make(maker, till)
        till.fail("lost")
        with pytest.raises(SourceUnavailable):
            maker.put_coupon(till.source, ref, WISH.code, is_beside=False)
        till.fail("")

        assert maker.put_coupon(till.source, ref, WISH.code, is_beside=False).total == D("90.00")

    def test_a_coupon_counts_once_and_for_its_goods(self, maker: ShopPlatform, till: Till) -> None:
        used, other = till.add_order(), till.add_order()
        self.make(maker, till)
        self.make(maker, till, code="CDFG-HJKM-NPQT", reference="recoup:2", products=("77",))
        maker.put_coupon(till.source, used, WISH.code, is_beside=False)

        for code in (WISH.code, "CDFG-HJKM-NPQT", "CDFG-HJKM-NPQX"):
            with pytest.raises(CouponRefused) as refused:
                maker.put_coupon(till.source, other, code, is_beside=False)
            assert refused.value.trouble is CouponTrouble.NOT_APPLICABLE
        assert till.total(other) == D("100.00")

    def test_a_removed_coupon_is_gone_and_may_be_removed_again(self, maker: ShopPlatform, till: Till) -> None:
        self.make(maker, till)
        maker.remove_coupon(till.source, WISH.code, "recoup:2")
        assert till.codes() == [WISH.code.lower()]

        maker.remove_coupon(till.source, WISH.code, WISH.reference)
        maker.remove_coupon(till.source, WISH.code, WISH.reference)

        assert till.codes() == []

    def test_where_coupons_are_off_or_come_out_otherwise_none_is_left(
        self, maker: ShopPlatform, till: Till
    ) -> None:
        till.meddle()
        with pytest.raises(CouponRefused) as other:
            self.make(maker, till)
        till.switch_coupons_off()
        with pytest.raises(CouponRefused) as off:
            self.make(maker, till)

        assert (other.value.trouble, off.value.trouble) == (CouponTrouble.DIFFERS, CouponTrouble.DISABLED)
        assert till.codes() == []

    def test_what_the_shop_cannot_say_is_refused(self, maker: ShopPlatform, till: Till) -> None:
        for values in (
            {"products": ("ref with letters",)},
            {"kind": CouponKind.AMOUNT, "currency": "USD"},
        ):
            with pytest.raises(CouponRefused) as refused:
                self.make(maker, till, **values)
            assert refused.value.trouble is CouponTrouble.UNFIT
        assert till.codes() == []

    @pytest.mark.parametrize(
        ("how", "error"), [("down", SourceUnavailable), ("busy", SourceUnavailable), ("keys", SourceRefused)]
    )
    def test_a_shop_that_does_not_answer_is_asked_later_and_refused_keys_need_a_person(
        self, maker: ShopPlatform, till: Till, how: str, error: type[Exception]
    ) -> None:
        ref = till.add_order()
        till.fail(how)

        with pytest.raises(error):
            self.make(maker, till)
        with pytest.raises(error):
            maker.put_coupon(till.source, ref, WISH.code, is_beside=False)
        with pytest.raises(error):
            maker.take_off_coupon(till.source, ref, WISH.code)
        with pytest.raises(error):
            maker.remove_coupon(till.source, WISH.code, WISH.reference)
        assert maker.coupon_link(till.source, WISH.code, [CartLine("5", "", D(1))]) == ""

    def test_a_link_leads_to_the_shop_with_goods_and_code_or_there_is_none(
        self, maker: ShopPlatform, till: Till
    ) -> None:
        lines = [CartLine("5", "", D(2)), CartLine("6", "", D(1))]
        link = maker.coupon_link(till.source, WISH.code, lines)

        if link:
            assert is_own_address(till.source, link)
            assert WISH.code in link
        assert maker.coupon_link(till.source, WISH.code, [CartLine("with letters", "", D(1))]) == ""
        assert maker.coupon_link(till.source, WISH.code, []) == ""
