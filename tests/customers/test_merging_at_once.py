"""Merging at the same moment as others: two clerks, a new order, a sender."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core.activity import Actor
from recoup.customers.actions import recognise
from recoup.customers.merging import MergeRefused, merge_contacts
from recoup.customers.models import Contact, ContactGate
from recoup.orders.models import Order
from recoup.shops.snapshots import PersonSnapshot
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.support.together import together

CLERK = Actor("person", 7)


@pytest.fixture
def pair(transactional_db: None) -> Iterator[tuple[Contact, Contact]]:
    with scopes_disabled():
        shop = make_shop()
        yield make_contact(shop, email="a@example.com"), make_contact(shop, email="b@example.com")


def test_two_clerks_who_keep_different_ones_merge_once(pair: tuple[Contact, Contact]) -> None:
    one, other = pair
    make_order(one.shop, contact=one)
    make_order(one.shop, contact=other)

    outcomes = together(
        [
            lambda: merge_contacts(one, other, actor=CLERK, now=NOW),
            lambda: merge_contacts(other, one, actor=CLERK, now=NOW),
        ]
    )

    refused = [outcome.reason for outcome in outcomes if isinstance(outcome, MergeRefused)]
    kept = [outcome for outcome in outcomes if isinstance(outcome, Contact)]
    assert refused == ["merged"]
    assert len(kept) == 1
    assert set(Order.objects.values_list("contact", flat=True)) == {kept[0].pk}
    assert Contact.objects.filter(merged_into=None).count() == 1


def test_an_order_that_is_coming_in_is_not_left_with_the_one_who_goes(pair: tuple[Contact, Contact]) -> None:
    kept, gone = pair
    recognised = threading.Event()

    def take_order() -> None:
        with transaction.atomic():
            seen = recognise(gone.shop, PersonSnapshot(email="b@example.com"), source_id=1, now=NOW)
            recognised.set()
            _wait_for_somebody()
            make_order(gone.shop, contact=seen)

    def merge() -> None:
        recognised.wait(10)
        merge_contacts(kept, gone, actor=CLERK, now=NOW)

    assert together([take_order, merge]) == [None, None]
    assert Order.objects.get().contact_id == kept.pk


@pytest.mark.parametrize("place", [0, 1])
def test_merging_takes_no_order_before_it_has_the_gates_of_both(
    pair: tuple[Contact, Contact], place: int
) -> None:
    make_order(pair[1].shop, contact=pair[1])
    held = threading.Event()  # the gate is, as by the sender's last look

    def hand_over() -> int:
        with transaction.atomic():
            ContactGate.objects.select_for_update(no_key=True).get(contact=pair[place])
            held.set()
            waiting = _wait_for_somebody()
            Order.objects.select_for_update(nowait=True).get()
            return waiting

    def merge() -> int:
        held.wait(10)
        return merge_contacts(*pair, actor=CLERK, now=NOW).pk

    assert together([hand_over, merge]) == [1, pair[0].pk]


def _wait_for_somebody() -> int:
    """Wait until another connection waits for what this one holds; return how many do."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(DISTINCT pid) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            (waiting,) = cursor.fetchone()
        if waiting:
            return int(waiting)
        time.sleep(0.02)
    return 0
