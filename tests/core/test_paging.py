"""Claims about lists paged by key, shown on orders."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django_scopes import scopes_disabled

from recoup.core.paging import Count, Keyset, Page, count_rows, page_keys
from recoup.orders.models import Order
from recoup.shops.models import Shop
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop

STATUSES = ("new", "unpaid", "completed")


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    """Make 23 orders, three of each instant, in turn of three statuses, beside those of another shop."""
    shop, other = make_shop(), make_shop()
    anna, foreign = make_contact(shop), make_contact(other)
    for number in range(23):
        make_order(
            shop, contact=anna, placed_at=NOW - (number // 3) * HOUR, status=STATUSES[number % 3], products=()
        )
    make_order(other, contact=foreign)
    return shop


def expected(shop: Shop, *, descending: bool = True, **wanted: object) -> list[int]:
    order = ("-placed_at", "-id") if descending else ("placed_at", "id")
    return list(Order.objects.filter(shop=shop, **wanted).order_by(*order).values_list("pk", flat=True))


def walk(keyset: Keyset, size: int) -> tuple[list[int], list[int]]:
    """Return the keys met going to the end, and those met coming back, in the order of the list."""
    page: Page[int] = page_keys(keyset, size=size)
    there, pages = list(page.rows), [page]
    while page.older:
        page = page_keys(keyset, cursor=page.older, size=size)
        there += page.rows
        pages.append(page)
    back = list(page.rows)
    while page.newer:
        page = page_keys(keyset, cursor=page.newer, size=size)
        back = [*page.rows, *back]
    assert (pages[0].newer, pages[-1].older) == ("", "")
    return there, back


@pytest.mark.parametrize("size", [1, 2, 5, 22, 23, 24])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_show_every_row_once_there_and_back(shop: Shop, size: int, descending: bool) -> None:
    keyset = Keyset("orders_order", shop.pk, value="placed_at", is_descending=descending)

    there, back = walk(keyset, size)

    assert there == back == expected(shop, descending=descending)


@pytest.mark.parametrize("size", [1, 4, 50])
@pytest.mark.parametrize("descending", [True, False])
def test_walks_of_chosen_values_are_merged(shop: Shop, size: int, descending: bool) -> None:
    keyset = Keyset(
        "orders_order",
        shop.pk,
        value="placed_at",
        is_descending=descending,
        branch="status",
        branch_values=["new", "completed"],
    )

    there, back = walk(keyset, size)

    assert there == back == expected(shop, descending=descending, status__in=["new", "completed"])


def test_list_without_a_value_is_sorted_by_key(shop: Shop) -> None:
    there, back = walk(Keyset("orders_order", shop.pk, conditions=["r.status = %s"], params=["new"]), 3)

    assert there == back == sorted(expected(shop, status="new"), reverse=True)


@pytest.mark.parametrize(
    "cursor",
    ["x", "older~~", "older~2026-11-02T12:00:00~1", "older~soon~1", "older~NaN~1", "newer~1~" + "9" * 30],
)
def test_cursor_that_nobody_of_ours_made_begins_anew(shop: Shop, cursor: str) -> None:
    for value in ("placed_at", "total", ""):
        keyset = Keyset("orders_order", shop.pk, value=value)

        assert page_keys(keyset, cursor=cursor, size=3).rows == page_keys(keyset, size=3).rows


def test_row_that_came_meanwhile_moves_nothing_on_the_next_page(shop: Shop) -> None:
    keyset = Keyset("orders_order", shop.pk, value="placed_at")
    before = expected(shop)
    first = page_keys(keyset, size=5)
    make_order(shop, placed_at=NOW + timedelta(seconds=1))

    assert list(page_keys(keyset, cursor=first.older, size=5).rows) == before[5:10]


def test_counts_are_exact_up_to_a_limit(shop: Shop) -> None:
    keyset = Keyset("orders_order", shop.pk, branch="status", branch_values=["new", "unpaid"])

    assert [count_rows(keyset, most=most) for most in (15, 16, 17, None)] == [
        Count(15, is_capped=True),
        Count(16),
        Count(16),
        Count(16),
    ]


@pytest.mark.parametrize("most", [10_000, 3])
@pytest.mark.parametrize("branch", ["", "status"])
@pytest.mark.parametrize("descending", [True, False])
def test_search_shows_the_same_whether_few_or_most_rows_match(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, most: int, branch: str, descending: bool
) -> None:
    monkeypatch.setattr("recoup.core.paging.MOST_COUNTED", most)
    late, wanted = NOW - 2 * HOUR, ["new", "completed"] if branch else list(STATUSES)
    keyset = Keyset(
        "orders_order",
        shop.pk,
        value="placed_at",
        is_descending=descending,
        conditions=["r.total > %s"],
        params=[1],
        search="r.placed_at <= %s",
        search_params=[late],
        branch=branch,
        branch_values=wanted,
    )

    there, back = walk(keyset, 4)

    rows = expected(shop, descending=descending, placed_at__lte=late, status__in=wanted)
    assert there == back == rows
    assert count_rows(keyset, most=100) == count_rows(keyset, most=None) == Count(len(rows))


def test_search_that_finds_nothing_shows_nothing(shop: Shop) -> None:
    keyset = Keyset(
        "orders_order", shop.pk, value="placed_at", search="r.ref = %s", search_params=["no such"]
    )

    assert (page_keys(keyset), count_rows(keyset)) == (Page([]), Count(0))
