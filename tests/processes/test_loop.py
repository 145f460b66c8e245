"""The engine over PostgreSQL: one bad enrolment stops nobody, a wrong clock stops everybody (engine 12.1, R17)."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM, Actor
from recoup.core.models import AttentionItem, DeadLetter, Installation
from recoup.customers.models import Contact
from recoup.messaging.models import Message
from recoup.processes import actions, loop
from recoup.processes.actions import AlreadyInside, retry_failed
from recoup.processes.engine.codes import State
from recoup.processes.engine.records import Outcome
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import ClockJumped, Engine
from recoup.processes.models import Enrolment, Process, ProcessVersion
from recoup.processes.store import PostgresStore
from recoup.processes.versions import forget_graphs
from recoup.recovery.models import RecoveryCase
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
CLERK = Actor("person", 1)


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop()


def enrol(shop: Shop, count: int) -> list[int]:
    cases = [make_case(make_order(shop, status="unpaid", placed_at=NOW)) for _ in range(count)]
    enrol_cases([opened(case) for case in cases])
    return list(Enrolment.objects.order_by("-id").values_list("id", flat=True)[:count])[::-1]


def states(ids: Sequence[int]) -> list[int]:
    found = dict(Enrolment.objects.filter(pk__in=ids).values_list("id", "state"))
    return [found[one] for one in ids]


def pass_time(by: timedelta) -> None:
    Installation.objects.update(trade_offset=F("trade_offset") + by)


def rewrite(process: Process, doc: dict[str, Any]) -> None:
    """Put another document under the published version: what another release wrote, or one that reads it again."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE processes_processversion DISABLE TRIGGER processes_version_immutable")
        ProcessVersion.objects.filter(process=process).update(doc=doc)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE processes_processversion ENABLE TRIGGER processes_version_immutable")
    forget_graphs()


def spoil(process: Process) -> dict[str, Any]:
    """Leave a version that this code cannot read, and return what it was."""
    assert process.current_version is not None
    rewrite(process, {"schema": 99})
    was: dict[str, Any] = process.current_version.doc
    return was


def test_a_batch_goes_on_to_its_messages(shop: Shop) -> None:
    make_process(shop)
    ids = enrol(shop, 3)

    assert Engine().run_once() == 3
    assert states(ids) == [State.WAITING] * 3
    pass_time(DAY + HOUR)

    assert Engine().run_once() == 3
    assert sorted(Message.objects.values_list("enrolment_id", "node", "state")) == [
        (one, "n2", "due") for one in ids
    ]


def test_a_reminder_joins_the_case_that_was_opened_after_its_person_came_in(shop: Shop) -> None:
    make_process(shop)
    one, other = enrol(shop, 2)
    cases = dict(Enrolment.objects.values_list("id", "case_id"))
    Enrolment.objects.update(case_id=None)  # as of those who enter by an order, before it is found unpaid
    RecoveryCase.objects.filter(pk__in=[cases[other]]).update(closed_at=NOW, outcome="lapsed")

    Engine().run_once()
    pass_time(DAY + HOUR)
    Engine().run_once()

    joined = dict(Message.objects.values_list("enrolment_id", "case_id"))
    assert joined.get(one) == cases[one]
    assert joined.get(other) is None  # a closed case is closed


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_what_is_due_and_neither_waits_for_the_other(shop: Shop) -> None:
    make_process(shop)
    ids = enrol(shop, 3)
    other: list[int] = []

    def work() -> None:
        with scopes_disabled():
            other.append(Engine().run_once())
        connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        store = PostgresStore()
        mine = [due.enrolment.id for due in store.pick(1, store.now())]
        thread.start()
        thread.join(60)
        assert not thread.is_alive()

    assert (len(mine), other) == (1, [2])
    assert Engine().run_once() == 1  # given back by the one that went away
    assert states(ids) == [State.WAITING] * 3


def test_a_version_that_cannot_be_read_stops_nobody_else(shop: Shop) -> None:
    process = make_process(shop)
    poisoned = enrol(shop, 2)
    Process.objects.update(status="stopped")
    make_process(make_shop())
    good = enrol(Shop.objects.order_by("id").last() or shop, 2)
    Process.objects.update(status="live")
    spoil(process)

    assert Engine().run_once() == 4

    assert states(good) == [State.WAITING] * 2
    assert list(Enrolment.objects.filter(pk__in=poisoned).values_list("attempt", flat=True)) == [1, 1]


def test_after_five_tries_it_is_a_dead_letter_that_can_be_retried(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop, 1)
    doc = spoil(process)
    for _ in range(5):
        assert Engine().run_once() == 1
        pass_time(timedelta(minutes=65))
    assert Engine().run_once() == 0
    letter = DeadLetter.objects.get()
    assert (states([one]), letter.shop_id, letter.what, letter.payload) == (
        [State.FAILED], shop.pk, "enrolment", {"enrolment_id": one},
    )  # fmt: skip
    assert AttentionItem.objects.filter(shop_id=shop.pk, settled_at=None).count() == 1

    rewrite(process, doc)

    assert not retry_failed(letter.pk, shop=make_shop(), actor=CLERK, now=NOW)
    assert retry_failed(letter.pk, shop=shop, actor=CLERK, now=NOW)
    assert not retry_failed(letter.pk, shop=shop, actor=CLERK, now=NOW)

    assert Engine().run_once() == 1
    assert states([one]) == [State.WAITING]
    assert AttentionItem.objects.filter(settled_at=None).count() == 0


def test_a_retry_makes_nobody_be_inside_twice(shop: Shop) -> None:
    process = make_process(shop, entry={"reentry": "one_at_a_time"})
    [one] = enrol(shop, 1)
    doc = spoil(process)
    Enrolment.objects.update(attempt=4)
    Engine().run_once()
    rewrite(process, doc)
    letter, failed = DeadLetter.objects.get(), Enrolment.objects.get(pk=one)
    anna = Contact.objects.get(pk=failed.contact_id)
    assert enrol_cases([opened(make_case(make_order(shop, status="unpaid", contact=anna)))]) == 1

    with pytest.raises(AlreadyInside):
        retry_failed(letter.pk, shop=shop, actor=CLERK, now=NOW)

    letter.refresh_from_db()
    assert (states([one]), letter.state) == ([State.FAILED], "open")


class Picky(PostgresStore):
    """A store that cannot write one enrolment."""

    bad = 0

    def save(self, outcomes: Sequence[Outcome], now: datetime) -> None:
        super().save(outcomes, now)
        if any(o.enrolment.id == self.bad and o.enrolment.attempt == 0 for o in outcomes):
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")


def test_a_batch_that_cannot_be_written_is_halved_down_to_the_bad_row(shop: Shop) -> None:
    make_process(shop)
    ids = enrol(shop, 7)
    engine, engine_store = Engine(), Picky()
    engine.store, engine_store.bad = engine_store, ids[2]

    assert engine.run_once() == 7

    attempts = dict(Enrolment.objects.values_list("id", "attempt"))
    assert [attempts[one] for one in ids] == [0, 0, 1, 0, 0, 0, 0]
    assert states(ids) == [State.WAITING] * 2 + [State.READY] + [State.WAITING] * 4


def test_a_clock_that_jumped_is_not_believed_until_it_has_proved_steady(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_process(shop)
    [one] = enrol(shop, 1)
    clock = {"wall": 0.0, "boot": 0.0}
    monkeypatch.setattr(loop, "boot_seconds", lambda: clock["boot"])
    monkeypatch.setattr(loop, "_drift", lambda: clock["wall"] - clock["boot"])
    engine = Engine()

    def go(*, wall: float, boot: float) -> bool:
        clock["wall"] += wall
        clock["boot"] += boot
        try:
            engine.run_once()
        except ClockJumped:
            return False
        return True

    assert go(wall=1, boot=1)
    assert not go(wall=86400, boot=1)
    assert not go(wall=100, boot=100)
    assert go(wall=-86400, boot=1)  # it was set back: it was wrong, and is right again
    assert not go(wall=86400, boot=1)
    assert not go(wall=299, boot=299)
    assert go(wall=2, boot=2)  # it was set right, and stays so
    assert go(wall=1, boot=1)
    assert states([one]) == [State.WAITING]


@pytest.mark.django_db(transaction=True)
def test_nobody_is_set_aside_in_a_process_that_was_let_go_on_at_the_same_moment() -> None:
    set_clock(NOW)
    shop = make_shop()
    process = make_process(shop)
    [one] = enrol(shop, 1)
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    picked, resumed = threading.Event(), threading.Event()

    def resume() -> None:
        with scopes_disabled():
            picked.wait(60)
            actions.set_status(process, "live", actor=SYSTEM, now=NOW)
        connection.close()
        resumed.set()

    thread = threading.Thread(target=resume)
    thread.start()
    with transaction.atomic():
        Engine().run_once()
        picked.set()
        resumed.wait(0.5)  # it must wait for us, or not be overlooked by us
    thread.join(60)

    assert states([one]) == [State.READY]


@pytest.mark.django_db(transaction=True)
def test_who_was_seen_before_the_process_was_let_go_on_is_not_set_aside_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_clock(NOW)
    shop = make_shop()
    process = make_process(shop)
    [one] = enrol(shop, 1)
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    before = PostgresStore._set_aside

    def resume() -> None:
        with scopes_disabled():
            actions.set_status(process, "live", actor=SYSTEM, now=NOW)
        connection.close()

    def meanwhile(self: PostgresStore, *values: Any) -> None:
        thread = threading.Thread(target=resume)
        thread.start()
        thread.join(60)
        before(self, *values)

    monkeypatch.setattr(PostgresStore, "_set_aside", meanwhile)
    Engine().run_once()

    assert states([one]) == [State.READY]
    monkeypatch.undo()
    assert Engine().run_once() == 1


def test_who_enters_behind_a_backlog_that_is_over_waits_for_the_next_look_alone(shop: Shop) -> None:
    make_process(shop)
    first, second, late = enrol(shop, 3)
    Enrolment.objects.filter(pk__in=[first, second]).update(state=1, run_at=NOW + HOUR)
    Enrolment.objects.filter(pk=late).update(state=1, run_at=NOW + 3 * DAY)
    store = PostgresStore()

    def pick() -> list[int]:
        with transaction.atomic():
            found = [due.enrolment.id for due in store.pick(2, NOW + DAY)]
            Enrolment.objects.filter(pk__in=found).update(run_at=NOW + 3 * DAY)
        return found

    drained = pick()
    Enrolment.objects.filter(pk=late).update(run_at=NOW)  # due before all that were drained

    assert (drained, pick(), pick()) == ([first, second], [], [late])
