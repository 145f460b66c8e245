"""What an offer takes off, down to the last coin, and what must be left: pure, in `Decimal` (K7; T68).

The floor. Of a sum `a` that the buyer pays, `n` is the share left after tax, `f` the share and `x` the fixed part that the
operator keeps, `r` the share of sales that come back (their goods can be sold again, the operator's fee is lost), and `c`
what goods, delivery and gifts cost. What is earned is `(1 - r)(n a - c) - f a - x`. It must be at least the floor's share of
`n a`; so `a` is at least `((1 - r) c + x) / ((1 - r) n - f - floor n)`, rounded up to the coin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum

from recoup.core.money import exponent
from recoup.offers.terms import Kind, Terms

_ZERO, _HUNDRED = Decimal(0), Decimal(100)


class Refusal(StrEnum):
    """Why an offer gives nothing on a basket."""

    CURRENCY = "currency"
    OTHER_PRODUCT = "other_product"
    MIN_SUM = "min_sum"
    COUPON = "coupon"
    OTHER_OFFER = "other_offer"
    NO_COST = "no_cost"  # what the goods cost is not known, and no share is set
    FLOOR = "floor"
    NOTHING = "nothing"  # there is nothing to take off: no delivery to be paid, no gift left


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order or cart. `cost` is what all its pieces cost the shop, if known."""

    ref: str
    total: Decimal
    cost: Decimal | None = None
    quantity: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Gift:
    """A gift that is there: what it costs the shop, if known, and what it is sold for."""

    ref: str
    name: str
    price: Decimal
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Basket:
    """What would be paid for: all sums in one currency. `total` holds delivery and tax, and any coupon is taken off it."""

    currency: str
    total: Decimal
    lines: tuple[Line, ...] = ()
    delivery: Decimal = _ZERO
    tax: Decimal = _ZERO
    has_coupon: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What a shop must keep. Percentages are of what the buyer pays; `least` is the smallest sum that can be paid.

    `fixed_fee` is `None` where the operator takes one that nobody knows in this currency: then no cost is known.
    """

    default_cost: Decimal | None = None
    fee: Decimal = _ZERO
    fixed_fee: Decimal | None = _ZERO
    returns: Decimal = _ZERO
    floor: Decimal = _ZERO
    least: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Part:
    """What one offer takes off: of each line, of the delivery; or why it does not. `cost` is what it costs the shop."""

    discount: Decimal = _ZERO
    by_line: tuple[Decimal, ...] = ()
    of_delivery: Decimal = _ZERO
    cost: Decimal = _ZERO
    is_cut: bool = False  # the floor left less than was promised
    refusal: Refusal | None = None
    gift: Gift | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """Old and new sum, and what each offer does."""

    before: Decimal
    after: Decimal
    parts: tuple[Part, ...]
    is_guessed: bool = False  # some of the costs are the share that the shop set, not what the goods cost

    @property
    def discount(self) -> Decimal:
        """Return what all offers take off together."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Margin:
    """What a shop earns on a basket at a sum, and as a share of the sum without tax."""

    amount: Decimal
    share: Decimal | None


def coin(currency: str) -> Decimal:
    """Return the smallest step of a currency: 0.01 PLN, 1 JPY, 0.001 KWD."""
    return Decimal(1).scaleb(-exponent(currency))


def allocate(amount: Decimal, weights: Sequence[Decimal], step: Decimal) -> tuple[Decimal, ...]:
    """Split an amount by weights into whole coins that add up to it exactly; no share is greater than its weight.

    `amount` is a multiple of the step and at most the sum of the weights. The largest remainders get what is left.
    """
    whole = sum(weights, _ZERO)
    if amount <= 0 or whole <= 0:
        return tuple(_ZERO for _ in weights)
    exact = [amount * weight / whole for weight in weights]
    shares = [share.quantize(step, ROUND_FLOOR) for share in exact]
    left = int((amount - sum(shares, _ZERO)) / step)
    by_remainder = sorted(range(len(weights)), key=lambda at: (shares[at] - exact[at], at))
    while left > 0:
        fits = [at for at in by_remainder if shares[at] + step <= weights[at]]
        if not fits:  # weights that are no whole coins: the rest has no line of its own
            shares[max(range(len(weights)), key=lambda at: weights[at] - shares[at])] += left * step
            break
        for at in fits[:left]:
            shares[at] += step
        left -= min(left, len(fits))
    return tuple(shares)


def cost_of(basket: Basket, rules: Rules, *, gifts: Decimal = _ZERO) -> Decimal | None:
    """Return what goods, delivery and gifts cost the shop.

    `None` if that of some goods is not known and no share is set, or if the operator's fee is not known in the currency.
    """
    if rules.fixed_fee is None:
        return None
    costs = [cost_of_line(line, rules) for line in lines_of(basket)]
    if any(cost is None for cost in costs):
        return None
    return (
        sum((cost for cost in costs if cost is not None), _ZERO) + basket.delivery * net_share(basket) + gifts
    )


def cost_of_line(line: Line, rules: Rules) -> Decimal | None:
    """Return what the goods of a line cost the shop, or the share that stands in for it; `None` if neither is known."""
    return line.cost if line.cost is not None else _share_of(line.total, rules)


def _share_of(total: Decimal, rules: Rules) -> Decimal | None:
    return None if rules.default_cost is None else total * rules.default_cost / _HUNDRED


def lines_of(basket: Basket) -> tuple[Line, ...]:
    """Return the lines; of a basket whose lines nobody told, one that stands for all goods."""
    return basket.lines or (Line("", basket.total - basket.delivery),)


def net_share(basket: Basket) -> Decimal:
    """Return which share of the total is left after tax."""
    if basket.total <= 0:
        return Decimal(1)
    return min(max(1 - basket.tax / basket.total, _ZERO), Decimal(1))


def lowest_sum(basket: Basket, rules: Rules, *, gifts: Decimal = _ZERO) -> Decimal | None:
    """Return the least that the buyer must pay so that the floor holds, in whole coins; `None` if no sum is enough."""
    cost = cost_of(basket, rules, gifts=gifts)
    if cost is None:
        return None
    kept, net = 1 - rules.returns / _HUNDRED, net_share(basket)
    earned = kept * net - rules.fee / _HUNDRED - rules.floor / _HUNDRED * net
    needed = kept * cost + (rules.fixed_fee or _ZERO)
    if earned <= 0:
        return None if needed > 0 or earned < 0 else rules.least
    step = coin(basket.currency)
    return max((needed / earned).quantize(step, ROUND_CEILING), rules.least.quantize(step, ROUND_CEILING))


def margin_at(basket: Basket, rules: Rules, paid: Decimal, *, gifts: Decimal = _ZERO) -> Margin | None:
    """Return what is earned when the buyer pays a sum; `None` if the cost is not known."""
    cost = cost_of(basket, rules, gifts=gifts)
    if cost is None:
        return None
    kept, net = 1 - rules.returns / _HUNDRED, net_share(basket)
    amount = kept * (net * paid - cost) - rules.fee / _HUNDRED * paid - (rules.fixed_fee or _ZERO)
    return Margin(amount, amount / (net * paid) if paid > 0 and net > 0 else None)


@dataclass(slots=True)
class _Left:
    """What has not been taken off yet."""

    lines: list[Decimal]
    delivery: Decimal
    sum: Decimal
    gifts: Decimal = _ZERO


def quote(
    basket: Basket, offers: Sequence[Terms], rules: Rules, *, gifts: Sequence[Gift | None] = ()
) -> Quote:
    """Apply offers one after another, never below the floor, the least sum or zero.

    `gifts` are what the gifts among the offers stand for, in the same order; `None` where none is left. An offer that the
    floor leaves less than it promises is cut; one that it leaves nothing is refused. A step that would bring the sum below
    the floor was never given, whatever the offers are.
    """
    left = _Left(goods_by_line(basket), min(basket.delivery, basket.total), basket.total)
    found: list[Part] = []
    for number, terms in enumerate(offers):
        refusal = _misfit(basket, terms) or _beside(offers, number, found)
        gift = gifts[number] if number < len(gifts) else None
        found.append(Part(refusal=refusal) if refusal else _apply(basket, terms, rules, left, gift))
    given = [part.gift for part in found if part.gift is not None]
    return Quote(basket.total, left.sum, tuple(found), is_guessed(basket, rules, given))


def is_guessed(basket: Basket, rules: Rules, gifts: Sequence[Gift] = ()) -> bool:
    """Tell whether the share that the shop set stands in for costs that nobody has said (K7)."""
    known = [line.cost for line in lines_of(basket)] + [gift.cost for gift in gifts]
    return rules.default_cost is not None and any(cost is None for cost in known)


def goods_by_line(basket: Basket) -> list[Decimal]:
    """Return what of the total falls on each line: a coupon of the shop is spread over all of them."""
    totals = [max(line.total, _ZERO) for line in lines_of(basket)]
    most = max(basket.total - min(basket.delivery, basket.total), _ZERO)
    step = coin(basket.currency)
    if sum(totals, _ZERO) <= most:
        return totals
    return list(allocate(most.quantize(step, ROUND_FLOOR), totals, step))


def _misfit(basket: Basket, terms: Terms) -> Refusal | None:
    """Return why terms do not fit a basket at all."""
    if terms.currency and terms.currency != basket.currency:
        return Refusal.CURRENCY
    if terms.products and not any(line.ref in terms.products for line in basket.lines):
        return Refusal.OTHER_PRODUCT
    if terms.min_sum is not None and basket.total - basket.delivery < terms.min_sum:
        return Refusal.MIN_SUM
    if basket.has_coupon and not terms.with_coupon:
        return Refusal.COUPON
    return None


def _beside(offers: Sequence[Terms], number: int, found: Sequence[Part]) -> Refusal | None:
    """Return whether an offer may not be used beside one that was applied already."""
    applied = [terms for terms, part in zip(offers, found, strict=False) if part.refusal is None]
    if applied and not (offers[number].with_offers and all(terms.with_offers for terms in applied)):
        return Refusal.OTHER_OFFER
    return None


def _apply(basket: Basket, terms: Terms, rules: Rules, left: _Left, gift: Gift | None) -> Part:
    if terms.kind is Kind.GIFT and gift is not None:
        return _give(basket, rules, left, gift)
    wanted = _wanted(basket, terms, left)
    if wanted <= 0:
        return Part(refusal=Refusal.NOTHING)
    lowest = lowest_sum(basket, rules, gifts=left.gifts)
    if lowest is None:
        is_unknown = cost_of(basket, rules) is None
        return Part(refusal=Refusal.NO_COST if is_unknown else Refusal.FLOOR)
    step = coin(basket.currency)
    room = max(left.sum - lowest, _ZERO).quantize(step, ROUND_FLOOR)
    given = min(wanted, room)
    if given <= 0:
        return Part(refusal=Refusal.FLOOR)
    part = Part(discount=given, cost=given, is_cut=given < wanted)
    left.sum -= given
    if terms.kind is Kind.DELIVERY:
        left.delivery -= given
        return replace(part, by_line=tuple(_ZERO for _ in basket.lines), of_delivery=given)
    shares = allocate(given, _eligible(basket, terms, left), step)
    left.lines = [have - share for have, share in zip(left.lines, shares, strict=True)]
    return replace(part, by_line=shares)


def _eligible(basket: Basket, terms: Terms, left: _Left) -> list[Decimal]:
    lines = lines_of(basket)
    return [
        have if not terms.products or line.ref in terms.products else _ZERO
        for line, have in zip(lines, left.lines, strict=True)
    ]


def _wanted(basket: Basket, terms: Terms, left: _Left) -> Decimal:
    """Return what an offer promises on what is left, in whole coins."""
    step = coin(basket.currency)
    if terms.kind is Kind.DELIVERY:
        return left.delivery.quantize(step, ROUND_FLOOR)
    whole = sum(_eligible(basket, terms, left), _ZERO)
    promised = terms.amount if terms.kind is Kind.AMOUNT else whole * terms.percent / _HUNDRED
    return min(promised.quantize(step, ROUND_HALF_UP), whole.quantize(step, ROUND_FLOOR))


def _give(basket: Basket, rules: Rules, left: _Left, gift: Gift) -> Part:
    """Add a gift if what the buyer pays still carries it."""
    cost = gift.cost if gift.cost is not None else _share_of(gift.price, rules)
    lowest = None if cost is None else lowest_sum(basket, rules, gifts=left.gifts + cost)
    if cost is None or cost_of(basket, rules) is None:
        return Part(refusal=Refusal.NO_COST)
    if lowest is None or lowest > left.sum:
        return Part(refusal=Refusal.FLOOR)
    left.gifts += cost
    return Part(cost=cost, gift=gift, by_line=tuple(_ZERO for _ in basket.lines))
