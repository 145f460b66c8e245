"""Installing, publishing, running, pausing, stopping, going live (B6, J9, R20)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM, Actor
from recoup.core.models import Activity, Installation
from recoup.messaging.models import Message, MessageSource
from recoup.processes import actions
from recoup.processes.actions import ProcessMoveNotAllowed
from recoup.processes.engine.codes import Code, State
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process, ProcessVersion, StepLog
from recoup.processes.shipped import SHIPPED, shipped_process
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import WAIT_AND_SEND, make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop()


def enrol(shop: Shop) -> Enrolment:
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    found = Enrolment.objects.order_by("id").last()
    assert found is not None
    return found


def pass_time(by: timedelta) -> None:
    Installation.objects.update(trade_offset=F("trade_offset") + by)


def test_the_shipped_processes_are_installed_once_in_test_mode(shop: Shop) -> None:
    made = actions.install_shipped(shop, now=NOW)

    assert sorted((p.key, p.status, p.message_source.state) for p in made) == sorted(
        (key, "test", "live") for key in SHIPPED
    )
    assert actions.install_shipped(shop, now=NOW) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE processes_processversion SET number = 9 WHERE id = %s",
        "DELETE FROM processes_processversion WHERE id = %s",
    ],
)
def test_a_published_version_never_changes(shop: Shop, statement: str) -> None:
    version = make_process(shop).current_version
    assert version is not None

    with (
        pytest.raises(DatabaseError, match="never changes"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, [version.pk])

    assert ProcessVersion.objects.get(pk=version.pk).number == 1


def test_those_inside_stay_on_their_version_when_another_is_published(shop: Shop) -> None:
    process = make_process(shop)
    inside = enrol(shop)

    version = actions.publish(process, shipped_process("unpaid_order"), actor=SYSTEM, now=NOW)
    outside = enrol(shop)

    inside.refresh_from_db()
    assert version.number == 2
    assert (inside.version.number, outside.version.number) == (1, 2)


def test_the_numbers_of_blocks_survive_a_new_version(shop: Shop) -> None:
    process = make_process(shop, nodes={"zz": WAIT_AND_SEND["n3"]}, entry={"first": "zz"})
    before = process.current_version.node_map if process.current_version else {}

    version = actions.publish(process, shipped_process("unpaid_order"), actor=SYSTEM, now=NOW)

    assert version.node_map["zz"] == before["zz"]  # kept, so that no other block ever gets its number
    assert len(set(version.node_map.values())) == len(version.node_map)


@pytest.mark.parametrize(
    ("was", "to"), [("draft", "paused"), ("test", "paused"), ("paused", "test"), ("live", "draft")]
)
def test_moves_that_do_not_exist_are_refused(shop: Shop, was: str, to: str) -> None:
    process = make_process(shop, status=was)

    with pytest.raises(ProcessMoveNotAllowed):
        actions.set_status(process, to, actor=SYSTEM, now=NOW)

    process.refresh_from_db()
    assert process.status == was


def test_pausing_holds_who_waits_and_their_messages_and_resuming_lets_them_go_on(shop: Shop) -> None:
    process = make_process(shop)
    one = enrol(shop)
    Engine().run_once()
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    pass_time(DAY + HOUR)

    assert Engine().run_once() == 0
    one.refresh_from_db()
    assert (one.state, MessageSource.objects.get().state, Message.objects.count()) == (
        State.PAUSED,
        "paused",
        0,
    )

    actions.set_status(process, "live", actor=SYSTEM, now=NOW + DAY + HOUR)
    pass_time(timedelta(minutes=11))
    assert Engine().run_once() == 1
    assert Message.objects.get().state == "due"
    assert MessageSource.objects.get().state == "live"


def test_what_was_paused_for_long_is_not_sent_late(shop: Shop) -> None:
    process = make_process(shop)
    enrol(shop)
    Engine().run_once()
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    pass_time(DAY + HOUR)
    Engine().run_once()
    pass_time(10 * DAY)

    actions.set_status(process, "live", actor=SYSTEM, now=NOW + 11 * DAY)
    pass_time(timedelta(minutes=11))
    while Engine().run_once():
        pass

    late = [m.not_after > NOW + 11 * DAY for m in Message.objects.all()]
    assert late in ([], [False])


def test_stopping_ends_who_is_inside_and_calls_their_messages_off(shop: Shop) -> None:
    process = make_process(shop)
    one = enrol(shop)
    Engine().run_once()
    pass_time(DAY + HOUR)
    Engine().run_once()
    two = enrol(shop)

    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW)

    assert {e.state for e in Enrolment.objects.all()} == {State.CANCELLED}
    assert {e.active_key for e in Enrolment.objects.all()} == {None}
    assert [(m.enrolment_id, m.state, m.reason) for m in Message.objects.all()] == [
        (one.pk, "cancelled", "stopped")
    ]
    assert list(StepLog.objects.filter(enrolment_id=two.pk).values_list("outcome", flat=True)) == [
        Code.STOPPED_PROCESS
    ]


def test_draining_lets_nobody_in_lets_those_inside_finish_and_stops_by_itself(shop: Shop) -> None:
    process = make_process(shop)
    one = enrol(shop)
    Engine().run_once()

    actions.set_status(process, "draining", actor=SYSTEM, now=NOW)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    assert (actions.finish_drains(NOW), Enrolment.objects.count()) == (0, 1)
    pass_time(DAY + HOUR)
    Engine().run_once()
    assert [(m.enrolment_id, m.state) for m in Message.objects.all()] == [(one.pk, "due")]
    Message.objects.update(state="sent", settled_at=NOW + DAY, handed_at=NOW + DAY)
    Enrolment.objects.update(run_at=NOW)
    Engine().run_once()

    assert [actions.finish_drains(NOW), actions.finish_drains(NOW)] == [1, 0]
    process.refresh_from_db()
    one.refresh_from_db()
    assert (process.status, one.state, MessageSource.objects.get().state) == (
        "stopped",
        State.COMPLETED,
        "stopped",
    )


def test_who_was_set_aside_goes_on_when_their_process_drains(shop: Shop) -> None:
    process = make_process(shop)
    one = enrol(shop)
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    Engine().run_once()
    one.refresh_from_db()
    assert one.state == State.PAUSED

    actions.set_status(process, "draining", actor=SYSTEM, now=NOW)

    one.refresh_from_db()
    assert (one.state, one.run_at is not None) == (State.READY, True)


def test_the_worker_ends_those_whom_a_stop_did_not_reach(shop: Shop) -> None:
    make_process(shop)
    one = enrol(shop)
    Process.objects.update(status="stopped")

    assert [actions.finish_stops(NOW), actions.finish_stops(NOW)] == [1, 0]
    one.refresh_from_db()
    assert one.state == State.CANCELLED


def test_of_very_many_the_worker_lets_go_on_whom_the_switch_did_not_reach(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "CHUNK", 2)
    monkeypatch.setattr(actions, "CHUNKS_AT_ONCE", 1)
    process = make_process(shop)
    inside = [enrol(shop) for _ in range(5)]
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    Enrolment.objects.update(state=State.PAUSED, run_at=None)
    assert actions.finish_resumes(NOW) == 0

    actions.set_status(process, "live", actor=SYSTEM, now=NOW)
    assert Enrolment.objects.filter(state=State.READY).count() == 2
    assert [actions.finish_resumes(NOW) for _ in range(3)] == [2, 1, 0]

    begin = dict(Enrolment.objects.filter(state=State.READY).values_list("id", "run_at"))
    assert begin == {one.pk: NOW + timedelta(seconds=one.pk % 600) for one in inside}


def test_every_switch_is_in_the_log_with_who_and_when(shop: Shop) -> None:
    process = make_process(shop)
    clerk = Actor("person", 7)

    for to in ("paused", "draining", "stopped"):
        actions.set_status(process, to, actor=clerk, now=NOW)

    lines = Activity.objects.filter(verb="processes.process.status_changed").order_by("id")
    assert [(line.details["to"], line.actor_id, line.at) for line in lines] == [
        ("paused", 7, NOW),
        ("draining", 7, NOW),
        ("stopped", 7, NOW),
    ]


@pytest.mark.parametrize("has_worker", [True, False])
def test_a_stop_that_was_cut_off_revives_nobody_later(shop: Shop, *, has_worker: bool) -> None:
    process = make_process(shop)
    one = enrol(shop)
    Process.objects.update(status="stopped")  # the program was killed between the word and the deed
    if has_worker:
        Engine().run_once()

    actions.set_status(process, "live", actor=SYSTEM, now=NOW)

    one.refresh_from_db()
    assert one.state == State.CANCELLED


def test_going_live_lets_test_processes_run_and_keeps_the_first_instant() -> None:
    set_clock(NOW)
    shop = make_shop(live_since=None)
    actions.install_shipped(shop, now=NOW)

    actions.go_live(shop, actor=SYSTEM, now=NOW)
    actions.go_live(shop, actor=SYSTEM, now=NOW + DAY)

    shop.refresh_from_db()
    assert shop.live_since == NOW
    assert {(p.status, p.live_since) for p in Process.objects.all()} == {("live", NOW)}


def test_who_entered_before_going_live_never_gets_anything() -> None:
    set_clock(NOW)
    shop = make_shop(live_since=None)
    make_process(shop)
    enrol(shop)
    actions.go_live(shop, actor=SYSTEM, now=NOW)
    Engine().run_once()
    pass_time(DAY + HOUR)
    Engine().run_once()

    assert [m.is_test for m in Message.objects.all()] == [True]
