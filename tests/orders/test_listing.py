"""Claims about the list of orders."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.paging import Count
from recoup.orders.listing import OrderFilter, count_orders, list_orders
from recoup.orders.models import Order
from recoup.shops.models import Shop
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source


@pytest.fixture(autouse=True)
def everywhere(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def shown(shop: Shop, **chosen: Any) -> list[str]:
    """Return the refs that a filter shows, and see that it counts as many."""
    wanted = OrderFilter(**chosen)
    refs = [order.ref for order in list_orders(shop, wanted).rows]
    assert count_orders(shop, wanted) == Count(len(refs))
    return refs


def test_current_orders_hide_completed_false_and_cancelled(shop: Shop) -> None:
    for hours, status in enumerate(Order.Status.values):
        make_order(shop, ref=status, status=status, placed_at=NOW - hours * HOUR)

    assert shown(shop) == ["new", "in_work", "not_confirmed", "awaiting_payment", "unpaid"]
    assert shown(shop, is_current=False) == list(Order.Status.values)
    assert shown(shop, statuses=["cancelled", "false"]) == ["cancelled", "false"]
    assert shown(shop, is_oldest_first=True)[0] == "unpaid"


def test_partly_paid_orders_stay_visible(shop: Shop) -> None:
    make_order(shop, ref="part", status="in_work", payment_state="partly_paid", captured=Decimal(10))

    assert shown(shop) == ["part"]


def test_filters_narrow_together(shop: Shop) -> None:
    anna, web, shop_till = make_contact(shop, name="Anna Żak"), make_source(shop), make_source(shop)
    make_order(shop, ref="a", contact=anna, source=web, total="10.00", method="blik", placed_at=NOW)
    make_order(shop, ref="b", source=shop_till, total="20.00", placed_at=NOW - DAY, claimed_by=7)
    make_order(shop, ref="c", source=web, total="30.00", currency="PLN", placed_at=NOW - 2 * DAY)
    make_order(shop, ref="d", source=web, total="40.00", placed_at=NOW - 3 * DAY, payment_state="failed")

    found = {
        "source": shown(shop, source_id=web.pk),
        "method": shown(shop, method="blik"),
        "from": shown(shop, placed_from=NOW - DAY),
        "before": shown(shop, placed_before=NOW - DAY),
        "currency": shown(shop, currency="PLN"),
        "amounts": shown(shop, total_from=Decimal(20), total_to=Decimal(30)),
        "person": shown(shop, contact_id=anna.pk),
        "claimed": shown(shop, claimed_by=7),
        "payment": shown(shop, payment_states=["failed"]),
        "both": shown(shop, payment_states=["failed"], statuses=["new"], source_id=web.pk),
        "paid": shown(shop, payment_states=["paid"]),
        "text": shown(shop, text="zak"),
        "text and source": shown(shop, text="anna", source_id=shop_till.pk),
    }

    assert found == {
        "source": ["a", "c", "d"],
        "method": ["a"],
        "from": ["a", "b"],
        "before": ["c", "d"],
        "currency": ["c"],
        "amounts": ["b", "c"],
        "person": ["a"],
        "claimed": ["b"],
        "payment": ["d"],
        "both": ["d"],
        "paid": [],
        "text": ["a"],
        "text and source": ["b"],
    }


def test_common_payment_states_are_walked_by_status(shop: Shop) -> None:
    make_order(shop, ref="odd", status="in_work", payment_state="paid", captured=Decimal(149), check_at=None)
    make_order(shop, ref="done", paid_at=NOW)

    assert shown(shop, payment_states=["paid"]) == ["odd"]
    assert shown(shop, payment_states=["paid"], is_current=False) == ["done", "odd"]


def test_list_keeps_to_its_shop(shop: Shop) -> None:
    make_order(make_shop(), ref="foreign")
    make_order(shop, ref="own")

    assert shown(shop, is_current=False) == ["own"]


def test_one_and_three_rows_take_the_same_number_of_questions(
    shop: Shop, django_assert_num_queries: Any
) -> None:
    make_order(shop)
    with django_assert_num_queries(2):
        [(o.contact, o.number) for o in list_orders(shop, OrderFilter()).rows]
    make_order(shop)
    make_order(shop)
    with django_assert_num_queries(2):
        assert len([(o.contact, o.number) for o in list_orders(shop, OrderFilter()).rows]) == 3
