"""The code of a cart that its shop takes further: whatever its buyer leaves out before they order, the floor holds (K7).

Pure, in `Decimal`. Such a code is bound to the goods of the cart and to a least sum of goods. A line that costs `t` earns
`E (t - w t) - (1 - r) c`, where `w` is the share taken off it, and `E = (1 - r) n - f - floor n` with the letters of
`pricing`. What is the same for every order must be earned by its goods together: the fixed fee, what delivery costs in fees
and floor, a sum taken off, the rounding of the shop. Where the line that earns the smallest share of its price earns `u` of
it, every part of the cart earns at least `u` of its sum. So no line may earn less than nothing, and the least sum is that
need divided by `u`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from recoup.offers.pricing import (
    Basket,
    Line,
    Part,
    Refusal,
    Rules,
    coin,
    cost_of_line,
    goods_by_line,
    lines_of,
    net_share,
)
from recoup.offers.terms import Kind, Terms

_ZERO, _HUNDRED = Decimal(0), Decimal(100)
_NEVER = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class CodeTerms:
    """From which sum of goods on a code counts, `None` from any; or why none may be given."""

    least_goods: Decimal | None = None
    refusal: Refusal | None = None


class _Earning(NamedTuple):
    """What a line costs the buyer before the discount, and what is earned on it after that."""

    price: Decimal
    earned: Decimal


def code_terms(basket: Basket, terms: Terms, rules: Rules, part: Part) -> CodeTerms:
    """Return how the code of a cart must be bound, so that no part of the cart goes below the floor with it.

    A share is promised of each line, so each must carry it. A sum off the whole cart, delivery and gifts were reckoned on
    the cart as it was left and count from there on. A sum off one piece counts from where the goods carry it.

    :param part: what the offer does on the whole cart, on which the floor holds.
    """
    goods = basket.total - basket.delivery
    if (
        part.gift is not None
        or terms.kind is Kind.DELIVERY
        or (terms.kind is Kind.AMOUNT and not terms.products)
    ):
        return _from(goods, terms)
    off = _off_once(basket, terms)
    least = max(_by_floor(basket, terms, rules, off), _by_least_sum(basket, terms, rules, off))
    if least == _NEVER and terms.kind is not Kind.AMOUNT and not _each_carries(basket, terms, rules):
        return CodeTerms(refusal=Refusal.FLOOR)
    if least >= goods:
        return _from(goods, terms)
    least = least.quantize(coin(basket.currency), ROUND_CEILING)
    return _from(_ZERO if least <= _smallest_piece(basket, terms) else min(least, goods), terms)


def general_terms(basket: Basket, terms: Terms, rules: Rules) -> CodeTerms:
    """Return how a code for whatever is ordered must be bound, so that nothing goes below the floor with it.

    :param basket: the goods that earn least of their price, with the dearest delivery.
    """
    off = terms.amount if terms.kind is Kind.AMOUNT else coin(basket.currency) / 2
    least = max(_by_floor(basket, terms, rules, off), _by_least_sum(basket, terms, rules, off))
    if least == _NEVER:
        return CodeTerms(refusal=Refusal.FLOOR)
    return _from(least.quantize(coin(basket.currency), ROUND_CEILING), terms)


def _from(least: Decimal, terms: Terms) -> CodeTerms:
    wanted = max(least, terms.min_sum or _ZERO)
    return CodeTerms(wanted if wanted > 0 else None)


def _each_carries(basket: Basket, terms: Terms, rules: Rules) -> bool:
    return all(one.earned >= 0 for one in _earnings(basket, terms, rules))


def _by_floor(basket: Basket, terms: Terms, rules: Rules, off: Decimal) -> Decimal:
    """Return from which sum of goods on every part of a basket leaves the floor."""
    net, fees = net_share(basket), rules.fee / _HUNDRED
    floor = rules.floor / _HUNDRED * net
    need = (rules.fixed_fee or _ZERO) + (fees + floor) * basket.delivery
    need += _worth(basket, rules) * off
    return _least(_earnings(basket, terms, rules), need)


def _by_least_sum(basket: Basket, terms: Terms, rules: Rules, off: Decimal) -> Decimal:
    """Return from which sum of goods on every part of a basket leaves the smallest sum that can be paid."""
    left = [
        _Earning(line.total, have - taken)
        for line, have, taken in zip(
            lines_of(basket), goods_by_line(basket), _taken(basket, terms), strict=True
        )
    ]
    return _least(left, rules.least + off)


def _least(earnings: Sequence[_Earning], need: Decimal) -> Decimal:
    """Return from which sum on the goods of these lines, in whatever part, earn what is needed; infinity if from none."""
    need -= sum(
        (one.earned for one in earnings if one.price <= 0), _ZERO
    )  # what goes with any order for nothing
    shares = [one.earned / one.price for one in earnings if one.price > 0]
    least = min(shares, default=_ZERO)
    if least < 0 or (least == 0 and need > 0):
        return _NEVER
    return need / least if need > 0 else _ZERO


def _earnings(basket: Basket, terms: Terms, rules: Rules) -> list[_Earning]:
    kept, worth = 1 - rules.returns / _HUNDRED, _worth(basket, rules)
    return [
        _Earning(line.total, worth * (have - taken) - kept * (cost_of_line(line, rules) or _ZERO))
        for line, have, taken in zip(
            lines_of(basket), goods_by_line(basket), _taken(basket, terms), strict=True
        )
    ]


def _worth(basket: Basket, rules: Rules) -> Decimal:
    """Return what is left of each coin that the buyer pays, after returns, tax, fees and the floor."""
    net = net_share(basket)
    return (1 - rules.returns / _HUNDRED) * net - rules.fee / _HUNDRED - rules.floor / _HUNDRED * net


def _taken(basket: Basket, terms: Terms) -> list[Decimal]:
    """Return what a share takes off each line, not rounded."""
    share = _ZERO if terms.kind is Kind.AMOUNT else terms.percent / _HUNDRED
    return [line.total * share if is_for(terms, line) else _ZERO for line in lines_of(basket)]


def _off_once(basket: Basket, terms: Terms) -> Decimal:
    """Return what is taken off an order once, whatever is in it: a sum, or what a shop may round up."""
    if terms.kind is Kind.AMOUNT:
        return terms.amount
    step = coin(basket.currency)
    pieces = [
        taken / _pieces(line) for line, taken in zip(lines_of(basket), _taken(basket, terms), strict=True)
    ]
    return _ZERO if all(one % step == 0 for one in pieces) else step / 2


def _smallest_piece(basket: Basket, terms: Terms) -> Decimal:
    """Return what the cheapest piece costs that an order must hold for the code to count."""
    prices = [
        line.total / _pieces(line) for line in lines_of(basket) if is_for(terms, line) and line.total > 0
    ]
    return min(prices, default=_ZERO)


def _pieces(line: Line) -> Decimal:
    return max(line.quantity, Decimal(1))


def is_for(terms: Terms, line: Line) -> bool:
    """Tell whether an offer is for the goods of a line."""
    return not terms.products or line.ref in terms.products
