"""Claims about the eight numbers of Home."""

from decimal import Decimal
from typing import Any

import pytest

from recoup.analytics.figures import count_rows_of, filter_from, rows_of
from recoup.analytics.home import HomeTile
from recoup.analytics.queries import home_tiles
from recoup.core import attention
from recoup.core.activity import SYSTEM
from recoup.core.money import Money
from recoup.core.paging import Count
from recoup.messaging.models import Message
from recoup.processes import actions as processes
from recoup.processes.entering import enrol_cases
from recoup.processes.models import Enrolment
from recoup.recovery.actions import close_cases
from recoup.recovery.events import RecoveryCaseOpened
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.analytics.conftest import order_of, pay, unpaid
from tests.factories.cases import make_case
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_cart
from tests.factories.shops import make_shop


def tiles(shop: Shop) -> dict[str, HomeTile]:
    return {tile.key: tile for tile in home_tiles(shop, now=NOW)}


def money(amount: str, currency: str = "PLN") -> list[Money]:
    return [Money(Decimal(amount), currency)]


def test_empty_shop_has_eight_numbers_of_nothing(shop: Shop) -> None:
    found = home_tiles(shop, now=NOW)

    assert [tile.key for tile in found] == [
        "unpaid_now",
        "money_waiting",
        "reminders_due",
        "sent_7_days",
        "recovered_30_days",
        "rate_30_days",
        "uncertain",
        "attention",
    ]
    assert [tile.count for tile in found if tile.count is not None] == [Count(0)] * 5
    assert [tile.money for tile in found if tile.money] == [money("0"), money("0")]
    assert (found[5].share, found[5].previous_share) == (None, None)


def test_unpaid_orders_and_their_money_are_those_that_stand_open(shop: Shop) -> None:
    unpaid(shop, NOW - 10 * DAY, total="10.00")
    unpaid(shop, NOW - HOUR, total="20.00")
    close_cases([unpaid(shop, NOW - 9 * DAY, total="40.00").pk], outcome="cancelled", now=NOW - DAY)
    make_case(make_cart(shop), opened_at=NOW - HOUR)
    unpaid(make_shop(), NOW)

    found = tiles(shop)

    assert (found["unpaid_now"].count, found["unpaid_now"].previous_count) == (Count(2), 2)
    assert (found["money_waiting"].money, found["money_waiting"].previous_money) == (
        money("30.0000"),
        money("50.0000"),
    )
    assert found["unpaid_now"].series == [0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 1, 2]
    assert count_rows_of(shop, found["unpaid_now"].rows) == Count(2)
    assert sum(case.amount for case in rows_of(shop, found["money_waiting"].rows).rows) == Decimal(30)  # type: ignore[union-attr]


def test_sums_of_two_currencies_stand_side_by_side(shop: Shop) -> None:
    unpaid(shop, NOW, total="10.00")
    RecoveryCase.objects.filter(pk=unpaid(shop, NOW, total="5.00").pk).update(currency="EUR")

    assert tiles(shop)["money_waiting"].money == [*money("5.0000", "EUR"), *money("10.0000")]


def test_sent_reminders_of_seven_days_are_compared_with_the_seven_before(shop: Shop) -> None:
    order = order_of(unpaid(shop, NOW, messages=0))
    for days in (0, 1, 6, 7, 8, 14):
        make_message(order, state="sent", handed_at=NOW - days * DAY)
    make_message(order, state="sent", handed_at=NOW, is_test=True)
    make_message(order, state="uncertain", handed_at=NOW)
    make_message(order, state="sent", handed_at=NOW, purpose="thanks")

    tile = tiles(shop)["sent_7_days"]

    assert (tile.count, tile.previous_count) == (Count(3), 2)
    assert tile.series == [0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1]
    assert count_rows_of(shop, tile.rows) == Count(3)


def test_recovered_money_and_rate_of_thirty_days(shop: Shop) -> None:
    pay(unpaid(shop, NOW - 20 * DAY, total="100.00"), NOW - 10 * DAY, refunded="25.00")
    pay(unpaid(shop, NOW - 45 * DAY, total="7.00"), NOW - 35 * DAY)
    unpaid(shop, NOW - 3 * DAY)

    found = tiles(shop)

    assert (found["recovered_30_days"].money, found["recovered_30_days"].previous_money) == (
        money("75.0000"),
        money("7.0000"),
    )
    assert len(found["recovered_30_days"].series) == 30
    assert sum(found["recovered_30_days"].series) == 75
    assert (found["rate_30_days"].share, found["rate_30_days"].previous_share) == (Decimal("0.5"), Decimal(1))
    assert count_rows_of(shop, found["recovered_30_days"].rows) == Count(1)
    assert count_rows_of(shop, found["rate_30_days"].rows) == Count(2)


def test_uncertain_messages_and_what_needs_a_person(shop: Shop) -> None:
    order = order_of(unpaid(shop, NOW, messages=0))
    message = make_message(order, state="uncertain", handed_at=NOW)
    attention.ask("orders.odd", shop_id=shop.pk, key="old", now=NOW - 8 * DAY)
    attention.settle("orders.odd", shop_id=shop.pk, key="old", now=NOW - 2 * DAY)
    attention.ask("orders.odd", shop_id=shop.pk, key="new", now=NOW)
    attention.ask("orders.odd", shop_id=make_shop().pk, key="new", now=NOW)

    found = tiles(shop)

    assert (found["uncertain"].count, list(rows_of(shop, found["uncertain"].rows).rows)) == (
        Count(1),
        [message],
    )
    assert (found["attention"].count, found["attention"].previous_count) == (Count(1), 1)
    assert [item.key for item in rows_of(shop, found["attention"].rows).rows] == ["new"]  # type: ignore[union-attr]


def enter(case: RecoveryCase) -> None:
    enrol_cases(
        [
            RecoveryCaseOpened(
                case.shop_id, case.pk, "order", case.order_id or 0, case.contact_id, case.opened_at
            )
        ]
    )


@pytest.mark.parametrize(
    ("run_at", "status", "values", "is_due"),
    [
        (NOW + 23 * HOUR, "live", {}, True),
        (NOW - HOUR, "live", {}, True),
        (NOW + 24 * HOUR, "live", {}, False),
        (NOW + HOUR, "paused", {}, False),
        (NOW + HOUR, "live", {"flags": 1}, False),
        (NOW + HOUR, "live", {"state": 3, "run_at": None}, False),
    ],
)
def test_reminders_due_are_cases_whose_wait_leads_to_a_message(
    shop: Shop, run_at: Any, status: str, values: dict[str, Any], is_due: bool
) -> None:
    for process in processes.install_shipped(shop, now=NOW, holdout_bp=0):
        processes.set_status(process, "live", actor=SYSTEM, now=NOW)
    case = unpaid(shop, NOW, messages=0)
    enter(case)
    [enrolment] = Enrolment.objects.filter(case_id=case.pk)
    numbers = enrolment.version.node_map
    Enrolment.objects.filter(pk=enrolment.pk).update(**{"node": numbers["n3"], "run_at": run_at, **values})
    processes.set_status(enrolment.process, status, actor=SYSTEM, now=NOW)

    tile = tiles(shop)["reminders_due"]

    assert tile.count == count_rows_of(shop, tile.rows) == Count(int(is_due))
    assert list(rows_of(shop, tile.rows).rows) == [case] * is_due


def test_message_that_waits_is_a_reminder_due(shop: Shop) -> None:
    case = unpaid(shop, NOW, messages=0)
    order = order_of(case)
    make_message(order, case_id=case.pk, due_at=NOW + HOUR)
    make_message(order, state="sent", handed_at=NOW - 23 * HOUR)
    Message.objects.filter(state="due").update(due_at=NOW + HOUR)

    tile = tiles(shop)["reminders_due"]

    assert (tile.count, tile.previous_count) == (Count(1), 1)


def test_numbers_are_exact_up_to_a_point_and_then_say_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recoup.analytics.home.MOST_COUNTED", 2)
    order = order_of(unpaid(shop, NOW, messages=0))
    for minutes in range(3):
        make_message(order, state="sent", handed_at=NOW - minutes * MINUTE)

    tile = tiles(shop)["sent_7_days"]

    assert tile.count == Count(2, is_capped=True)
    assert count_rows_of(shop, tile.rows, most=2) == Count(2, is_capped=True)
    assert count_rows_of(shop, tile.rows, most=None) == Count(3)


def test_home_asks_the_same_number_of_questions_however_many_rows(
    shop: Shop, django_assert_max_num_queries: Any
) -> None:
    for _ in range(3):
        unpaid(shop, NOW)

    with django_assert_max_num_queries(12):
        home_tiles(shop, now=NOW)


def test_filter_of_a_number_travels_in_an_address(shop: Shop) -> None:
    for tile in home_tiles(shop, now=NOW):
        assert filter_from(tile.rows.as_query()) == tile.rows


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"figure": "nonsense"},
        {"figure": "sent", "start": "yesterday"},
        {"figure": "sent", "end": "2026-01-01"},
    ],
)
def test_filter_that_nobody_of_ours_wrote_is_none(query: dict[str, str]) -> None:
    assert filter_from(query) is None
