"""What stands between the goods of an order and its total, so that what a buyer reads adds up.

Sources differ: with some the lines hold discount and tax already, with others not; some name the delivery without its
tax. So the parts that are told are tried, and those that fit are shown.
"""

from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import gettext as _

from recoup.core.money import exponent

DELIVERY, DISCOUNT, TAX, OTHER, PAID = "delivery", "discount", "tax", "other", "paid"
_NOTHING = Decimal(0)
_MOST_TAX = Decimal("1.3")  # of a delivery: no country of our shops takes more


class Extra(NamedTuple):
    """One row between the goods and the total; what is taken off is negative."""

    kind: str
    amount: Decimal


class Told(NamedTuple):
    """What a source tells of an order's parts beside its lines."""

    delivery: Decimal | None = None
    discount: Decimal | None = None
    tax: Decimal | None = None


def extras(total: Decimal, goods: Decimal, told: Told, *, currency: str) -> tuple[Extra, ...]:
    """Return the rows that lead from the goods to the total; together they are the difference, to the minor unit."""
    delivery, discount, tax = told
    # Lines may be finer than money: a source divides tax over them.
    rest = (total - goods).quantize(Decimal(1).scaleb(-exponent(currency)))
    brought = Extra(DELIVERY, delivery or _NOTHING)
    cut, taxed = Extra(DISCOUNT, -abs(discount or _NOTHING)), Extra(TAX, tax or _NOTHING)
    for rows in (
        (),
        (brought,),
        (brought, cut),
        (brought, taxed),
        (brought, cut, taxed),
        (cut,),
        (cut, taxed),
    ):
        if sum((row.amount for row in rows), _NOTHING) == rest:
            return tuple(row for row in rows if row.amount)
    if brought.amount <= rest <= brought.amount * _MOST_TAX:
        return (Extra(DELIVERY, rest),)
    return (Extra(OTHER if rest > 0 else DISCOUNT, rest),)


def extra_name(kind: str) -> str:
    """Return what a row is called."""
    return {
        DELIVERY: _("Delivery"),
        DISCOUNT: _("Discount"),
        TAX: _("Tax"),
        OTHER: _("Delivery and other costs"),
        PAID: _("Already paid"),
    }[kind]
