"""Merging at the same moment as others: two clerks, a new order, a sender."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import Actor
from recoup.customers.actions import recognise
from recoup.customers.merging import MergeRefused, merge_contacts
from recoup.customers.models import Contact, ContactGate
from recoup.orders.models import Order
from recoup.processes.engine.codes import Code
from recoup.processes.entering import enrol_cases
from recoup.processes.models import Enrolment, Process, StepLog
from recoup.recovery.events import RecoveryCaseOpened
from recoup.shops.snapshots import PersonSnapshot
from tests.factories.cases import make_case
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
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
        recognised.wait(60)
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
        held.wait(60)
        return merge_contacts(*pair, actor=CLERK, now=NOW).pk

    assert together([hand_over, merge]) == [1, pair[0].pk]


def _wait_for_somebody() -> int:
    """Wait until another connection waits for what this one holds; return how many do."""
    for _ in range(3000):
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


def asked(pair: tuple[Contact, Contact]) -> tuple[Process, list[RecoveryCaseOpened]]:
    """Return a process that lets each person in once, and news of a case of either of two people."""
    process = make_process(pair[0].shop, entry={"reentry": "once_per_contact", "group": "asked"})
    return process, [opened(make_case(make_order(one.shop, contact=one, status="unpaid"))) for one in pair]


def test_who_comes_while_they_are_merged_has_been_in_as_the_other(pair: tuple[Contact, Contact]) -> None:
    _, (as_kept, as_gone) = asked(pair)
    enrol_cases([as_gone])
    merged = threading.Event()

    def merge() -> int:
        with transaction.atomic():
            merge_contacts(*pair, actor=CLERK, now=NOW)
            merged.set()
            return _wait_for_somebody()

    def come() -> int:
        merged.wait(60)
        return enrol_cases([as_kept])

    assert together([merge, come]) == [1, 0]
    assert enrol_cases([as_gone, as_kept]) == 0
    assert [one.subject_id for one in Enrolment.objects.all()] == [as_gone.subject_id]
    assert [one.contact_id for one in Enrolment.objects.all()] == [pair[0].pk]


def test_who_came_as_the_one_who_goes_in_that_moment_leaves_again(pair: tuple[Contact, Contact]) -> None:
    process, (as_kept, as_gone) = asked(pair)
    enrol_cases([as_kept])
    came, merged = threading.Event(), threading.Event()

    def come() -> int:
        with transaction.atomic():
            found = enrol_cases([as_gone])
            came.set()
            merged.wait(60)
        return found

    def merge() -> None:
        came.wait(60)
        merge_contacts(*pair, actor=CLERK, now=NOW)
        merged.set()

    assert together([come, merge]) == [1, None]
    while outbox.dispatch():
        pass

    ended = StepLog.objects.get(outcome=Code.STOPPED_DOUBLE)
    assert Enrolment.objects.get(pk=ended.enrolment_id).subject_id == as_gone.subject_id
    assert [one.subject_id for one in Enrolment.objects.filter(state__lt=8)] == [as_kept.subject_id]
    assert not Enrolment.objects.filter(process=process).exclude(contact_id=pair[0].pk).exists()


def test_two_who_were_inside_before_they_were_one_both_go_on(pair: tuple[Contact, Contact]) -> None:
    _, both = asked(pair)
    enrol_cases(both[:1])
    Enrolment.objects.update(group_key=None)  # the group lets one of them in alone
    enrol_cases(both[1:])

    merge_contacts(*pair, actor=CLERK, now=NOW)
    while outbox.dispatch():
        pass

    assert Enrolment.objects.filter(state__lt=8).count() == 2
    assert enrol_cases(both) == 0
