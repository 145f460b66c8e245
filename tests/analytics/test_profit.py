"""Claims about profit: what a sale left, what is unknown, and when the least incentive that helps may be named."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from recoup.analytics.arms import SplitEffect, split_effect, splits_of
from recoup.analytics.intervals import Sums
from recoup.analytics.profit import TOLERATED, Least, Worth, least_that_helps
from recoup.offers.baskets import basket_of
from recoup.offers.models import Redemption
from recoup.offers.pricing import cost_of, net_share
from recoup.offers.settings import get_settings, rules_of
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Order, OrderLine
from recoup.processes.models import Enrolment, Process
from recoup.shops.models import Shop
from recoup.web.words.effects import least_sentence
from tests.analytics.left_alone import LONG_AGO, Buyer, buyers
from tests.analytics.test_arms import take
from tests.factories.messages import make_message
from tests.factories.moments import DAY, NOW
from tests.factories.offers import make_offer, make_settings
from tests.factories.processes import make_process
from tests.factories.products import make_product
from tests.factories.shops import make_source
from tests.support.sizes import how_many

LADDER: dict[str, Any] = {
    "n1": {"t": "offer", "sizes": ["0", "3", "5", "10"], "valid": "P2D", "out": {"granted": "n2", "refused": "n3"}},
    "n2": {"t": "end"},
    "n3": {"t": "end"},
}  # fmt: skip
SIZES = (0, 3, 5, 10)
PRICE, COST = 100, 60
# How many of a hundred pay with each size, and the size with the most profit.
CROWDS = {
    "unmoved": ((0.20, 0.20, 0.20, 0.20), 0),
    "moved by three": ((0.10, 0.20, 0.205, 0.21), 3),
    "moved by five": ((0.10, 0.11, 0.20, 0.205), 5),
    "moved by ten": ((0.10, 0.10, 0.11, 0.25), 10),
}
A_LOOK, HORIZON = 250, 25_000  # people of each size


def line(order: Order, position: int, **values: Any) -> None:
    """Add goods for ten to an order."""
    OrderLine.objects.create(
        shop_id=order.shop_id, order=order, position=position, name="x", quantity=2, unit_price=5, total=10, **values
    )  # fmt: skip


def effect(process: Process) -> SplitEffect:
    [split] = splits_of(process)
    return split_effect(split, now=NOW)


def test_what_a_sale_left_is_reckoned_as_its_margin_is(shop: Shop) -> None:
    make_settings(shop, fee=Decimal(2), fixed_fee=Decimal("0.30"))
    process = make_process(shop, nodes=LADDER)
    take(process, 1, [Buyer(pays_after=DAY, currency=shop.currency), Buyer(currency=shop.currency)])
    order, mine = Order.objects.get(paid_at__isnull=False), Enrolment.objects.order_by("id")[0]
    Order.objects.filter(pk=order.pk).update(
        total=123, captured=110, refunded=11, discount_given=13, tax_total=23, shipping_total=9
    )
    order.refresh_from_db()
    file, other = make_source(shop, kind="file"), make_source(shop)
    goods = {"currency": shop.currency}
    make_product(order.source, ref="own", cost=Decimal(3), **goods)
    make_product(order.source, ref="abroad", cost=Decimal(3), currency="USD")
    make_product(file, ref="file", sku="", cost=Decimal("2.5"), **goods)
    make_product(other, ref="q", sku="AGREED", cost=Decimal(1), **goods)
    for one in (1, 2):
        make_product(make_source(shop), ref="z", sku="TWOFOLD", cost=Decimal(one), **goods)
    line(order, 0, product_ref="own", variant_ref="red")
    line(order, 1, product_ref="abroad")
    line(order, 2, product_ref="file", sku="AGREED")
    line(order, 3, product_ref="nobody", sku="AGREED")
    line(order, 4, sku="TWOFOLD")
    line(order, 5, product_ref="q")  # of another shop, which says nothing of ours
    make_message(order, enrolment_id=mine.pk, state="sent", handed_at=LONG_AGO, price=Decimal("0.08"),
                 price_currency=shop.currency)  # fmt: skip
    gift = make_offer(order, Terms(Kind.GIFT, gift="own"))
    Redemption.objects.create(
        shop=shop, offer=gift, order=order, discount=0, cost=Decimal(3), made_at=LONG_AGO, paid_at=LONG_AGO
    )
    basket, rules = basket_of(order), rules_of(shop, get_settings(shop), order.currency)
    cost = cost_of(basket, rules)
    assert cost is not None
    expected = (
        99 * net_share(basket) - cost * 99 / 110 - Decimal("2.2") - Decimal("0.30") - 3 - Decimal("0.08")
    )

    worth = effect(process).arms[1].profit[0].worth

    assert worth.sums.total == pytest.approx(float(expected))
    assert (worth.sums.people, worth.payers, worth.unknown, worth.guessed) == (2, 1, 0, 1)
    assert worth.spent == pytest.approx(3.08)


def test_where_nobody_knows_what_goods_cost_nothing_is_named(shop: Shop) -> None:
    process = make_process(shop, nodes=LADDER)
    for arm in range(4):
        take(process, arm, buyers(200, 40 + 40 * (arm == 0)))

    found = effect(process)

    assert [one.profit[0].worth.unknown for one in found.arms] == [80, 40, 40, 40]
    assert found.arms[1].profit[0].interval is None
    assert found.least is None


def test_a_size_whose_price_is_paid_with_the_next_order_is_never_named(shop: Shop) -> None:
    make_settings(shop)
    ladder = {**LADDER, "n1": {**LADDER["n1"], "sizes": ["0", "30"], "next_order": True}}
    process = make_process(shop, nodes=ladder)
    for arm, paid in enumerate((100, 500)):
        take(process, arm, buyers(1_000, paid))

    found = effect(process)

    assert found.arms[1].profit[0].interval is not None
    assert (found.least, found.split.costs_later) == (None, True)
    assert "next order" in least_sentence(found)


def test_a_currency_of_hardly_anybody_is_not_told(shop: Shop) -> None:
    process = make_process(shop, nodes=LADDER)
    take(process, 0, [*buyers(110, 10), Buyer(currency="EUR")])

    assert [one.currency for one in effect(process).arms[0].profit] == ["PLN"]


@pytest.mark.parametrize("line_total", [None, 80, 100])
def test_a_guessed_cost_does_not_fall_with_a_coupon(shop: Shop, line_total: int | None) -> None:
    make_settings(shop, default_cost=Decimal(60))
    process = make_process(shop, nodes=LADDER)
    take(process, 1, [Buyer(pays_after=DAY, total=Decimal(80), currency=shop.currency)])
    coupons = [{"code": "A", "discount": "20"}]
    Order.objects.update(tax_total=0, discount_total=Decimal("16.26"), coupons=coupons)
    if line_total is not None:
        line(Order.objects.get(), 0)
        OrderLine.objects.update(total=line_total)

    assert effect(process).arms[1].profit[0].worth.sums.total == pytest.approx(20)


def test_messages_that_were_paid_in_another_currency_are_told_and_not_counted(shop: Shop) -> None:
    make_settings(shop)
    process = make_process(shop, nodes=LADDER)
    take(process, 0, [Buyer(pays_after=DAY)])
    make_message(Order.objects.get(), enrolment_id=Enrolment.objects.get().pk, state="sent", handed_at=LONG_AGO,
                 price=Decimal("0.08"), price_currency="USD")  # fmt: skip

    worth = effect(process).arms[0].profit[0].worth

    assert (worth.sums.total, worth.others, worth.is_known) == (60.0, 1, False)


def crowd(name: str, people: int, dice: Random) -> list[list[int]]:
    """Return how many paid with each size, look by look."""
    return [
        [sum(dice.random() < rate for _ in range(A_LOOK)) for rate in CROWDS[name][0]]
        for _ in range(people // A_LOOK)
    ]


def worth(size: int, people: int, paid: int) -> Worth:
    """Return what people were worth of whom so many paid with a discount."""
    each = PRICE - size - COST
    return Worth(Sums(people, float(paid * each), float(paid * each * each)), paid, spent=float(paid * size))


def tried(name: str, seed: int) -> tuple[int | None, float]:
    """Try the sizes until the report names one, and fix it; return it, and the profit up to the horizon."""
    paid, profit, named = [0] * 4, 0.0, None
    rates = CROWDS[name][0]
    for number, look in enumerate(crowd(name, HORIZON, Random(f"{name} {seed}")), 1):
        if named is not None:
            profit += 4 * A_LOOK * rates[named] * (PRICE - SIZES[named] - COST)
            continue
        paid = [before + more for before, more in zip(paid, look, strict=True)]
        profit += sum(more * (PRICE - size - COST) for more, size in zip(look, SIZES, strict=True))
        groups = [worth(size, number * A_LOOK, one) for size, one in zip(SIZES, paid, strict=True)]
        found = least_that_helps(groups, [1] * 4, range(4))
        named = None if found is None else found.number
    return named, profit


def test_nothing_is_named_before_it_is_sure() -> None:
    few = [worth(size, 200, paid) for size, paid in zip(SIZES, (20, 60, 62, 64), strict=True)]
    many = [worth(size, 20_000, paid) for size, paid in zip(SIZES, (2_000, 6_000, 6_200, 6_300), strict=True)]

    assert least_that_helps(few, [1] * 4, range(4)) is None
    assert least_that_helps(many, [1] * 4, range(4)) == Least(1, 2)
    assert least_that_helps([*many[:3], many[3]._replace(unknown=1)], [1] * 4, range(4)) is None


@pytest.mark.faults
def test_where_discounts_do_not_help_the_report_says_so_and_hardly_ever_anything_else() -> None:
    runs = how_many(40, 500)

    named = [tried("unmoved", seed)[0] for seed in range(runs)]

    assert sum(one not in (0, None) for one in named) <= 0.05 * runs
    assert sum(one == 0 for one in named) >= 0.8 * runs


@pytest.mark.faults
def test_trying_sizes_and_fixing_what_is_named_earns_no_less_than_five_per_cent_for_all() -> None:
    runs = how_many(10, 200)
    in_all, flat = 0.0, 0.0
    for name, (rates, _best) in CROWDS.items():
        best = max(rate * (PRICE - size - COST) for rate, size in zip(rates, SIZES, strict=True))
        five = rates[2] * (PRICE - 5 - COST)
        for seed in range(runs):
            named, profit = tried(name, seed)
            in_all, flat = in_all + profit, flat + 4 * HORIZON * five
            if named is not None:
                earns = rates[named] * (PRICE - SIZES[named] - COST)
                assert earns >= (1 - 1.2 * TOLERATED) * best, (name, seed, named)

    assert in_all >= flat
