"""What an offer promises: a definition in a process, or the frozen terms of one that was granted."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self


class Kind(StrEnum):
    """What the buyer gets."""

    PERCENT = "percent"
    AMOUNT = "amount"
    DELIVERY = "delivery"  # free delivery
    GIFT = "gift"


class Period(StrEnum):
    """For how long a budget lasts before it begins anew."""

    EVER = "ever"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class BudgetLimit:
    """How much an offer may cost in a period, in one currency."""

    amount: Decimal
    currency: str
    period: Period = Period.MONTH


@dataclass(frozen=True, slots=True)
class Terms:
    """The promise. `products` are refs as the shop names them; none means the whole order or cart.

    `percent` of a gift is its fallback: what is given instead when there is none left; 0 is nothing.
    """

    kind: Kind
    percent: Decimal = Decimal(0)
    amount: Decimal = Decimal(0)
    currency: str = ""  # of `amount` and `min_sum`
    gift: str = ""
    products: tuple[str, ...] = ()
    min_sum: Decimal | None = None
    with_coupon: bool = False  # may be used beside a coupon of the shop
    with_offers: bool = False  # may be used beside another offer that allows it too
    description: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the terms as plain values; what says nothing is left out."""
        plain: dict[str, Any] = {"kind": str(self.kind)}
        for name in ("percent", "amount"):
            if value := getattr(self, name):
                plain[name] = str(value)
        for name in ("currency", "gift", "description", "with_coupon", "with_offers"):
            if value := getattr(self, name):
                plain[name] = value
        if self.products:
            plain["products"] = list(self.products)
        if self.min_sum is not None:
            plain["min_sum"] = str(self.min_sum)
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Return terms that were written by `as_json`."""
        least = plain.get("min_sum")
        return cls(
            kind=Kind(plain["kind"]),
            percent=Decimal(plain.get("percent", 0)),
            amount=Decimal(plain.get("amount", 0)),
            currency=plain.get("currency", ""),
            gift=plain.get("gift", ""),
            products=tuple(plain.get("products", ())),
            min_sum=None if least is None else Decimal(least),
            with_coupon=bool(plain.get("with_coupon")),
            with_offers=bool(plain.get("with_offers")),
            description=plain.get("description", ""),
        )
