"""The list of products that are bought again and again, and what it does to older orders (F2)."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.catalog.models import Product
from recoup.core.models import Activity
from recoup.orders.pointless import close_superseded
from recoup.shops.models import Source
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.factories.shops import make_shop, make_source
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
P = "/s/lumen/settings/products/"


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    set_clock(NOW)
    with scopes_disabled():
        yield


@pytest.fixture
def source() -> Source:
    return make_source(make_shop(slug="lumen"))


def names(client: Client, what: str, query: str = "") -> list[tuple[str, bool]]:
    rows = client.get(P, {"product": query}).context[what]
    return [(row.name, row.is_on) for row in rows]


def test_a_search_finds_each_product_once_by_a_part_of_its_name_or_its_number(source: Source) -> None:
    make_product(source, ref="5", name="Coffee", sku="KAW-1")
    make_product(source, ref="5", variant_ref="5a", name="Coffee, 1 kg", sku="KAW-1-1000")
    make_product(source, ref="6", name="Tea", sku="TEA-1")
    make_product(source, ref="7", name="Old coffee", is_deleted=True)
    make_product(make_source(make_shop()), ref="8", name="Foreign coffee")
    client = sign_in(source.shop, "manager")

    assert names(client, "found") == []
    assert names(client, "found", "OFFEE") == [("Coffee", False)]
    assert names(client, "found", "1 kg") == [("Coffee", False)]
    assert names(client, "found", "tea-") == [("Tea", False)]
    assert names(client, "found", "nothing of ours") == []


def test_a_product_goes_on_the_list_with_its_variants_and_off_again(source: Source) -> None:
    one = make_product(source, ref="5", name="Coffee")
    make_product(source, ref="5", variant_ref="5a", name="Coffee, 1 kg")
    tea = make_product(source, ref="6", name="Tea")
    client = sign_in(source.shop, "manager")

    answers = [client.post(f"{P}{one.pk}/switch/", {"on": "1", "product": "cof"}) for _ in range(2)]
    assert [answer.headers["Location"] for answer in answers] == [f"{P}?product=cof"] * 2
    assert (names(client, "rows"), names(client, "found", "cof")) == ([("Coffee", True)], [("Coffee", True)])
    assert not Product.objects.get(pk=tea.pk).is_repeatable
    client.post(f"{P}{one.pk}/switch/", {"on": ""})

    assert names(client, "rows") == []
    assert not Product.objects.filter(is_repeatable=True).exists()
    assert list(Activity.objects.order_by("id").values_list("verb", "details")) == [
        ("catalog.product.repeatable_changed", {"is_repeatable": True}),
        ("catalog.product.repeatable_changed", {"is_repeatable": False}),
    ]


@pytest.mark.parametrize(("is_on", "status"), [("1", "unpaid"), ("", "cancelled")])
def test_a_newer_paid_order_closes_no_older_one_because_of_the_list(
    source: Source, is_on: str, status: str
) -> None:
    product, anna = make_product(source, ref="cream"), make_contact(source.shop)
    owed = make_order(source.shop, source=source, contact=anna, status="unpaid", unpaid_at=NOW)
    paid = make_order(source.shop, source=source, contact=anna, placed_at=NOW - HOUR, paid_at=NOW)

    sign_in(source.shop, "manager").post(f"{P}{product.pk}/switch/", {"on": is_on})
    close_superseded([paid.pk], now=NOW + DAY)

    owed.refresh_from_db()
    assert owed.status == status


@pytest.mark.parametrize("role", [Role.CLERK, Role.MARKETER, Role.SERVICE, Role.VIEWER])
def test_who_may_not_change_products_changes_none(source: Source, role: Role) -> None:
    product, client = make_product(source), sign_in(source.shop, role)

    answers = [client.get(P), client.post(f"{P}{product.pk}/switch/", {"on": "1"})]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert not Product.objects.get().is_repeatable


def test_a_product_of_another_shop_is_not_there(source: Source) -> None:
    foreign = make_product(make_source(make_shop()))

    answer = sign_in(source.shop).post(f"{P}{foreign.pk}/switch/", {"on": "1"})

    assert answer.status_code == 404
    assert not Product.objects.get().is_repeatable


def test_the_settings_lead_a_manager_there(source: Source) -> None:
    page = sign_in(source.shop, "manager").get("/s/lumen/settings/").content.decode()

    assert P in page


def test_four_products_ask_as_often_as_two(source: Source) -> None:
    client, counts = sign_in(source.shop, "manager"), []
    for _ in range(2):
        for _number in range(2):
            make_product(source, name="Coffee", is_repeatable=True)
        with CaptureQueriesContext(connection) as asked:
            client.get(P, {"product": "cof"})
        counts.append(len(asked))

    assert counts[0] == counts[1]
