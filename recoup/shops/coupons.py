"""What a shop platform that can make coupons is asked for, and what it answers: the port of offers that the shop applies.

A coupon is ours if it carries our `reference`. Every call may be repeated: an answer may be lost after its effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from recoup.shops.models import Source
from recoup.shops.snapshots import OrderSnapshot


class CouponKind(StrEnum):
    """What a coupon takes off."""

    PERCENT = "percent"
    AMOUNT = "amount"  # once, off everything it is for
    ONE_PIECE = "one_piece"  # off one piece of the goods it is for, never more than that costs
    NOTHING = "nothing"  # a mark: the gift that it stands for is packed by people


class CouponTrouble(StrEnum):
    """Why a shop makes or takes no coupon."""

    DISABLED = "disabled"  # coupons are switched off in the shop
    NOT_APPLICABLE = "not_applicable"  # the shop says that it does not fit the order or its goods
    BESIDE = "beside"  # another coupon stands on the order, and could not be put back
    CLOSED = "closed"  # the order is paid, cancelled or gone
    DIFFERS = "differs"  # the shop made something else than was asked for
    UNFIT = "unfit"  # the shop cannot say such a thing: a product whose id it does not know


class CouponRefused(Exception):
    """The shop makes or applies no such coupon, now or later; `trouble` says why, `details` in the shop's own words."""

    def __init__(self, trouble: CouponTrouble, details: str = "") -> None:
        super().__init__(f"{trouble}: {details}" if details else str(trouble))
        self.trouble = trouble
        self.details = details


class CouponCodeTaken(Exception):
    """The shop has a coupon of this code that is not ours: ask with another code."""


@dataclass(frozen=True, slots=True)
class CouponWish:
    """A coupon for one person, to be used once. `value` is a percentage or an amount in `currency`."""

    code: str  # as people read and type it
    reference: str  # ours, by which it is recognised
    kind: CouponKind
    value: Decimal
    currency: str
    expires_at: datetime
    emails: tuple[str, ...] = ()
    products: tuple[str, ...] = ()  # refs; none, and no variants, is everything
    variants: tuple[
        tuple[str, str], ...
    ] = ()  # of other products: each by its ref and that of the only variant meant
    min_sum: Decimal | None = None  # of goods
    order_ref: str = (
        ""  # of the order that it is for: a value is what its buyer pays less, however the shop reckons tax
    )
    is_alone: bool = True  # beside no other coupon
    note: str = ""  # for the shop's people


@dataclass(frozen=True, slots=True)
class Coupon:
    """A coupon that stands in the shop."""

    ref: str
    code: str


@dataclass(frozen=True, slots=True)
class CartLine:
    """A line of a cart, for a link that fills it."""

    product_ref: str
    variant_ref: str
    quantity: Decimal


class CouponMaker(Protocol):
    """What a platform with the capability `coupons` can do. The others refuse everything."""

    def make_coupon(self, source: Source, wish: CouponWish) -> Coupon:
        """Make a coupon, or find the one that was made for this very reference, and look that it is what was asked for.

        :raises CouponCodeTaken: if the code is another's. :raises CouponRefused: :raises SourceUnavailable:
        :raises SourceRefused:
        """

    def put_coupon(self, source: Source, order_ref: str, code: str, *, is_beside: bool) -> OrderSnapshot:
        """Put a coupon on an order that is not paid yet, and return the order as it was read again after that.

        :param is_beside: whether it may stand beside coupons that are there; without, these refuse it.

        :raises CouponRefused: and the order is as it was. :raises SourceUnavailable: :raises SourceRefused:
        """

    def take_off_coupon(self, source: Source, order_ref: str, code: str) -> OrderSnapshot | None:
        """Take a coupon off an order that is not paid, and return the order as it is then; `None` if there is none.

        An order that is paid or closed keeps it, and one that does not bear it is left alone.

        :raises CouponRefused: if others that stand beside it could not be put back.
        :raises SourceUnavailable: :raises SourceRefused:
        """

    def remove_coupon(self, source: Source, code: str, reference: str) -> None:
        """Delete a coupon of ours by its code; one that is gone, or another's, is left alone.

        :raises SourceUnavailable: :raises SourceRefused:
        """

    def coupon_link(self, source: Source, code: str, lines: Sequence[CartLine]) -> str:
        """Return an address of the shop that opens a checkout with these goods and the coupon; nothing if it has none.

        A shop that does not answer has none: the code is typed then.
        """
