"""The code of a cart: whatever part of the cart is ordered with it, the floor holds."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recoup.offers.cart_codes import CodeTerms, code_terms, general_terms
from recoup.offers.pricing import Basket, Gift, Line, Refusal, Rules, lowest_sum, quote
from recoup.offers.terms import Kind, Terms
from tests.support.sizes import how_many

D = Decimal
CENT = D("0.01")
DEAR, CHEAP = Line("dear", D(80), cost=D(20)), Line("cheap", D(20), cost=D("18.50"))
CART = Basket("EUR", D(100), (DEAR, CHEAP))
FREE = Rules(least=CENT)


def ten(**values: object) -> Terms:
    return replace(Terms(Kind.PERCENT, percent=D(10)), **values)  # type: ignore[arg-type]


def bound(basket: Basket, terms: Terms, rules: Rules = FREE) -> CodeTerms:
    part = quote(basket, [terms], rules).parts[0]
    assert part.refusal is None
    assert not part.is_cut
    return code_terms(basket, terms, rules, part)


def test_a_share_is_refused_where_one_line_does_not_carry_it() -> None:
    assert bound(CART, ten()) == CodeTerms(refusal=Refusal.FLOOR)
    assert bound(CART, ten(percent=D("7.5"))) == CodeTerms()
    assert bound(CART, ten(products=("dear",))) == CodeTerms()


def test_what_every_order_costs_sets_from_which_sum_on_a_share_counts() -> None:
    # The dear goods earn 52 of 80, the cheap ones 0.50 of 20 after 5 %: a fee of 1.00 is earned by 40.00 of them.
    assert bound(CART, ten(percent=D(5)), replace(FREE, fixed_fee=D(1))) == CodeTerms(D("40.00"))
    assert bound(CART, ten(percent=D(5)), replace(FREE, fixed_fee=D(30))) == CodeTerms(D(100))


def test_a_sum_counts_from_the_cart_as_it_was_left_and_off_a_piece_from_where_the_goods_carry_it() -> None:
    amount = Terms(Kind.AMOUNT, amount=D(5), currency="EUR", min_sum=D(30))

    assert bound(CART, amount) == CodeTerms(D(100))
    assert bound(CART, replace(amount, products=("dear",), amount=D(3))) == CodeTerms(D(30))
    assert bound(CART, replace(amount, products=("dear",), amount=D(7))) == CodeTerms(D("93.34"))


PRICES = st.integers(1, 20_000).map(lambda cents: D(cents) / 100)
SHARES = st.integers(0, 60).map(D)


@st.composite
def carts(draw: st.DrawFn) -> tuple[Basket, list[int]]:
    pieces = draw(st.lists(st.integers(1, 3), min_size=1, max_size=4))
    lines = []
    for number, count in enumerate(pieces):
        price = draw(PRICES)
        share = draw(st.none() | st.integers(0, 110))
        cost = None if share is None else (price * share / 100).quantize(CENT)
        lines.append(Line(f"{number}", price * count, None if cost is None else cost * count, D(count)))
    delivery = draw(st.just(D(0)) | PRICES)
    total = sum((line.total for line in lines), D(0)) + delivery
    return Basket("EUR", total, tuple(lines), delivery=delivery), pieces


TERMS = st.builds(
    Terms,
    kind=st.sampled_from(Kind),
    percent=st.integers(1, 990).map(lambda share: D(share) / 10),
    amount=PRICES,
    gift=st.just("g"),
    products=st.sampled_from([(), (), ("0",), ("0", "1")]),
    min_sum=st.none() | PRICES,
)
RULES = st.builds(
    Rules,
    default_cost=SHARES,
    fee=st.integers(0, 5).map(D),
    fixed_fee=st.sampled_from([D(0), D("0.25"), D(2)]),
    returns=st.integers(0, 30).map(D),
    floor=SHARES,
    least=st.sampled_from([CENT, D("0.50")]),
)


def off(terms: Terms, lines: list[Line], basket: Basket, *, is_gift: bool) -> Decimal:
    """Return the most that a shop takes off an order with a code: its discount in whole coins, rounded by halves."""
    fits = [line for line in lines if not terms.products or line.ref in terms.products]
    goods = sum((line.total for line in lines), D(0))
    if is_gift:
        return D(0)
    if terms.kind is Kind.DELIVERY:
        return min(basket.delivery, goods)
    if terms.kind is Kind.AMOUNT and terms.products:
        return min(terms.amount, max(line.total / line.quantity for line in fits))
    if terms.kind is Kind.AMOUNT:
        return min(terms.amount, goods)
    whole = sum((line.total for line in fits), D(0))
    return (whole * terms.percent / 100).quantize(CENT, ROUND_HALF_UP)


@pytest.mark.faults
@settings(max_examples=how_many(150, 5000))
@given(carts(), TERMS, RULES, st.booleans(), st.data())
def test_no_part_of_a_cart_goes_below_the_floor_with_its_code(
    cart: tuple[Basket, list[int]], terms: Terms, rules: Rules, has_gift: bool, data: st.DataObject
) -> None:
    basket, pieces = cart
    gift = Gift("g", "Gift", D(10), cost=D(4)) if has_gift else None
    part = quote(basket, [terms], rules, gifts=[gift]).parts[0]
    if part.refusal is not None or part.is_cut:
        return
    found = code_terms(basket, terms, rules, part)
    if found.refusal is not None:
        assert terms.kind in (Kind.PERCENT, Kind.GIFT)
        return
    goods = basket.total - basket.delivery
    assert found.least_goods is None or found.least_goods <= max(goods, terms.min_sum or D(0))

    taken = [data.draw(st.integers(0, count)) for count in pieces]
    lines = [
        Line(one.ref, one.total * n / count, None if one.cost is None else one.cost * n / count, D(n))
        for one, n, count in zip(basket.lines, taken, pieces, strict=True)
        if n
    ]
    is_bound = any(not terms.products or line.ref in terms.products for line in lines)
    ordered = sum((line.total for line in lines), D(0))
    if not is_bound or (found.least_goods is not None and ordered < found.least_goods):
        return
    rest = Basket("EUR", ordered + basket.delivery, tuple(lines), delivery=basket.delivery)
    gifts = part.cost if part.gift is not None else D(0)
    lowest = lowest_sum(rest, rules, gifts=gifts)
    assert lowest is not None
    assert rest.total - off(terms, lines, basket, is_gift=part.gift is not None) >= lowest


@pytest.mark.faults
@settings(max_examples=how_many(100, 5000))
@given(carts(), TERMS, RULES, st.integers(0, 100))
def test_nothing_that_a_person_orders_goes_below_the_floor_with_their_code(
    cart: tuple[Basket, list[int]], terms: Terms, rules: Rules, share_of_delivery: int
) -> None:
    if terms.kind not in (Kind.PERCENT, Kind.AMOUNT):
        return
    ordered, terms = cart[0], replace(terms, products=())
    share = (rules.default_cost or D(0)) / 100
    costs = {line: line.total * share if line.cost is None else line.cost for line in ordered.lines}
    worst = max(ordered.lines, key=lambda line: costs[line] / line.total)
    least_earning = Line("", worst.total, costs[worst])
    delivery = (ordered.delivery * 100 / max(share_of_delivery, 1)).quantize(CENT)
    dearest = max(delivery, ordered.delivery)
    found = general_terms(
        Basket("EUR", least_earning.total + dearest, (least_earning,), delivery=dearest), terms, rules
    )
    goods = ordered.total - ordered.delivery
    if found.refusal is not None or (found.least_goods is not None and goods < found.least_goods):
        return

    lowest = lowest_sum(ordered, rules)
    assert lowest is not None
    assert ordered.total - off(terms, list(ordered.lines), ordered, is_gift=False) >= lowest
