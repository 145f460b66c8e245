"""The state machine of an order's status."""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.orders.models import Order, OrderFact, StatusChange
from recoup.orders.status import MOVES, MoveNotAllowed, OrderChangedMeanwhile, allowed_moves, change_status
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
ANNA = Actor("person", 7)


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


def test_every_status_has_moves_and_the_system_alone_sets_unpaid_and_completed() -> None:
    assert set(MOVES) == set(Order.Status)
    chosen = {to for moves in MOVES.values() for to in moves}
    assert chosen == set(Order.Status) - {"unpaid", "completed"}


def test_a_move_leaves_one_line_with_who_when_from_to_and_why() -> None:
    order = make_order(make_shop())

    change_status(order, "cancelled", actor=ANNA, now=NOW, reason="Too dear")

    line = StatusChange.objects.get(order=order)
    assert (line.from_status, line.to_status, line.reason, line.actor_id, line.at) == (
        "new",
        "cancelled",
        "Too dear",
        7,
        NOW,
    )
    order.refresh_from_db()
    assert (order.status, order.cancelled_at, order.check_at) == ("cancelled", NOW, None)


@pytest.mark.parametrize("lines", [StatusChange, OrderFact])
def test_a_line_of_the_history_is_never_changed(lines: type[StatusChange] | type[OrderFact]) -> None:
    change_status(make_order(make_shop()), "cancelled", actor=ANNA, now=NOW, reason="Too dear")

    with pytest.raises(IntegrityError, match="is never changed"), transaction.atomic():
        lines.objects.update(order_id=None)

    assert lines.objects.count() == 1


@pytest.mark.parametrize(
    ("status", "paid", "to", "reason", "why"),
    [
        ("new", False, "cancelled", "", "reason_missing"),
        ("new", False, "completed", "x", "no_such_move"),
        ("completed", True, "new", "x", "no_such_move"),
        ("completed", True, "in_work", "x", "refund_first"),
        ("cancelled", True, "false", "x", "paid_is_never_false"),
    ],
)
def test_a_move_that_is_not_allowed_is_refused_and_changes_nothing(
    status: str, paid: bool, to: str, reason: str, why: str
) -> None:
    order = make_order(make_shop(), paid_at=NOW - HOUR if paid else None, status=status)

    with pytest.raises(MoveNotAllowed, match=why):
        change_status(order, to, actor=ANNA, now=NOW, reason=reason)

    order.refresh_from_db()
    assert (order.status, StatusChange.objects.filter(order=order).count()) == (status, 0)
    assert to not in allowed_moves(order) or why == "reason_missing"


def test_the_second_of_two_managers_gets_a_conflict() -> None:
    order = make_order(make_shop())
    seen = order.lock_version

    change_status(order, "in_work", actor=ANNA, now=NOW, expected_version=seen)
    with pytest.raises(OrderChangedMeanwhile) as conflict:
        change_status(order, "false", actor=Actor("person", 8), now=NOW, expected_version=seen)

    assert conflict.value.order.status == "in_work"


def test_a_dropped_duplicate_that_a_person_takes_back_stands_for_itself() -> None:
    with scopes_disabled():
        shop = make_shop()
        kept = make_order(shop)
        dropped = make_order(shop, status="false", duplicate_of=kept, check_at=None)

        change_status(dropped, "new", actor=Actor("person", 1), now=NOW)

        dropped.refresh_from_db()
        assert (dropped.status, dropped.duplicate_of_id) == ("new", None)
        assert dropped.check_at == dropped.placed_at + 24 * HOUR


@pytest.mark.parametrize("was", ["in_work", "false"])
def test_an_order_that_is_new_again_is_looked_at_again(was: str) -> None:
    order = make_order(make_shop(), status=was, unpaid_at=NOW - HOUR, check_at=None)
    Order.objects.filter(pk=order.pk).update(claimed_by=7, claimed_until=NOW + HOUR)

    change_status(order, "new", actor=ANNA, now=NOW)

    order.refresh_from_db()
    assert (order.unpaid_at, order.claimed_by, order.claimed_until) == (None, None, None)
    assert order.check_at == order.placed_at + 24 * HOUR
