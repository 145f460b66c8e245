"""Those inside are moved to a new version as a person chose: each once, nobody lost (engine 11)."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM, Actor
from recoup.core.models import Activity, Installation
from recoup.messaging.models import Message
from recoup.processes import actions
from recoup.processes.engine.codes import Code, State
from recoup.processes.entering import enrol_cases
from recoup.processes.facts import enrolment_of
from recoup.processes.graph.reading import read_document
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process, StepLog, VersionMove
from recoup.processes.moving import moves
from recoup.processes.moving.moves import request_move, run_waiting
from recoup.processes.moving.plan import Choice, Plan, PlanRefused, apply_rule, rules_of, to_block
from recoup.processes.store_sql import facts_sql
from recoup.processes.versions import graph_of
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
ANNA = Actor("person", 7)
LONGER: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT48H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "other", "out": {"done": "n4"}},
    "n4": {"t": "end"},
}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop()


def enrol(shop: Shop, count: int = 1) -> list[int]:
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW))) for _ in range(count)])
    Engine().run_once()
    return sorted(Enrolment.objects.order_by("-id").values_list("id", flat=True)[:count])


def pass_time(by: timedelta) -> None:
    Installation.objects.update(trade_offset=F("trade_offset") + by)


def publish(process: Process, nodes: dict[str, Any], **changes: Any) -> int:
    document = {
        "schema": 1,
        "name": process.name,
        "entry": {"on": "order.unpaid", "first": "n1"},
        "goals": [{"on": "order.paid"}],
        "nodes": nodes,
    } | changes
    return actions.publish(process, read_document(document), actor=SYSTEM, now=NOW).pk


def move(process: Process, *, recomputes: bool = False, **choices: str) -> VersionMove | None:
    return request_move(process, Plan(choices, recomputes), actor=ANNA, now=NOW)


def work() -> None:
    for _ in range(20):
        run_waiting()


def place(one: int) -> tuple[int, int, datetime | None]:
    enrolment = Enrolment.objects.get(pk=one)
    return enrolment.version.number, enrolment.node, enrolment.due_at


def ledger(one: int) -> list[tuple[int, int, int | None]]:
    return list(
        StepLog.objects.filter(enrolment_id=one).order_by("step_no").values_list("outcome", "node", "arm")
    )


def test_who_is_moved_stands_at_the_same_block_with_the_same_instant(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    publish(process, LONGER)

    asked = move(process, n1=Choice.SAME)
    work()

    assert asked is not None
    asked.refresh_from_db()
    assert (asked.state, asked.whole, asked.moved, asked.ended) == ("done", 1, 1, 0)
    assert place(one) == (2, 1, NOW + DAY)
    assert ledger(one) == [(Code.MIGRATED, 1, 1)]
    pass_time(DAY + HOUR)
    Engine().run_once()
    assert [(m.node, m.due_at) for m in Message.objects.all()] == [("n2", NOW + DAY)]


def test_an_instant_is_worked_out_again_from_when_the_block_was_reached(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    publish(process, LONGER)
    pass_time(HOUR)

    move(process, n1=Choice.SAME, recomputes=True)
    work()
    Engine().run_once()

    assert place(one) == (2, 1, NOW + 2 * DAY)


def test_who_stays_stays_and_who_has_to_leave_ends_with_their_messages_called_off(shop: Shop) -> None:
    process = make_process(shop)
    waiting, staying = enrol(shop, 2)
    Enrolment.objects.filter(pk=staying).update(due_at=NOW + 3 * DAY, run_at=NOW + 3 * DAY)
    pass_time(DAY + HOUR)
    Engine().run_once()
    publish(process, LONGER)

    move(process, n2=Choice.EXIT, n1=Choice.STAY)
    work()

    assert place(staying)[0] == 1
    assert Enrolment.objects.get(pk=waiting).state == State.CANCELLED
    assert ledger(waiting)[-1] == (Code.STOPPED_MIGRATED, 2, None)
    assert [(m.enrolment_id, m.state) for m in Message.objects.all()] == [(waiting, "cancelled")]


def test_a_message_that_was_queued_on_the_old_version_stays_what_it_is(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    pass_time(DAY + HOUR)
    Engine().run_once()
    publish(process, LONGER)

    move(process, n2=Choice.SAME)
    work()
    Message.objects.update(state="sent", settled_at=NOW + DAY, handed_at=NOW + DAY)
    Enrolment.objects.update(run_at=NOW)
    Engine().run_once()

    assert Message.objects.count() == 1
    assert Enrolment.objects.get(pk=one).state == State.COMPLETED
    assert ledger(one) == [(Code.QUEUED, 2, None), (Code.MIGRATED, 2, 1), (Code.COMPLETED, 4, None)]


def test_who_is_sent_to_another_block_reaches_it_now_and_leaves_no_message_behind(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    pass_time(DAY + HOUR)
    Engine().run_once()
    publish(
        process,
        {
            **LONGER,
            "n2": LONGER["n2"] | {"out": {"done": "n5"}},
            "n5": {"t": "wait", "for": "PT2H", "out": {"next": "n4"}},
        },
    )

    move(process, n2=to_block("n5"))
    work()
    Engine().run_once()

    version, node, due_at = place(one)
    assert (version, node) == (2, 5)
    assert due_at is not None
    assert NOW + DAY + 3 * HOUR <= due_at < NOW + DAY + 4 * HOUR
    assert [(m.state, m.reason) for m in Message.objects.all()] == [("cancelled", "ended")]


def test_hold_out_goals_taken_and_rounds_survive_a_move(shop: Shop) -> None:
    goals = [{"on": "order.cancelled"}, {"on": "order.paid"}]
    process = make_process(shop, goals=[{"on": "order.paid"}, {"on": "order.cancelled"}])
    [one] = enrol(shop)
    Enrolment.objects.update(flags=1 | 16, variables={"9": 2})
    publish(process, LONGER, goals=goals)

    move(process, n1=Choice.SAME)
    work()

    after = Enrolment.objects.get(pk=one)
    assert (after.flags, after.variables) == (1 | 32, {"9": 2})


def test_who_is_set_aside_stays_set_aside_until_the_process_goes_on(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    pass_time(DAY + HOUR)
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    Engine().run_once()
    publish(process, LONGER)

    move(process, n1=Choice.SAME, recomputes=True)
    work()

    after = Enrolment.objects.get(pk=one)
    assert (after.version.number, after.state, after.run_at) == (2, State.PAUSED, None)
    actions.set_status(process, "live", actor=SYSTEM, now=NOW + DAY)
    Enrolment.objects.update(run_at=NOW)
    Engine().run_once()
    assert place(one) == (2, 1, NOW + 2 * DAY)


def test_a_move_goes_on_where_its_last_chunk_ended(shop: Shop) -> None:
    process = make_process(shop)
    ids = enrol(shop, 3)
    publish(process, LONGER)
    asked = move(process, n1=Choice.SAME)
    olds = moves.versions_left(process, asked.version_id if asked else 0)
    rules = rules_of(Plan({"n1": Choice.SAME}), olds, graph_of(asked.version_id if asked else 0))
    assert asked is not None

    first = moves.move_some(asked, rules, NOW, limit=2)
    asked.cursor = first.last_key + 1
    second = moves.move_some(asked, rules, NOW, limit=2)

    assert (first.picked, first.moved, second.picked, second.moved) == (2, 2, 1, 1)
    assert sorted(place(one)[0] for one in ids) == [2, 2, 2]
    assert [len(ledger(one)) for one in ids] == [1, 1, 1]


def test_a_worker_that_is_killed_in_a_chunk_leaves_everything_as_it_was(shop: Shop) -> None:
    process = make_process(shop)
    ids = enrol(shop, 3)
    publish(process, LONGER)
    asked = move(process, n1=Choice.SAME)
    assert asked is not None

    with transaction.atomic():
        run_waiting()
        transaction.set_rollback(True)

    asked.refresh_from_db()
    assert (asked.state, asked.moved, {place(one)[0] for one in ids}) == ("waiting", 0, {1})
    work()
    assert [ledger(one) for one in ids] == [[(Code.MIGRATED, 1, 1)]] * 3


def test_a_new_plan_ends_the_one_before_and_nobody_is_moved_by_both(shop: Shop) -> None:
    process = make_process(shop)
    [one] = enrol(shop)
    publish(process, LONGER)
    first = move(process, n1=Choice.SAME)
    publish(process, LONGER | {"n1": LONGER["n1"] | {"for": "PT72H"}})

    second = move(process, n1=Choice.SAME)
    work()

    assert first is not None
    assert second is not None
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, first.moved, second.state, second.moved) == ("cancelled", 0, "done", 1)
    assert (place(one)[0], ledger(one)) == (3, [(Code.MIGRATED, 1, 1)])


def test_a_plan_that_moves_nobody_makes_no_move(shop: Shop) -> None:
    process = make_process(shop)
    publish(process, LONGER)
    assert [move(process, n1=Choice.SAME), move(process, n1=Choice.STAY)] == [None, None]


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"n1": "to:n9"}, "lost_block"),
        ({"n3": "same"}, "lost_block"),
        ({"n8": "same"}, "unknown_block"),
        ({"n1": "dance"}, "unknown_choice"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(shop: Shop, choices: dict[str, str], code: str) -> None:
    process = make_process(shop)
    enrol(shop)
    publish(process, LONGER)

    with pytest.raises(PlanRefused) as refused:
        request_move(process, Plan(choices), actor=ANNA, now=NOW)

    assert (refused.value.code, VersionMove.objects.count()) == (code, 0)


def test_a_process_about_carts_takes_nobody_who_is_in_it_with_an_order(shop: Shop) -> None:
    process = make_process(shop)
    enrol(shop)
    entry = {"on": "cart.abandoned", "first": "n1"}
    publish(process, LONGER, entry=entry, goals=[{"on": "cart.converted"}])

    with pytest.raises(PlanRefused) as refused:
        move(process, n1=Choice.SAME)

    assert refused.value.code == "other_subject"


def test_asking_and_ending_a_move_is_in_the_log(shop: Shop) -> None:
    process = make_process(shop)
    enrol(shop, 2)
    publish(process, LONGER)
    asked = move(process, n1=Choice.SAME)
    assert asked is not None

    assert [moves.cancel_move(asked, actor=ANNA, now=NOW) for _ in range(2)] == [True, False]

    lines = Activity.objects.filter(verb__startswith="processes.process.move").order_by("id")
    assert [(line.verb, line.actor_id, line.details) for line in lines] == [
        ("processes.process.move_asked", 7, {"people": 2}),
        ("processes.process.move_cancelled", 7, {}),
    ]
    assert run_waiting() == 0


def test_the_statement_does_what_the_look_ahead_does(shop: Shop) -> None:
    """Everything about an enrolment that a rule may read, by chance: SQL and Python agree on every column."""
    chance = random.Random(5)
    old: dict[str, Any] = {
        "n1": {"t": "wait", "for": "PT24H", "max_rounds": 3, "out": {"next": "n2", "over": "n3"}},
        "n2": {"t": "send", "template": "first", "out": {"done": "n4"}},
        "n3": {"t": "end"},
        "n4": {"t": "wait", "for": "PT1H", "out": {"next": "n3"}},
    }
    new = old | {
        "n1": old["n1"] | {"for": "PT30H"},
        "n4": {"t": "end"},
        "n5": {"t": "tag", "add": ["a"], "out": {"next": "n6"}},
        "n6": {"t": "send", "template": "other", "out": {"done": "n7"}},
        "n7": {"t": "tag", "add": ["b"], "out": {"next": "n1"}},
    }
    entry = {"on": "order.unpaid", "first": "n5"}
    process = make_process(shop, nodes=old, goals=[{"on": "order.paid"}, {"on": "order.cancelled"}])
    enrol(shop, 60)
    for one in Enrolment.objects.all():
        state = chance.choice([1, 2, 3])
        node = chance.choice([1, 2])
        due_at = chance.choice([None, NOW + HOUR, NOW - HOUR])
        Enrolment.objects.filter(pk=one.pk).update(
            state=state,
            node=node,
            due_at=due_at,
            run_at=None if state == 3 else chance.choice([NOW + HOUR, NOW - HOUR]),
            node_at=NOW + chance.choice([-2, 2]) * HOUR,
            flags=chance.choice([0, 4, 8, 12, 1, 2, 8192, 8196]) | chance.choice([0, 16, 32, 48]),
            variables=chance.choice(
                [
                    None,
                    {"1": 2},
                    {"1": 0},
                    {"5": 1},
                    {"back": 1, "back_at": 5},
                    {"chain": 1, "back": 1, "back_at": 5, "back_due": 6, "back_flag": 4},
                    {"1": 2, "back": 1, "back_at": 5, "back_due": 6},
                    {"back": 4, "back_at": 5, "back_due": 6, "back_step": 1, "back_flag": 8},
                ]
            ),
            last_message_step=chance.choice([None, 1]),
            attempt=chance.choice([0, 3]),
        )
    goals = chance.sample([{"on": "order.cancelled"}, {"on": "order.paid"}, {"on": "case.closed"}], 3)
    publish(process, new, goals=goals, entry=entry)
    process.refresh_from_db()
    numbers = process.current_version.node_map if process.current_version else {}
    had = {one.pk: {numbers[chance.choice(["n5", "n6", "n7"])]} for one in Enrolment.objects.all()[::2]}
    for key, nodes in had.items():
        StepLog.objects.create(
            enrolment_id=key, step_no=900, shop_id=shop.pk, version_id=1, node=min(nodes), outcome=Code.TAGGED, at=NOW,
            done_at=NOW,
        )  # fmt: skip
    target = process.current_version_id or 0
    with connection.cursor() as cursor:
        cursor.execute(facts_sql("e.process_id = %s ORDER BY e.id"), [process.pk])
        before = [enrolment_of(row) for row in cursor.fetchall()]

    for choices, recomputes in (
        ({"n1": "same", "n2": "same"}, False),
        ({"n1": "same", "n2": "to:n1"}, True),
        ({"n1": "to:n2", "n2": "to:n4"}, False),
        ({"n1": "also:n7+n5", "n2": "also:n6"}, False),
        ({"n1": "also:n5+n6+n7", "n2": "also:n5+n7"}, True),
    ):
        with transaction.atomic():
            asked = request_move(process, Plan(choices, recomputes), actor=ANNA, now=NOW)
            assert asked is not None
            rules = rules_of(
                Plan(choices, recomputes), moves.versions_left(process, target), graph_of(target)
            )
            moves.move_some(asked, rules, NOW)
            with connection.cursor() as cursor:
                cursor.execute(facts_sql("e.process_id = %s ORDER BY e.id"), [process.pk])
                after = [enrolment_of(row) for row in cursor.fetchall()]
            of_node = {rule.node: rule for rule in rules}
            expected = [
                apply_rule(one, of_node[one.node], target, NOW, had=had.get(one.id, ())) for one in before
            ]
            assert after == [outcome.enrolment for outcome in expected]
            lines = StepLog.objects.filter(outcome=Code.MIGRATED).order_by("enrolment_id")
            assert [(line.step_no, line.node, line.at, line.arm) for line in lines] == [
                (o.steps[0].step_no, o.steps[0].node, o.steps[0].at, o.steps[0].arm) for o in expected
            ]
            transaction.set_rollback(True)
