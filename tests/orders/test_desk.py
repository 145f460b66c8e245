"""Taking orders to work, giving them back, duplicates and notes."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django_scopes import scope, scopes_disabled

from recoup.core.activity import Actor
from recoup.core.models import Activity, OutboxEvent
from recoup.customers.models import ContactGate
from recoup.orders.desk import (
    NotADuplicate,
    OrderClaimed,
    add_note,
    claim_order,
    is_claimed,
    mark_duplicate,
    release_order,
)
from recoup.orders.models import Order, OrderNote, StatusChange
from recoup.orders.status import MoveNotAllowed, OrderChangedMeanwhile
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
ANNA, PIOTR = Actor("person", 7), Actor("person", 8)


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    """Let a test look into every shop."""
    with scopes_disabled():
        yield


def history(order: Order) -> list[tuple[str, str, int | None]]:
    """Return the moves of an order's status, oldest first, and who made them."""
    return list(
        StatusChange.objects.filter(order=order)
        .order_by("id")
        .values_list("from_status", "to_status", "actor_id")
    )


def test_a_taken_order_is_in_work_for_the_hours_of_the_shop() -> None:
    order = make_order(make_shop(claim_hours=8), status="unpaid", unpaid_at=NOW - HOUR)

    claimed = claim_order(order, actor=ANNA, now=NOW)

    assert (claimed.status, claimed.claimed_by, claimed.claimed_until) == (
        "in_work",
        7,
        NOW + timedelta(hours=8),
    )
    assert history(order) == [("unpaid", "in_work", 7)]
    lines = Activity.objects.filter(subject_id=order.pk).order_by("id")
    assert list(lines.values_list("verb", flat=True)) == [
        "orders.order.status_changed",
        "orders.order.claimed",
    ]
    assert is_claimed(claimed, NOW + 7 * HOUR)
    assert not is_claimed(claimed, NOW + 8 * HOUR)


def test_who_comes_second_is_refused_and_changes_nothing() -> None:
    order = make_order(make_shop())
    claim_order(order, actor=ANNA, now=NOW)

    with pytest.raises(OrderClaimed) as refused:
        claim_order(order, actor=PIOTR, now=NOW + HOUR)

    order.refresh_from_db()
    assert (refused.value.clerk_id, order.claimed_by, order.claimed_until) == (7, 7, NOW + 8 * HOUR)


def test_a_claim_that_ran_out_may_be_taken_over() -> None:
    order = make_order(make_shop(claim_hours=2))
    claim_order(order, actor=ANNA, now=NOW)

    claim_order(order, actor=PIOTR, now=NOW + 2 * HOUR)

    order.refresh_from_db()
    assert (order.claimed_by, order.claimed_until) == (8, NOW + 4 * HOUR)


def test_taking_touches_the_gate_that_the_sender_locks_and_tells_the_processes() -> None:
    order = make_order(make_shop())
    assert order.contact is not None
    before = ContactGate.objects.get(pk=order.contact).changes

    claim_order(order, actor=ANNA, now=NOW)

    assert ContactGate.objects.get(pk=order.contact).changes > before
    assert set(OutboxEvent.objects.values_list("kind", flat=True)) == {"orders.OrderChanged"}


def test_a_paid_order_cannot_be_taken() -> None:
    order = make_order(make_shop(), paid_at=NOW - DAY)

    with pytest.raises(MoveNotAllowed):
        claim_order(order, actor=ANNA, now=NOW)

    order.refresh_from_db()
    assert (order.status, order.claimed_by) == ("completed", None)


def test_an_order_changed_meanwhile_is_not_taken() -> None:
    order = make_order(make_shop(), lock_version=4)

    with pytest.raises(OrderChangedMeanwhile):
        claim_order(order, actor=ANNA, now=NOW, expected_version=3)

    order.refresh_from_db()
    assert (order.status, order.claimed_by, order.lock_version) == ("new", None, 4)


@pytest.mark.parametrize(("unpaid_at", "status"), [(NOW - HOUR, "unpaid"), (None, "new")])
def test_a_released_order_is_what_it_was(unpaid_at: object, status: str) -> None:
    order = make_order(make_shop(), status="unpaid" if unpaid_at else "new", unpaid_at=unpaid_at)
    claim_order(order, actor=ANNA, now=NOW)

    release_order(order, actor=PIOTR, now=NOW + HOUR)

    order.refresh_from_db()
    assert (order.status, order.claimed_by, order.claimed_until) == (status, None, None)
    assert history(order)[-1] == ("in_work", status, 8)


def test_releasing_what_nobody_took_changes_nothing() -> None:
    order = make_order(make_shop(), lock_version=2)

    release_order(order, actor=ANNA, now=NOW)

    order.refresh_from_db()
    assert (order.lock_version, Activity.objects.count()) == (2, 0)


def test_a_duplicate_names_the_order_that_is_kept() -> None:
    shop = make_shop()
    contact = make_contact(shop)
    dropped, kept = make_order(shop, contact=contact), make_order(shop, contact=contact)

    mark_duplicate(dropped, kept, actor=ANNA, now=NOW)

    dropped.refresh_from_db()
    assert (dropped.status, dropped.duplicate_of, dropped.check_at) == ("false", kept, None)


def test_notes_of_a_duplicate_go_to_the_order_that_is_kept_in_their_order() -> None:
    anna = make_contact(shop := make_shop())
    order, kept = make_order(shop, contact=anna), make_order(shop, contact=anna)
    add_note(kept, "Prefers the evening", author_id=8, now=NOW)
    for text in ("Calls back", "Has called"):
        add_note(order, text, author_id=7, now=NOW)

    mark_duplicate(order, kept, actor=ANNA, now=NOW)

    notes = OrderNote.objects.filter(order=kept).order_by("id").values_list("text", flat=True)
    assert list(notes) == ["Prefers the evening", "Calls back", "Has called"]


def test_orders_of_two_people_are_no_duplicates() -> None:
    shop = make_shop()
    one, other = make_order(shop), make_order(shop)

    for kept in (other, one):
        with pytest.raises(NotADuplicate):
            mark_duplicate(one, kept, actor=ANNA, now=NOW)

    one.refresh_from_db()
    assert (one.status, one.duplicate_of) == ("new", None)


def test_a_note_is_kept_as_written_and_an_empty_one_is_none() -> None:
    order = make_order(make_shop())

    add_note(order, "  Called, no answer. ", author_id=7, now=NOW)
    add_note(order, "   ", author_id=7, now=NOW)

    assert list(OrderNote.objects.values_list("order_id", "text", "author_id", "at")) == [
        (order.pk, "Called, no answer.", 7, NOW)
    ]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_an_order_at_once_one_wins() -> None:
    shop = make_shop()
    with scope(shop=shop):
        order = make_order(shop)
    barrier, outcomes = threading.Barrier(2), list[str]()

    def take(actor: Actor) -> None:
        try:
            barrier.wait()
            with scope(shop=shop):
                claim_order(order, actor=actor, now=NOW)
            outcomes.append("taken")
        except OrderClaimed:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(actor,)) for actor in (ANNA, PIOTR)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["refused", "taken"]
    with scope(shop=shop):
        assert history(order) == [("new", "in_work", Order.objects.get(pk=order.pk).claimed_by)]
