"""Tasks of the desk: made once, done once, called off with their reason, and the next one always known."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.core import outbox
from recoup.core.activity import SYSTEM, Actor
from recoup.core.models import Activity
from recoup.customers.merging import merge_contacts
from recoup.desk.actions import (
    NotAColleague,
    TaskClosed,
    TaskOrder,
    cancel_of_enrolments,
    cancel_of_paid,
    cancel_task,
    finish_task,
    make_tasks,
    reassign_task,
)
from recoup.desk.models import Task
from recoup.desk.queries import TaskFilter, count_due, list_tasks, next_task, tasks_about
from recoup.desk.titles import fill
from recoup.flow import ROUTES
from recoup.payments.events import PaymentReceived
from recoup.processes import actions
from recoup.processes.engine.codes import Code, State
from recoup.processes.entering import enrol_cases
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, StepLog
from recoup.shops.models import Membership, Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.support.together import together
from tests.web.world import make_person

pytestmark = pytest.mark.django_db
ASK: dict[str, Any] = {"t": "task", "title": "Call {first_name} about {order}: {sum}", "due": "P1D"}
GO_ON = {"n1": {**ASK, "out": {"done": "n2"}}, "n2": {"t": "end"}}
WAITING = {
    "n1": {**ASK, "within": "P2D", "out": {"done": "n2", "timeout": "n3"}},
    "n2": {"t": "end"},
    "n3": {"t": "end"},
}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop(time_zone="Europe/Warsaw")


def work() -> None:
    for _ in range(100):
        if not outbox.dispatch() and not Engine().run_once():
            return


def run(shop: Shop, nodes: dict[str, Any], **process: Any) -> Any:
    make_process(shop, nodes=nodes, **process)
    order = make_order(shop, status="unpaid", number="1044", total="99.50", currency="PLN")
    enrol_cases([opened(make_case(order, opened_at=NOW))])
    work()
    return order


def outcomes() -> list[int]:
    return list(StepLog.objects.order_by("enrolment_id", "step_no").values_list("outcome", flat=True))


def order_for(shop: Shop, **values: Any) -> TaskOrder:
    contact = values.pop("contact", None) or make_contact(shop)
    return TaskOrder(**{
        "shop_id": shop.pk, "process_id": 1, "enrolment_id": 1, "step_no": 1, "node": 1, "contact_id": contact.pk,
        "title": "Call {customer}", "due_at": NOW + DAY, **values,
    })  # fmt: skip


def made(shop: Shop, **values: Any) -> Task:
    make_tasks([order_for(shop, **values)], now=NOW)
    return Task.objects.latest("id")


def test_a_process_gives_a_task_with_its_words_filled_in(shop: Shop) -> None:
    order = run(shop, GO_ON)

    task = Task.objects.get()
    assert task.title == "Call Anna about 1044: 99.50 PLN"
    assert (task.order_id, task.contact_id, task.due_at) == (order.pk, order.contact_id, NOW + DAY)
    assert outcomes() == [Code.TASK_MADE, Code.COMPLETED]


def test_a_killed_batch_makes_no_task_and_the_next_one_makes_it_once(shop: Shop) -> None:
    one = order_for(shop)

    make_tasks([one], now=NOW)
    make_tasks([one], now=NOW)

    assert Task.objects.count() == 1


def test_what_is_done_lets_the_process_go_on(shop: Shop) -> None:
    run(shop, WAITING)
    set_clock(NOW + 3 * HOUR)

    finish_task(Task.objects.get(), result=" Pays on Friday. ", actor=Actor("person", 7), now=NOW + 3 * HOUR)
    work()

    task = Task.objects.get()
    assert (task.state, task.result, task.closed_by) == ("done", "Pays on Friday.", 7)
    assert outcomes() == [Code.TASK_MADE, Code.TASK_DONE, Code.COMPLETED]
    assert Activity.objects.filter(verb="desk.task.done", subject_kind="order").count() == 1


def test_what_is_called_off_or_too_late_takes_the_other_way(shop: Shop) -> None:
    run(shop, WAITING)
    cancel_task(Task.objects.get(), result="", actor=SYSTEM, now=NOW)
    work()
    run(make_shop(), WAITING)
    set_clock(NOW + 3 * DAY)
    work()

    assert outcomes() == [
        Code.TASK_MADE, Code.TASK_DROPPED, Code.COMPLETED, Code.TASK_MADE, Code.TASK_NOT_DONE, Code.COMPLETED,
    ]  # fmt: skip
    assert list(Task.objects.order_by("id").values_list("state", "reason")) == [
        ("cancelled", "by_hand"),
        ("open", ""),
    ]


def test_the_control_group_gives_nobody_a_task(shop: Shop) -> None:
    run(shop, GO_ON, holdout_bp=9_999)

    assert not Task.objects.exists()
    assert outcomes() == [Code.SUPPRESSED, Code.COMPLETED]


def test_a_payment_calls_off_what_was_to_be_done_about_the_order(shop: Shop) -> None:
    order = run(shop, GO_ON)
    by_hand = Task(shop=shop, title="Gift", order=order, due_at=NOW, created_at=NOW)
    by_hand.save()
    order.paid_at = order.paid_learnt_at = NOW + HOUR
    order.save()
    outbox.announce(PaymentReceived(shop.pk, order.pk, NOW + HOUR, NOW + HOUR))

    work()

    assert list(Task.objects.order_by("id").values_list("state", "reason")) == [
        ("cancelled", "paid"),
        ("open", ""),
    ]


def test_the_goal_of_a_waiting_process_and_its_stop_call_off_its_task(shop: Shop) -> None:
    order = run(shop, WAITING, goals=[{"on": "order.cancelled"}])
    order.cancelled_at = NOW
    order.save()
    Enrolment.objects.update(run_at=NOW)
    work()
    other = make_shop()
    process = make_process(other, nodes=WAITING)
    enrol_cases([opened(make_case(make_order(other, status="unpaid"), opened_at=NOW))])
    work()
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW)
    work()

    reasons = set(Task.objects.values_list("state", "reason"))
    assert reasons == {("cancelled", "goal"), ("cancelled", "stopped")}
    assert set(Enrolment.objects.values_list("state", flat=True)) == {State.EXITED, State.CANCELLED}


@pytest.mark.django_db(transaction=True)
def test_done_by_many_at_once_is_done_once() -> None:
    shop = make_shop()
    task = made(shop)

    ends = together([partial(finish_task, task, result="x", actor=SYSTEM, now=NOW)] * 6)

    assert sum(isinstance(end, Task) for end in ends) == 1
    assert sum(isinstance(end, TaskClosed) for end in ends) == 5


def test_a_task_is_handed_on_within_the_shop_alone(shop: Shop) -> None:
    ewa, stranger = make_person("ewa@lumen.example"), make_person("jan@other.example")
    Membership(shop=shop, user=ewa, role=Role.CLERK).save(force_insert=True)
    task = made(shop)

    reassign_task(task, to=ewa, actor=SYSTEM, now=NOW)
    with pytest.raises(NotAColleague):
        reassign_task(task, to=stranger, actor=SYSTEM, now=NOW)
    assert task.assignee_id == ewa.pk
    reassign_task(task, role="service", actor=SYSTEM, now=NOW)

    task.refresh_from_db()
    assert [task.assignee_id, task.role] == [None, "service"]
    assert made(shop, enrolment_id=2, person=stranger.pk).assignee_id is None
    assert made(shop, enrolment_id=3, person=ewa.pk).assignee_id == ewa.pk


def test_the_next_one_is_the_urgent_then_the_soonest_of_ones_own(shop: Shop) -> None:
    ewa = make_person("ewa@lumen.example")
    Membership(shop=shop, user=ewa, role=Role.CLERK).save(force_insert=True)
    late = made(shop, enrolment_id=1, due_at=NOW - DAY)
    urgent = made(shop, enrolment_id=2, due_at=NOW + DAY, priority=0, role="clerk")
    made(shop, enrolment_id=3, due_at=NOW - DAY, role="owner")

    first = next_task(shop, user_id=ewa.pk, role="clerk")
    second = next_task(shop, user_id=ewa.pk, role="clerk", but=urgent.pk)

    assert (first, second) == (urgent, late)
    assert count_due(shop, before=NOW).number == 2
    mine = TaskFilter(user_id=ewa.pk, role="clerk")
    assert [one.pk for one in list_tasks(shop, mine).rows] == [late.pk, urgent.pk]
    assert list_tasks(make_shop(), mine).rows == []


def test_the_tasks_of_two_who_are_one_person_are_those_of_who_stays(shop: Shop) -> None:
    kept, gone = make_contact(shop), make_contact(shop)
    made(shop, contact=gone)

    merge_contacts(kept, gone, actor=SYSTEM, now=NOW)

    assert [one.contact_id for one in tasks_about(shop, contact_id=kept.pk)] == [kept.pk]


def test_paid_orders_of_others_and_nothing_call_off_nothing(shop: Shop) -> None:
    made(shop)

    assert [cancel_of_paid([], now=NOW), cancel_of_paid([99_999], now=NOW)] == [0, 0]


@pytest.mark.parametrize(
    ("title", "filled"),
    [
        ("Call {customer}, {phone}", "Call Anna"),
        ("{phone}", "{phone}"),
        ("  Call   {customer} ", "Call Anna"),
        ("{customer} " + "x" * 300, "Anna " + "x" * 195),
    ],
)
def test_a_title_has_no_gaps_and_is_never_empty(title: str, filled: str) -> None:
    assert fill(title, {"customer": "Anna", "phone": ""}) == filled


@pytest.mark.django_db(transaction=True)
def test_a_payment_and_the_engine_take_tasks_and_enrolments_in_one_order() -> None:
    """The engine, which holds an enrolment, calls its task off while the news of the payment is heard."""
    set_clock(NOW)
    shop = make_shop()
    make_process(shop, nodes=WAITING)
    order = make_order(shop)
    enrol_cases([opened(make_case(order, opened_at=NOW))])
    Engine().run_once()
    enrolment, task = Enrolment.objects.get(), Task.objects.get()
    holds, hears = threading.Event(), threading.Event()

    def advance() -> int:
        with transaction.atomic():
            Enrolment.objects.select_for_update(no_key=True).get(pk=enrolment.pk)
            holds.set()
            assert hears.wait(10)
            time.sleep(0.3)  # until the other one waits
            return cancel_of_enrolments([enrolment.pk], reason="goal", now=NOW)

    def hear() -> None:
        assert holds.wait(10)
        with transaction.atomic():
            hears.set()
            for handler in ROUTES[PaymentReceived]:
                handler([PaymentReceived(shop.pk, order.pk, NOW, NOW)])

    assert together([advance, hear]) == [1, None]
    task.refresh_from_db()
    assert (task.state, task.reason) == ("cancelled", "goal")
