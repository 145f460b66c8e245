"""Claims about the list of customers."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django_scopes import scopes_disabled

from recoup.core.money import Money
from recoup.core.paging import Count
from recoup.customers.listing import ContactFilter, count_customers, list_customers
from recoup.orders.people import OrdersOfPerson, orders_of_people
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


def test_customers_are_found_and_merged_ones_shown_once() -> None:
    shop = make_shop()
    anna = make_contact(shop, name="Anna Żak")
    bert = make_contact(shop, name="Bert Kos", email="bert@example.com")
    make_contact(shop, name="Anna Kos", merged_into=anna)
    make_contact(make_shop(), name="Anna Żak")

    found = {
        text: [contact.pk for contact in list_customers(shop, ContactFilter(text=text)).rows]
        for text in ("", "anna", "kos", "żak", "nobody")
    }

    assert found == {
        "": [bert.pk, anna.pk],
        "anna": [anna.pk],
        "kos": [bert.pk],
        "żak": [anna.pk],
        "nobody": [],
    }
    assert count_customers(shop, ContactFilter(text="kos")) == Count(1)


def test_what_people_ordered_is_told_by_currency_and_without_false_orders() -> None:
    shop = make_shop()
    anna, bert = make_contact(shop), make_contact(shop)
    make_order(shop, contact=anna, placed_at=NOW - 3 * DAY, paid_at=NOW - DAY, total="10.00")
    make_order(shop, contact=anna, placed_at=NOW - 2 * DAY, paid_at=NOW, total="5.00", currency="PLN")
    make_order(shop, contact=anna, placed_at=NOW - DAY)
    make_order(shop, contact=anna, placed_at=NOW, status="false")

    assert orders_of_people(shop, [anna.pk, bert.pk]) == {
        anna.pk: OrdersOfPerson(
            orders=3,
            paid=2,
            unpaid=1,
            last_placed_at=NOW - DAY,
            paid_sums=(Money(Decimal("10.0000"), "EUR"), Money(Decimal("5.0000"), "PLN")),
            unpaid_sums=(Money(Decimal("149.0000"), "EUR"),),
        )
    }
