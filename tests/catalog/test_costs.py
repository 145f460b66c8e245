"""What products cost: by hand, by their source, by a file, by a share of the price."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.catalog.actions import record_product
from recoup.catalog.costs import CostLine, Taken, fill_costs, set_cost, take_line
from recoup.catalog.listing import AT_A_LOSS, UNKNOWN, ProductFilter, count_products, list_products
from recoup.catalog.models import Product
from recoup.core.activity import Actor
from recoup.core.models import Activity
from recoup.shops.models import Source
from recoup.shops.snapshots import ProductSnapshot
from tests.factories.moments import HOUR, MINUTE, NOW
from tests.factories.products import make_product
from tests.factories.shops import make_shop, make_source

D = Decimal
ANNA = Actor("person", 7)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def source() -> Source:
    return make_source(make_shop())


def tell(source: Source, cost: str | None, *, minutes: int = 0, says: bool = True) -> Product:
    """Let a source tell of its one product."""
    snapshot = ProductSnapshot(
        "5", "Cream", D("49.00"), "EUR", NOW - HOUR + minutes * MINUTE,
        cost=None if cost is None else D(cost), says_cost=says,
    )  # fmt: skip
    return record_product(source, snapshot, now=NOW)


def stands(product: Product) -> tuple[Decimal | None, str]:
    product.refresh_from_db()
    return product.cost, product.cost_from


def test_a_source_says_what_it_costs_and_takes_its_own_word_back(source: Source) -> None:
    product = tell(source, "20")
    first = stands(product)
    tell(source, None, minutes=1, says=False)
    silent = stands(product)
    tell(source, "99", minutes=-5)
    late = stands(product)
    tell(source, None, minutes=2)

    assert (first, silent, late) == ((D(20), "source"),) * 3
    assert stands(product) == (None, "")


def test_what_a_person_entered_stays_until_a_person_takes_it_off(source: Source) -> None:
    product = tell(source, "20")
    told = [set_cost(product, D("12.50"), actor=ANNA, now=NOW) for _ in range(2)]
    tell(source, "21", minutes=1)
    kept = stands(product)
    set_cost(product, None, actor=ANNA, now=NOW)

    assert told == [True, False]
    assert (kept, stands(product)) == ((D("12.5"), "hand"), (D(21), "source"))
    lines = Activity.objects.filter(subject_kind="product", subject_id=product.pk).order_by("id")
    assert [(one.actor_id, one.details["was"], one.details["to"]) for one in lines] == [
        (7, "20.0000", "12.50"),
        (7, "12.5000", "21.0000"),
    ]


def test_a_share_fills_in_what_is_missing_alone_in_whole_coins(source: Source) -> None:
    known = make_product(source, cost=D(1), cost_from="hand")
    cream = make_product(source, price=D("49.99"))
    tea = make_product(source, price=D("1234"), currency="JPY")
    make_product(source, price=None)
    foreign = make_product(make_source(make_shop()))

    filled = [fill_costs(source.shop, D("33.3"), actor=ANNA, now=NOW) for _ in range(2)]

    assert filled == [2, 0]
    assert [stands(one) for one in (known, cream, tea, foreign)] == [
        (D(1), "hand"), (D("16.65"), "share"), (D(411), "share"), (None, ""),
    ]  # fmt: skip


def line(**values: Any) -> CostLine:
    """Return a line about coffee at 9.00."""
    return replace(CostLine("", "", "K-1", "Coffee", "EUR", D(9)), **values)


def test_a_line_of_a_file_goes_to_the_products_it_means(source: Source) -> None:
    other = make_source(source.shop)
    files = make_source(source.shop, kind="csvfile")
    here, there = make_product(source, sku="K-1"), make_product(other, sku="K-1")
    by_id = make_product(source, ref="77", sku="X")
    outcomes = [
        take_line(files, one, replaces_hand=False, actor=ANNA, now=NOW)
        for one in (line(), line(), line(ref="77", sku="", cost=D(3)), line(currency="PLN"), line(sku="NEW"))
    ]

    assert outcomes == [Taken.CHANGED, Taken.SAME, Taken.CHANGED, Taken.OTHER_CURRENCY, Taken.CREATED]
    assert [stands(one) for one in (here, there, by_id)] == [(D(9), "file"), (D(9), "file"), (D(3), "file")]
    made = Product.objects.get(source=files)
    assert (made.ref, made.sku, made.name, made.cost) == ("NEW", "NEW", "Coffee", D(9))


@pytest.mark.parametrize(
    ("replaces", "taken", "cost"), [(False, Taken.KEPT, D(5)), (True, Taken.CHANGED, D(9))]
)
def test_a_file_replaces_what_a_person_entered_only_if_that_was_chosen(
    source: Source, replaces: bool, taken: Taken, cost: Decimal
) -> None:
    product = make_product(source, sku="K-1", cost=D(5), cost_from="hand")

    outcome = take_line(source, line(), replaces_hand=replaces, actor=ANNA, now=NOW)

    assert (outcome, stands(product)[0]) == (taken, cost)


def test_the_list_is_paged_by_name_whatever_signs_it_holds(source: Source) -> None:
    names = ["Ćma", "a~b", "100 % cotton", "a~b", "Żuraw"]
    for name in names:
        make_product(source, name=name, cost=D(60) if name == "Ćma" else None)
    make_product(source, name="Gone", is_deleted=True)
    make_product(make_source(make_shop()), name="Foreign")
    seen, cursor = [], ""
    for _ in range(4):
        page = list_products(source.shop, ProductFilter(), cursor=cursor, size=2)
        seen += [one.name for one in page.rows]
        cursor = page.older
        if not cursor:
            break

    assert seen == sorted(names)
    assert [
        count_products(source.shop, ProductFilter(view=view)).number for view in ("", UNKNOWN, AT_A_LOSS)
    ] == [5, 4, 1]
    assert count_products(source.shop, ProductFilter(text="100 %")).number == 1
