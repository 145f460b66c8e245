"""What an offer takes off, and what must be left."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recoup.offers.pricing import (
    Basket,
    Gift,
    Line,
    Margin,
    Part,
    Quote,
    Refusal,
    Rules,
    allocate,
    coin,
    lowest_sum,
    margin_at,
    quote,
)
from recoup.offers.terms import Kind, Terms
from tests.support.sizes import how_many

D = Decimal
FIVE = Terms(Kind.PERCENT, percent=D(5))
MUG = Line("mug", D("100.00"), cost=D("40.00"))
APRON = Line("apron", D("50.00"), cost=D("30.00"))
BASKET = Basket("PLN", D("165.00"), (MUG, APRON), delivery=D("15.00"))
FREE = Rules(default_cost=D(0))


def test_a_percentage_is_taken_of_the_goods_and_split_over_their_lines() -> None:
    found = quote(BASKET, [FIVE], FREE)

    assert found == Quote(
        D("165.00"),
        D("157.50"),
        (Part(discount=D("7.50"), by_line=(D("5.00"), D("2.50")), cost=D("7.50")),),
    )


def test_an_offer_for_one_product_leaves_the_others_alone() -> None:
    found = quote(BASKET, [Terms(Kind.PERCENT, percent=D(10), products=("apron",))], FREE)

    assert (found.after, found.parts[0].by_line) == (D("160.00"), (D(0), D("5.00")))


def test_an_amount_is_never_more_than_the_goods_cost() -> None:
    terms = Terms(Kind.AMOUNT, amount=D(80), currency="PLN", products=("apron",))

    assert quote(BASKET, [terms], Rules(default_cost=D(0))).parts[0].discount == D("50.00")


def test_free_delivery_takes_the_delivery_alone() -> None:
    part = quote(BASKET, [Terms(Kind.DELIVERY)], FREE).parts[0]

    assert (part.discount, part.of_delivery, part.by_line) == (D("15.00"), D("15.00"), (D(0), D(0)))


def test_what_cannot_be_used_is_refused_for_its_reason() -> None:
    cases = {
        Refusal.CURRENCY: (BASKET, Terms(Kind.AMOUNT, amount=D(5), currency="EUR")),
        Refusal.OTHER_PRODUCT: (BASKET, Terms(Kind.PERCENT, percent=D(5), products=("vase",))),
        Refusal.MIN_SUM: (BASKET, Terms(Kind.PERCENT, percent=D(5), currency="PLN", min_sum=D("150.01"))),
        Refusal.NOTHING: (Basket("PLN", D(10), (MUG,)), Terms(Kind.DELIVERY)),
        Refusal.COUPON: (Basket("PLN", D(90), (MUG,), has_coupon=True), FIVE),
    }

    found = {reason: quote(basket, [terms], FREE) for reason, (basket, terms) in cases.items()}

    assert {reason: found.parts for reason, found in found.items()} == {
        reason: (Part(refusal=reason),) for reason in cases
    }
    assert all(one.discount == 0 for one in found.values())


def test_a_second_offer_is_no_double_discount_unless_both_allow_it() -> None:
    friendly = Terms(Kind.PERCENT, percent=D(10), with_offers=True)

    refused = quote(BASKET, [FIVE, friendly], FREE)
    allowed = quote(BASKET, [friendly, friendly], FREE)

    assert [part.refusal for part in refused.parts] == [None, Refusal.OTHER_OFFER]
    assert refused.discount == D("7.50")
    assert [part.discount for part in allowed.parts] == [D("15.00"), D("13.50")]


def test_an_unknown_cost_gives_nothing_until_a_share_is_set() -> None:
    basket = Basket("PLN", D(100), (Line("mug", D(100)),))

    assert quote(basket, [FIVE], Rules()).parts[0].refusal is Refusal.NO_COST
    assert quote(basket, [FIVE], Rules(default_cost=D(60))).discount == D("5.00")


def test_a_fee_that_nobody_knows_in_the_currency_gives_nothing() -> None:
    basket = Basket("EUR", D("3.00"), (Line("a", D("3.00"), D("1.00")),))

    part = quote(basket, [FIVE], Rules(fixed_fee=None)).parts[0]

    assert (part.refusal, part.discount) == (Refusal.NO_COST, D(0))
    assert margin_at(basket, Rules(fixed_fee=None), D("2.70")) is None


def test_the_floor_cuts_and_then_refuses() -> None:
    basket = Basket("PLN", D("100.00"), (Line("mug", D("100.00"), cost=D("70.00")),))
    rules = Rules(fee=D(2), fixed_fee=D("1.00"), returns=D(10), floor=D(10))

    # (0.9 * 70 + 1) / (0.9 - 0.02 - 0.10) = 64 / 0.78 = 82.0512...
    assert lowest_sum(basket, rules) == D("82.06")
    cut = quote(basket, [Terms(Kind.PERCENT, percent=D(50))], rules)
    assert (cut.after, cut.parts[0].is_cut) == (D("82.06"), True)
    assert margin_at(basket, rules, D("82.06")) == Margin(D("8.2128"), D("8.2128") / D("82.06"))
    poor = Basket("PLN", D("80.00"), (Line("mug", D("80.00"), cost=D("70.00")),))
    assert quote(poor, [FIVE], rules).parts[0].refusal is Refusal.FLOOR


def test_a_gift_costs_what_it_costs_the_shop_and_must_be_carried() -> None:
    gift = Gift("bag", "Bag", D("20.00"), cost=D("8.00"))
    terms = Terms(Kind.GIFT, gift="bag")
    poor = Basket("PLN", D("60.00"), (Line("mug", D("60.00"), cost=D("55.00")),))

    given_part = quote(BASKET, [terms], FREE, gifts=[gift]).parts[0]

    assert (given_part.discount, given_part.cost, given_part.gift) == (D(0), D("8.00"), gift)
    assert quote(poor, [terms], FREE, gifts=[gift]).parts[0].refusal is Refusal.FLOOR


def test_without_its_gift_an_offer_falls_back_to_a_percentage_or_to_nothing() -> None:
    with_fallback = Terms(Kind.GIFT, gift="bag", percent=D(5))

    assert quote(BASKET, [with_fallback], FREE, gifts=[None]).discount == D("7.50")
    assert (
        quote(BASKET, [Terms(Kind.GIFT, gift="bag")], FREE, gifts=[None]).parts[0].refusal is Refusal.NOTHING
    )


def test_less_than_a_coin_is_nothing() -> None:
    tiny = Basket("PLN", D("0.04"), (Line("pin", D("0.04")),))

    assert quote(tiny, [Terms(Kind.PERCENT, percent=D(10))], FREE).parts[0].refusal is Refusal.NOTHING


def test_a_coupon_of_the_shop_is_spread_before_ours_is_counted() -> None:
    basket = Basket("PLN", D("120.00"), (MUG, APRON), has_coupon=True)
    terms = Terms(Kind.PERCENT, percent=D(10), with_coupon=True)

    assert quote(basket, [terms], FREE).parts[0].by_line == (D("8.00"), D("4.00"))


currencies = st.sampled_from(["PLN", "EUR", "JPY", "KWD"])
shares = st.decimals(0, 100, places=1)


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    currency = draw(currencies)
    step = coin(currency)
    sums = st.integers(0, 300_000).map(lambda coins: coins * step)
    lines = tuple(
        Line(
            draw(st.sampled_from("abcd")),
            total,
            draw(st.none() | st.integers(0, 300_000).map(lambda c: c * step)),
        )
        for total in draw(st.lists(sums, max_size=6))
    )
    delivery = draw(sums)
    goods = sum((line.total for line in lines), D(0)) or draw(sums)
    coupon = min(draw(sums), goods) if draw(st.booleans()) else D(0)
    total = goods + delivery - coupon
    tax = (total * draw(st.integers(0, 25)) / 100).quantize(step)
    return Basket(currency, total, lines, delivery, tax, has_coupon=coupon > 0)


@st.composite
def promises(draw: st.DrawFn) -> Terms:
    return Terms(
        draw(st.sampled_from(Kind)),
        percent=draw(st.decimals(D("0.1"), 100, places=1)),
        amount=draw(st.integers(1, 10_000).map(D)),
        gift="g",
        products=tuple(draw(st.lists(st.sampled_from("abcd"), max_size=2))),
        with_coupon=draw(st.booleans()),
        with_offers=draw(st.booleans()),
    )


rules = st.builds(
    Rules,
    default_cost=st.none() | shares,
    fee=st.decimals(0, 10, places=2),
    fixed_fee=st.decimals(0, 5, places=2),
    returns=st.decimals(0, 60, places=1),
    floor=st.decimals(0, 60, places=1),
    least=st.sampled_from([D(0), D("0.50"), D(2)]),
)


@pytest.mark.faults
@settings(max_examples=how_many(120, 3000))
@given(baskets(), st.lists(promises(), min_size=1, max_size=4), rules, st.booleans())
def test_no_stack_of_offers_goes_below_the_floor_zero_or_the_least_sum(
    basket: Basket, offers: list[Terms], kept: Rules, has_gift: bool
) -> None:
    gift = Gift("g", "Gift", D(10), cost=D(4)) if has_gift else None
    found = quote(basket, offers, kept, gifts=[gift for _ in offers])

    step = coin(basket.currency)
    assert found.before == basket.total
    assert sum((part.discount for part in found.parts), D(0)) == found.discount
    assert found.discount >= 0
    assert found.after >= 0
    gifts = sum((part.cost for part in found.parts if part.gift is not None), D(0))
    if found.discount > 0 or gifts > 0:
        lowest = lowest_sum(basket, kept, gifts=gifts)
        margin = margin_at(basket, kept, found.after, gifts=gifts)
        assert lowest is not None
        assert margin is not None
        if found.discount > 0:
            assert found.after >= kept.least
        assert found.after >= lowest
        net = 1 - basket.tax / basket.total
        assert margin.amount >= kept.floor / 100 * net * found.after - D("1e-15") * (1 + abs(margin.amount))
    for part in found.parts:
        assert part.discount % step == 0
        assert all(share >= 0 for share in part.by_line)
        if part.refusal is None and part.gift is None:
            assert sum(part.by_line, D(0)) + part.of_delivery == part.discount
    taken = [
        sum(column, D(0)) for column in zip(*(p.by_line for p in found.parts if p.by_line), strict=False)
    ]
    assert all(share <= line.total for share, line in zip(taken, basket.lines, strict=False))


@given(st.lists(st.integers(0, 10**9), max_size=12), st.data(), currencies)
def test_shares_are_whole_coins_add_up_exactly_and_stay_within_their_lines(
    weights: list[int], data: st.DataObject, currency: str
) -> None:
    step = coin(currency)
    amount = data.draw(st.integers(0, sum(weights))) * step
    lines = [weight * step for weight in weights]

    found = allocate(amount, lines, step)

    assert sum(found, D(0)) == amount
    assert all(0 <= share <= line and share % step == 0 for share, line in zip(found, lines, strict=True))
