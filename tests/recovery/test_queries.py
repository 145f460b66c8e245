"""Claims about the list of cases."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.paging import Count
from recoup.recovery.queries import CaseFilter, count_cases, list_cases
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def shown(shop: Shop, **chosen: Any) -> list[int]:
    """Return the cases that a filter shows, and see that it counts as many."""
    wanted = CaseFilter(**chosen)
    keys = [case.pk for case in list_cases(shop, wanted).rows]
    assert count_cases(shop, wanted) == Count(len(keys))
    return keys


def test_open_cases_are_shown_until_others_are_asked_for(shop: Shop) -> None:
    first = make_case(make_order(shop), opened_at=NOW - HOUR).pk
    second = make_case(make_order(shop), opened_at=NOW).pk
    done = make_case(make_order(shop), outcome="recovered", closed_at=NOW, opened_at=NOW - DAY).pk
    gone = make_case(make_order(shop), outcome="lapsed", closed_at=NOW, opened_at=NOW - 2 * DAY).pk
    make_case(make_order(make_shop()))

    assert shown(shop) == [second, first]
    assert shown(shop, is_oldest_first=True) == [first, second]
    assert shown(shop, is_open=False) == [second, first, done, gone]
    assert shown(shop, outcomes=["recovered", "lapsed"]) == [done, gone]
    assert shown(shop, outcomes=["recovered"]) == [done]


def test_largest_sums_come_first_when_asked(shop: Shop) -> None:
    sums = {total: make_case(make_order(shop, total=total)).pk for total in ("5.00", "90.00", "20.00")}

    assert shown(shop, is_largest_first=True) == [sums["90.00"], sums["20.00"], sums["5.00"]]


def test_filters_narrow_together(shop: Shop) -> None:
    anna = make_contact(shop, name="Anna Żak")
    order = make_case(make_order(shop, contact=anna), cause="soft", messages_sent=2).pk
    cart = make_case(make_cart(shop), opened_at=NOW - DAY).pk
    euro = make_case(make_order(shop, total="7.00"), opened_at=NOW - 2 * DAY, currency="USD").pk

    assert shown(shop, kind="cart") == [cart]
    assert shown(shop, cause="soft") == [order]
    assert shown(shop, currency="USD") == [euro]
    assert shown(shop, opened_from=NOW - DAY) == [order, cart]
    assert shown(shop, opened_before=NOW) == [cart, euro]
    assert shown(shop, has_messages=True) == [order]
    assert shown(shop, has_messages=False, kind="order") == [euro]
    assert shown(shop, contact_id=anna.pk) == [order]


def test_search_finds_by_order_and_by_person(shop: Shop) -> None:
    order = make_case(make_order(shop, number="A-4711", contact=make_contact(shop, name="Anna Żak"))).pk
    cart = make_case(make_cart(shop, contact=make_contact(shop, name="Bert Żak")), opened_at=NOW - DAY).pk
    other = make_shop()
    make_case(make_order(other, number="A-4711"))

    assert shown(shop, text="a-4711") == [order]
    assert shown(shop, text="zak") == [order, cart]
    assert shown(shop, text="bert") == [cart]
    assert shown(shop, text="nobody") == []


def test_one_and_three_rows_take_the_same_number_of_questions(
    shop: Shop, django_assert_num_queries: Any
) -> None:
    def look() -> int:
        return len([(c.order, c.cart, c.contact) for c in list_cases(shop, CaseFilter()).rows])

    make_case(make_order(shop))
    with django_assert_num_queries(2):
        look()
    make_case(make_order(shop))
    make_case(make_cart(shop))
    with django_assert_num_queries(2):
        assert look() == 3
