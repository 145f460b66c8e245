"""Products and their cost by what staff see and change."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.catalog.models import Product
from recoup.core.paging import PAGE_SIZE
from recoup.shops.models import Source
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.offers import make_settings
from tests.factories.products import make_product
from tests.factories.shops import make_shop, make_source
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
P = "/s/lumen/settings/costs/"


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    set_clock(NOW)
    with scopes_disabled():
        yield


@pytest.fixture
def source() -> Source:
    return make_source(make_shop(slug="lumen"))


@pytest.fixture
def manager(source: Source) -> Client:
    return sign_in(source.shop, "manager")


def test_the_list_shows_cost_margin_and_where_it_is_from(source: Source, manager: Client) -> None:
    make_settings(source.shop, default_cost=Decimal(40))
    make_product(
        source, name="Coffee", price=Decimal(100), cost=Decimal("30"), cost_from="source", cost_at=NOW
    )
    make_product(source, name="Tea", price=Decimal(100))

    rows = manager.get(P).context["rows"]

    assert [(row.name, row.cost, row.margin, row.is_guessed, row.origin) for row in rows] == [
        ("Coffee", "30.00", "70.0%", False, "From the shop"),
        ("Tea", "", "60.0%", True, ""),
    ]
    assert [row.name for row in manager.get(P, {"v": "unknown"}).context["rows"]] == ["Tea"]
    assert [row.name for row in manager.get(P, {"product": "off"}).context["rows"]] == ["Coffee"]


@pytest.mark.parametrize(
    ("typed", "cost"), [("12,5", "12.5"), ("1 234.50", "1234.5"), ("", None), ("0", "0")]
)
def test_a_cost_is_changed_in_its_row_and_one_is_back_where_one_was(
    source: Source, manager: Client, typed: str, cost: str | None
) -> None:
    product = make_product(source, cost=Decimal(7), cost_from="hand")

    answer = manager.post(f"{P}{product.pk}/", {"cost": typed, "back": "v=unknown"})

    assert answer.headers["Location"] == f"{P}?v=unknown"
    product.refresh_from_db()
    assert product.cost == (None if cost is None else Decimal(cost))


@pytest.mark.parametrize("typed", ["-1", "dear", "1.23456", "1,2.3", "10000000000000", "1,250", "1.250"])
def test_what_is_no_cost_is_said_and_kept_as_typed(source: Source, manager: Client, typed: str) -> None:
    product = make_product(source, cost=Decimal(7), cost_from="hand")

    answer = manager.post(f"{P}{product.pk}/", {"cost": typed})

    assert (answer.status_code, f'value="{typed}"' in answer.content.decode()) == (422, True)
    product.refresh_from_db()
    assert product.cost == 7


def test_a_part_of_a_coin_is_shown_so_that_it_has_one_reading(source: Source, manager: Client) -> None:
    product = make_product(source, cost=Decimal("1.255"), cost_from="hand")

    page = manager.get(f"{P}{product.pk}/")
    shown = page.context["form"]["cost"].value()
    answer = manager.post(f"{P}{product.pk}/", {"cost": shown})

    assert (shown, answer.status_code) == ("1.2550", 303)


def test_long_names_of_another_alphabet_lead_to_the_next_page(source: Source, manager: Client) -> None:
    for number in range(PAGE_SIZE + 2):
        make_product(source, name=f"{number:03d} Крем для рук увлажняющий с маслом ши и пантенолом, флакон")

    first = manager.get(P)
    second = manager.get(first.context["pager"].older_url)

    assert [len(page.context["rows"]) for page in (first, second)] == [PAGE_SIZE, 2]
    assert manager.get(f"{P}?c=older~~999999999").context["rows"][0].name.startswith("000")


def test_the_history_says_who_changed_it_from_what_to_what(source: Source, manager: Client) -> None:
    product = make_product(source, cost=Decimal(7), cost_from="source", cost_told=Decimal(7))
    manager.post(f"{P}{product.pk}/", {"cost": "8"})

    page = manager.get(f"{P}{product.pk}/").content.decode()

    assert "€7.00 → €8.00. Entered by hand." in page


def test_a_share_of_the_price_fills_in_the_others(source: Source, manager: Client) -> None:
    make_product(source, price=Decimal(50))

    bad = manager.post(f"{P}fill/", {"percent": "101"})
    good = manager.post(f"{P}fill/", {"percent": "40"})

    assert (bad.status_code, good.status_code) == (422, 303)
    assert Product.objects.get().cost == 20


@pytest.mark.parametrize("role", [Role.CLERK, Role.MARKETER, Role.VIEWER])
def test_who_may_not_change_products_changes_no_cost(source: Source, role: Role) -> None:
    product, client = make_product(source), sign_in(source.shop, role)

    answers = [
        client.get(P),
        client.post(f"{P}{product.pk}/", {"cost": "1"}),
        client.post(f"{P}fill/", {"percent": "5"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert Product.objects.get().cost is None


def test_four_products_ask_as_often_as_two(source: Source, manager: Client) -> None:
    counts = []
    for _ in range(2):
        for _number in range(2):
            product = make_product(source)
            manager.post(f"{P}{product.pk}/", {"cost": "8", "back": ""})
        with CaptureQueriesContext(connection) as asked:
            manager.get(P)
        counts.append(len(asked))

    assert counts[0] == counts[1]
