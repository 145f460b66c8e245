"""Keeping one of several unpaid orders for the same products: which and why, many at once, raced by a payment, undone."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.core.models import OutboxEvent
from recoup.orders.desk import NotADuplicate, add_note
from recoup.orders.events import OrderCancelled, OrderChanged
from recoup.orders.models import Order, OrderNote, TwinsKept
from recoup.orders.pointless import close_superseded
from recoup.orders.twins import Left, begin, find_groups, keep_one, last_run, undo
from recoup.payments.actions import record_payment
from recoup.recovery.detection import open_due_cases
from recoup.recovery.handlers import close_ended, follow_changed
from recoup.shops.models import Shop
from recoup.shops.snapshots import AttemptState, PaymentSnapshot
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop, make_source
from tests.support.together import together

pytestmark = pytest.mark.django_db
UNPAID: dict[str, Any] = {"status": "unpaid", "unpaid_at": NOW - HOUR, "check_at": None}
ANNA, PIOTR = Actor("person", 7), Actor("person", 8)


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    """Let a test look into every shop."""
    with scopes_disabled():
        yield


def pair(
    shop: Shop | None = None, *, older: dict[str, Any] | None = None, newer: dict[str, Any] | None = None
) -> tuple[Order, Order]:
    """Return two unpaid orders of one person for the same products."""
    shop = shop or make_shop()
    contact = make_contact(shop)
    common: dict[str, Any] = {"contact": contact, "source": make_source(shop)}
    return (
        make_order(shop, **{**common, "placed_at": NOW - 3 * DAY, **(older or {})}),
        make_order(shop, **{**common, "placed_at": NOW - DAY, **(newer or {})}),
    )


def fresh(*orders: Order) -> list[Order]:
    """Return orders as they stand now."""
    return [Order.objects.get(pk=order.pk) for order in orders]


@pytest.mark.parametrize(
    ("older", "why"),
    [
        ({}, "newest"),
        ({"payment_state": "partly_paid", "captured": 5}, "money"),
        ({"payment_state": "authorized"}, "money"),
        ({"claimed_by": 8, "claimed_until": NOW + HOUR, "status": "in_work"}, "claimed"),
        ({"claimed_by": 8, "claimed_until": NOW - HOUR}, "newest"),
        ({"promised_at": NOW + DAY}, "promised"),
        ({"promised_at": NOW - DAY}, "newest"),
    ],
)
def test_the_best_of_a_group_is_proposed(older: dict[str, Any], why: str) -> None:
    first, second = pair(older=older)

    [group], older_page = find_groups(first.shop, now=NOW)

    assert (group.kept, group.why, older_page) == (second if why == "newest" else first, why, None)
    assert list(group.orders) == [second, first]


@pytest.mark.parametrize("newer", [{"shop_state": "unknown"}, {"is_backfill": True}])
def test_an_order_that_nobody_is_reminded_of_is_kept_only_where_there_is_no_other(
    newer: dict[str, Any],
) -> None:
    first, _ = pair(newer=newer)

    [group], _ = find_groups(first.shop, now=NOW)

    assert (group.kept, group.why) == (first, "readable")


@pytest.mark.parametrize(
    "newer",
    [
        {"products": ("soap",)},
        {"paid_at": NOW},
        {"status": "cancelled"},
        {"is_test": True},
        {"placed_at": NOW - 100 * DAY},
    ],
    ids=["other goods", "paid", "cancelled", "a test", "long ago"],
)
def test_what_is_no_group(newer: dict[str, Any]) -> None:
    first, _second = pair(newer=newer)
    make_order(first.shop, source=first.source)  # the same goods, of somebody else

    assert find_groups(first.shop, now=NOW) == ([], None)
    assert find_groups(make_shop(), now=NOW) == ([], None)


def test_groups_come_in_pages_and_for_picked_orders_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recoup.orders.twins.PAGE", 2)
    shop = make_shop()
    pairs = [pair(shop) for _ in range(3)]

    groups, older = find_groups(shop, now=NOW)
    rest, end = find_groups(shop, now=NOW, before=older)

    assert [group.kept for group in [*groups, *rest]] == [second for _, second in reversed(pairs)]
    assert end is None
    assert [one.kept for one in find_groups(shop, now=NOW, of=[pairs[1][0].pk])[0]] == [pairs[1][1]]


def test_one_of_each_is_kept_its_notes_go_along_and_all_is_undone() -> None:
    shop = make_shop()
    promised = {"status": "awaiting_payment", "promised_at": NOW + DAY, "unpaid_at": NOW - DAY}
    pairs = [pair(shop, older=promised), pair(shop)]
    add_note(pairs[0][0], "Calls back", author_id=7, now=NOW)
    run = begin(shop, actor=ANNA, now=NOW)

    for first, second in pairs:
        keep_one(run, second.pk, [first.pk], actor=ANNA, now=NOW)

    for first, second in pairs:
        gone, kept = fresh(first, second)
        assert (gone.status, gone.duplicate_of, kept.status) == ("false", kept, "new")
    assert [one.text for one in OrderNote.objects.filter(order=pairs[0][1])] == ["Calls back"]
    assert last_run(shop, now=NOW + HOUR) == run
    assert last_run(shop, now=NOW + 2 * DAY) is None

    assert undo(TwinsKept.objects.get(shop=shop), actor=PIOTR, now=NOW + HOUR) == (2, [])
    assert undo(TwinsKept.objects.get(shop=shop), actor=PIOTR, now=NOW + HOUR) == (0, [])

    back, other = fresh(pairs[0][0], pairs[1][0])
    assert (back.status, back.promised_at, back.unpaid_at) == ("awaiting_payment", NOW + DAY, NOW - DAY)
    assert (back.duplicate_of, back.check_at) == (None, None)  # as before: it was called unpaid already
    assert (other.status, other.check_at) == ("new", pairs[1][0].check_at)
    assert last_run(shop, now=NOW + HOUR) is None
    assert OutboxEvent.objects.filter(kind="orders.OrderCancelled").count() == 2


def test_the_case_of_a_dropped_order_ends_and_goes_on_once_that_is_undone() -> None:
    first, second = pair(older=UNPAID)
    set_clock(NOW)
    case = make_case(first)
    run = begin(first.shop, actor=ANNA, now=NOW)

    keep_one(run, second.pk, [first.pk], actor=ANNA, now=NOW)
    close_ended([OrderCancelled(shop_id=first.shop_id, order_id=first.pk, at=NOW)])
    case.refresh_from_db()
    assert case.outcome == "duplicate"
    run.refresh_from_db()
    undo(run, actor=ANNA, now=NOW)
    follow_changed([OrderChanged(shop_id=first.shop_id, order_id=first.pk, at=NOW)])

    case.refresh_from_db()
    assert (case.outcome, case.closed_at, fresh(first)[0].status) == ("", None, "unpaid")


def test_what_changed_since_it_was_shown_is_left_and_said() -> None:
    shop = make_shop()
    contact = make_contact(shop)
    common: dict[str, Any] = {"contact": contact, "source": make_source(shop)}
    kept = make_order(shop, **common)
    cases = {
        Left.PAID_MEANWHILE: make_order(shop, **common, paid_at=NOW),
        Left.ENDED: make_order(shop, **common, status="cancelled"),
        Left.MONEY: make_order(shop, **common, payment_state="authorized"),
        Left.CLAIMED: make_order(shop, **common, claimed_by=8, claimed_until=NOW + HOUR),
    }
    other = make_order(shop, **{**common, "contact": make_contact(shop)})
    foreign, _ = pair()
    run = begin(shop, actor=ANNA, now=NOW)

    ids = [*(order.pk for order in cases.values()), other.pk, foreign.pk]
    done = keep_one(run, kept.pk, ids, actor=ANNA, now=NOW)

    assert done.dropped == []
    assert {(order.pk, reason) for order, reason in done.left} == {
        *((order.pk, reason) for reason, order in cases.items()),
        (other.pk, Left.OTHER),
    }
    for gone in (cases[Left.PAID_MEANWHILE], cases[Left.ENDED], foreign):
        with pytest.raises(NotADuplicate):
            keep_one(run, gone.pk, [kept.pk], actor=ANNA, now=NOW)
    assert fresh(kept, foreign)[0].status == fresh(foreign)[0].status == "new"


def pay(order: Order) -> None:
    """Let the money of an order come in."""
    payment = PaymentSnapshot(
        ref=f"p-{order.pk}", state=AttemptState.SUCCEEDED, amount=order.total, currency=order.currency, at=NOW
    )
    record_payment(order, payment, now=NOW)
    close_superseded([order.pk], now=NOW)


def test_a_payment_on_a_dropped_one_restores_it_for_good() -> None:
    first, second = pair(newer=UNPAID)
    run = begin(first.shop, actor=ANNA, now=NOW)
    keep_one(run, second.pk, [first.pk], actor=ANNA, now=NOW)

    pay(first)

    paid, kept = fresh(first, second)
    assert (paid.status, paid.duplicate_of) == ("completed", None)
    assert (kept.status, kept.superseded_by) == ("cancelled", paid)
    run.refresh_from_db()
    assert undo(run, actor=ANNA, now=NOW) == (0, [(paid, Left.PAID_MEANWHILE)])


def test_undoing_leaves_what_was_dropped_for_an_order_that_is_paid() -> None:
    first, second = pair()
    run = begin(first.shop, actor=ANNA, now=NOW)
    keep_one(run, second.pk, [first.pk], actor=ANNA, now=NOW)
    pay(second)
    run.refresh_from_db()

    assert undo(run, actor=ANNA, now=NOW) == (0, [(first, Left.KEPT_PAID)])
    assert fresh(first)[0].status == "false"


@pytest.mark.parametrize(
    "money",
    [{"payment_state": "authorized"}, {"payment_state": "partly_paid", "captured": 5}],
    ids=["reserved", "a part"],
)
def test_undoing_leaves_what_was_dropped_for_an_older_order_for_which_money_came(
    money: dict[str, Any],
) -> None:
    older, newer = pair()
    run = begin(older.shop, actor=ANNA, now=NOW)
    keep_one(run, older.pk, [newer.pk], actor=ANNA, now=NOW)
    Order.objects.filter(pk=older.pk).update(**money)

    assert undo(run, actor=ANNA, now=NOW) == (0, [(newer, Left.KEPT_PAID)])
    assert fresh(newer)[0].status == "false"


def test_what_was_done_long_ago_is_undone_no_more() -> None:
    first, second = pair()
    run = begin(first.shop, actor=ANNA, now=NOW)
    keep_one(run, second.pk, [first.pk], actor=ANNA, now=NOW)

    assert undo(run, actor=ANNA, now=NOW + DAY) == (0, [])
    assert fresh(first)[0].status == "false"


def test_a_promised_order_that_was_dropped_and_is_back_is_reminded_of_on_its_day() -> None:
    first, second = pair(older={"placed_at": NOW - 20 * DAY, "promised_at": NOW + DAY, "check_at": NOW + DAY})
    run = begin(first.shop, actor=ANNA, now=NOW)
    keep_one(run, second.pk, [first.pk], actor=ANNA, now=NOW)
    undo(run, actor=ANNA, now=NOW)
    Order.objects.filter(pk=second.pk).update(status="cancelled", check_at=None)

    open_due_cases(now=NOW)

    [back] = fresh(first)
    assert (back.status, back.check_at) == ("new", NOW + DAY)
    assert open_due_cases(now=NOW + DAY).opened == 1


@pytest.mark.django_db(transaction=True)
def test_a_payment_and_the_bulk_action_at_the_same_moment_leave_the_paid_one_paid() -> None:
    shop = make_shop()
    for _ in range(6):
        first, second = pair(shop, newer=UNPAID)
        run = begin(shop, actor=ANNA, now=NOW)

        outcomes = together(
            [partial(keep_one, run, second.pk, [first.pk], actor=ANNA, now=NOW), partial(pay, first)]
        )

        assert all(not isinstance(one, Exception) or isinstance(one, NotADuplicate) for one in outcomes)
        paid, kept = fresh(first, second)
        assert (paid.status, paid.payment_state, paid.duplicate_of) == ("completed", "paid", None)
        assert (kept.status, kept.superseded_by) == ("cancelled", paid)
