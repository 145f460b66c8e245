"""Entries by news: a payment that fails or comes in, the end of another process, and being put into one (J3, J8, G6)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.orders.events import OrderPlaced
from recoup.payments.actions import record_payment
from recoup.payments.events import PaymentFailed, PaymentReceived
from recoup.payments.models import Attempt, AttemptChange
from recoup.processes import actions, handlers
from recoup.processes.backtest.running import Plan, run_backtest
from recoup.processes.engine.codes import Code, Refusal, SubjectKind
from recoup.processes.engine.entry import LONGEST_CHAIN
from recoup.processes.entering import Arrival, enrol, enrol_cases
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.validation import load_process
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process, StepLog, TurnedAway
from recoup.processes.versions import graph_of
from recoup.shops.models import Shop
from recoup.shops.snapshots import AttemptState, FailureClass, PaymentSnapshot
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.processes.worlds import SEND_TWICE, document

pytestmark = pytest.mark.django_db
END: dict[str, Any] = {"n1": {"t": "end"}}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop(live_since=NOW - 60 * DAY)


def work() -> None:
    for _ in range(200):
        if not outbox.dispatch() and not Engine().run_once():
            return
    raise AssertionError("it never ends")


def failed(order: Any, at: Any = NOW) -> PaymentFailed:
    return PaymentFailed(order.shop_id, order.pk, 1, at)


def entered(process: Process) -> list[int]:
    return list(Enrolment.objects.filter(process=process).order_by("id").values_list("subject_id", flat=True))


def test_a_failed_payment_lets_in_by_its_cause_and_an_untold_cause_is_none_of_them(shop: Shop) -> None:
    soft = make_process(shop, entry={"on": "payment.failed", "failures": ["soft", "auth"]}, nodes=END)
    unknown = make_process(shop, entry={"on": "payment.failed", "failures": ["unknown"]}, nodes=END)
    every = make_process(shop, entry={"on": "payment.failed"}, nodes=END)
    orders = [
        make_order(shop, failure_class=cause, failed_at=NOW) for cause in ("soft", "hard", "", "unknown")
    ]

    handlers.enrol_failed([failed(order) for order in orders])

    numbers = [order.pk for order in orders]
    assert entered(soft) == numbers[:1]
    assert entered(unknown) == numbers[2:]
    assert entered(every) == numbers


def test_who_tries_again_at_once_comes_by_the_cause_of_the_payment_that_failed(shop: Shop) -> None:
    soft = make_process(shop, entry={"on": "payment.failed", "failures": ["soft"]}, nodes=END)
    order = make_order(shop)
    hard = PaymentSnapshot(
        "p0", AttemptState.FAILED, order.total, order.currency, NOW - HOUR, failure_class=FailureClass.HARD
    )
    told = [
        hard,
        replace(hard, ref="p1", at=NOW, failure_class=FailureClass.SOFT),
        replace(hard, ref="p2", at=NOW + MINUTE, state=AttemptState.PENDING),
    ]
    for payment in told:
        record_payment(order, payment, now=NOW + MINUTE)

    work()

    assert entered(soft) == [order.pk]
    assert list(TurnedAway.objects.values_list("code", "at")) == [(Refusal.CAUSE, NOW - HOUR)]


@pytest.mark.parametrize(
    "values",
    [
        {"is_test": True},
        {"is_backfill": True},
        {"contact": None},
        {"placed_at": NOW - 61 * DAY},
        {"paid_at": NOW},
    ],
)
def test_a_failure_of_orders_that_are_none_of_ours_or_paid_lets_nobody_in(
    shop: Shop, values: dict[str, Any]
) -> None:
    process = make_process(shop, entry={"on": "payment.failed"}, nodes=END)

    handlers.enrol_failed([failed(make_order(shop, **{"failure_class": "soft", **values}))])

    assert entered(process) == []


@pytest.mark.parametrize(("reentry", "count"), [("per_subject", 1), ("every_event", 2)])
def test_each_failure_is_an_event_of_its_own_and_the_same_one_heard_twice_is_not(
    shop: Shop, reentry: str, count: int
) -> None:
    process = make_process(shop, entry={"on": "payment.failed", "reentry": reentry}, nodes=END)
    order = make_order(shop, failure_class="soft")

    for at in (NOW - HOUR, NOW, NOW):
        handlers.enrol_failed([failed(order, at)])

    assert len(entered(process)) == count


def test_who_pays_enters_what_begins_with_it_also_at_once_and_old_payments_do_not(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "order.paid"}, goals=[], nodes=END)
    at_once = make_order(shop, placed_at=NOW, paid_at=NOW, paid_learnt_at=NOW)
    owed = make_order(shop)
    old = make_order(shop, is_backfill=True, paid_at=NOW - 9 * DAY)
    news = [PaymentReceived(shop.pk, order.pk, NOW, NOW) for order in (at_once, owed, old)]

    handlers.enrol_paid([*news, news[0]])
    handlers.enrol_paid(news)

    assert entered(process) == [at_once.pk]
    assert Enrolment.objects.get().entered_at == NOW


def test_switching_on_lets_nobody_in_who_paid_before(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "order.paid"}, goals=[], nodes=END, status="stopped")
    order = make_order(shop, paid_at=NOW, paid_learnt_at=NOW)
    handlers.enrol_paid([PaymentReceived(shop.pk, order.pk, NOW, NOW)])

    actions.set_status(process, "live", actor=SYSTEM, now=NOW)
    work()

    assert entered(process) == []


def test_a_paid_order_is_thanked_and_never_reminded(shop: Shop) -> None:
    thanks = {
        "n1": {"t": "send", "template": "x", "purpose": "thanks", "out": {"done": "n2"}},
        "n2": {"t": "end"},
    }
    entry = {"on": "order.paid", "first": "n1"}

    load_process(document(thanks, entry=entry, goals=[]))
    for changes, code in (
        ({"goals": [{"on": "order.paid"}], "nodes": thanks}, "goal_is_entry"),
        ({"goals": [], "nodes": dict(SEND_TWICE)}, "reminder_after_payment"),
    ):
        with pytest.raises(InvalidProcess) as refused:
            load_process(document(thanks, entry=entry) | changes)
        assert {problem.code for problem in refused.value.problems} == {code}


def test_an_order_that_got_the_product_later_is_looked_at_as_it_was_placed(shop: Shop) -> None:
    process = make_process(
        shop,
        entry={"on": "order.placed", "if": {"f": "order.products", "op": "has_any", "v": ["seat"]}},
        nodes=END,
    )
    order = make_order(shop, placed_at=NOW, product_refs=["wax"])
    handlers.enrol_buyers([OrderPlaced(shop.pk, order.pk, NOW)])

    assert entered(process) == []
    assert TurnedAway.objects.get().code == Refusal.CONDITION


def run_first(shop: Shop, first: Process, **order: Any) -> Any:
    subject = make_order(shop, status="unpaid", **order)
    enrol_cases([opened(make_case(subject))])
    work()
    return subject


def test_the_end_of_a_process_lets_into_the_next_with_the_same_order(shop: Shop) -> None:
    first = make_process(shop, nodes=END)
    by_end = make_process(
        shop, entry={"on": "process.ended", "about": "order", "process": first.pk}, nodes=END
    )
    about_person = make_process(
        shop,
        entry={"on": "process.ended", "process": first.pk, "outcomes": ["completed"]},
        goals=[],
        nodes=END,
    )
    by_goal = make_process(
        shop,
        entry={"on": "process.ended", "about": "order", "process": first.pk, "outcomes": ["goal_paid"]},
        nodes=END,
    )
    of_another = make_process(
        shop, entry={"on": "process.ended", "about": "order", "process": by_goal.pk}, nodes=END
    )

    order = run_first(shop, first)

    assert [entered(one) for one in (by_end, about_person, by_goal, of_another)] == [
        [order.pk], [order.contact_id], [], [],
    ]  # fmt: skip


def test_who_was_stopped_has_come_to_no_end(shop: Shop) -> None:
    wait = {"n1": {"t": "wait", "for": "P9D", "out": {"next": "n2"}}, "n2": {"t": "end"}}
    first = make_process(shop, nodes=wait)
    following = make_process(
        shop, entry={"on": "process.ended", "about": "order", "process": first.pk}, nodes=END
    )
    run_first(shop, first)

    actions.set_status(first, "stopped", actor=SYSTEM, now=NOW)
    work()

    assert entered(following) == []


def test_who_went_through_in_test_mode_goes_on_in_it(shop: Shop) -> None:
    first = make_process(shop, nodes=END, status="test")
    following = make_process(
        shop, entry={"on": "process.ended", "about": "order", "process": first.pk}, nodes=END
    )

    run_first(shop, first)

    assert [one.flags & 2 for one in Enrolment.objects.filter(process=following)] == [2]


def test_two_processes_that_begin_with_each_others_end_come_to_an_end(shop: Shop) -> None:
    ping = make_process(shop, entry={"on": "manual", "reentry": "every_event"}, goals=[], nodes=END)
    pong = make_process(
        shop, entry={"on": "process.ended", "process": ping.pk, "reentry": "every_event"}, goals=[], nodes=END
    )
    back = {
        "n1": {"t": "enrol", "process": ping.pk, "out": {"next": "n2"}},
        "n2": {"t": "end"},
    }
    make_process(
        shop,
        entry={"on": "process.ended", "process": pong.pk, "reentry": "every_event"},
        goals=[],
        nodes=back,
    )
    anna = make_contact(shop)

    enrol([Arrival("manual", shop.pk, anna.pk, "contact", anna.pk, NOW, process_id=ping.pk)])
    work()

    assert Enrolment.objects.count() == LONGEST_CHAIN + 1
    assert TurnedAway.objects.filter(code=Refusal.CHAIN).count() == 1


def test_the_block_puts_into_another_process_and_says_who_was_not_let_in(shop: Shop) -> None:
    target = make_process(shop, entry={"on": "manual", "reentry": "once_per_contact"}, goals=[], nodes=END)
    nodes = {
        "n1": {"t": "enrol", "process": target.pk, "out": {"next": "n2"}},
        "n2": {"t": "enrol", "process": target.pk, "out": {"next": "n3"}},
        "n3": {"t": "enrol", "process": 99_999, "out": {"next": "n4"}},
        "n4": {"t": "end"},
    }
    source = make_process(shop, nodes=nodes)

    order = run_first(shop, source)

    first = Enrolment.objects.get(process=source)
    lines = (
        StepLog.objects.filter(enrolment_id=first.pk).order_by("step_no").values_list("outcome", flat=True)
    )
    assert list(lines) == [
        Code.ENROLLED, Code.SKIPPED_NOT_ENROLLED, Code.SKIPPED_NOT_ENROLLED, Code.COMPLETED,
    ]  # fmt: skip
    assert entered(target) == [order.contact_id]
    assert Enrolment.objects.get(process=target).variables == {"chain": 1}


def test_the_control_group_is_put_nowhere_and_a_stopped_process_takes_nobody(shop: Shop) -> None:
    target = make_process(shop, entry={"on": "manual"}, goals=[], nodes=END)
    stopped = make_process(shop, entry={"on": "manual"}, goals=[], nodes=END, status="stopped")
    nodes = {
        "n1": {"t": "enrol", "process": target.pk, "out": {"next": "n2"}},
        "n2": {"t": "enrol", "process": stopped.pk, "out": {"next": "n3"}},
        "n3": {"t": "end"},
    }
    run_first(shop, make_process(shop, nodes=nodes, holdout_bp=9_999))

    assert (entered(target), entered(stopped)) == ([], [])


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"on": "order.unpaid", "failures": ["soft"]}, "entry_and_failures"),
        ({"on": "process.ended"}, "entry_and_process"),
        ({"on": "order.unpaid", "process": 7}, "entry_and_process"),
        ({"on": "payment.failed", "outcomes": ["completed"]}, "entry_and_process"),
        ({"on": "tag.set"}, "entry_and_tags"),
    ],
)
def test_what_an_entry_does_not_know_is_refused(entry: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidProcess) as refused:
        load_process(document(END, entry={"first": "n1", **entry}))

    assert [problem.code for problem in refused.value.problems] == [code]


def test_processes_that_are_not_there_or_are_about_something_else_are_refused() -> None:
    nodes = {"n1": {"t": "enrol", "process": 5, "out": {"next": "n2"}}, "n2": {"t": "end"}}
    raw = document(nodes)

    load_process(raw, None, {5: SubjectKind.CONTACT})
    load_process(raw, None, {5: SubjectKind.ORDER})
    for known, code in (({}, "unknown_process"), ({5: SubjectKind.CART}, "process_of_other_subject")):
        with pytest.raises(InvalidProcess) as refused:
            load_process(raw, None, known)
        assert [(one.path, one.code) for one in refused.value.problems] == [("nodes.n1.process", code)]


def tried(process: Process) -> Any:
    version_id = process.current_version_id or 0
    return run_backtest(
        Plan(
            shop_id=process.shop_id,
            process_id=process.pk,
            version_id=version_id,
            graph=graph_of(version_id),
            holdout_bp=0,
            since=NOW - 30 * DAY,
            until=NOW,
            now=NOW,
        )
    )


def fail(order: Any, cause: str, at: Any) -> None:
    attempt = Attempt(
        shop=order.shop, order=order, ref=f"{at}", state="failed", amount=order.total, currency=order.currency,
        failure_class=cause, created_at=at, settled_at=at, learnt_at=at,
    )  # fmt: skip
    attempt.save(force_insert=True)
    AttemptChange(
        shop=order.shop, attempt=attempt, state="failed", was_applied=True, became_true_at=at, learnt_at=at
    ).save(force_insert=True)


def test_payments_and_failures_of_the_past_are_tried(shop: Shop) -> None:
    paid = make_order(shop, placed_at=NOW - 9 * DAY, paid_at=NOW - 8 * DAY, paid_learnt_at=NOW - 8 * DAY)
    owed = make_order(shop, placed_at=NOW - 9 * DAY)
    for order, cause in ((paid, "soft"), (owed, "hard")):
        fail(order, cause, NOW - 8 * DAY - HOUR)
    fail(paid, "soft", NOW - 7 * DAY)  # after the payment
    by_payment = tried(make_process(shop, entry={"on": "order.paid"}, goals=[], nodes=END))
    by_failure = tried(make_process(shop, entry={"on": "payment.failed", "failures": ["soft"]}, nodes=END))

    assert (by_payment.entered, by_payment.turned_away) == (1, {"not_paid": 1})
    assert (by_failure.entered, by_failure.turned_away) == (1, {"no_failure": 1})


BY_CAUSE: dict[str, Any] = {
    "n1": {
        "t": "if",
        "if": {"f": "order.cause", "op": "in", "v": ["soft", "technical"]},
        "out": {"yes": "n2", "no": "n3"},
    },
    "n2": {"t": "order_status", "to": "in_work", "out": {"next": "n3"}},
    "n3": {"t": "end"},
}


@pytest.mark.parametrize(
    ("cause", "answer"), [("soft", Code.YES), ("technical", Code.YES), ("hard", Code.NO), ("", Code.NO)]
)
def test_a_process_asks_why_the_payment_failed_before_there_is_a_case(
    shop: Shop, cause: str, answer: Code
) -> None:
    process = make_process(shop, entry={"on": "payment.failed"}, nodes=BY_CAUSE)
    order = make_order(shop, failure_class=cause, failed_at=NOW)

    handlers.enrol_failed([failed(order)])
    work()

    line = StepLog.objects.filter(enrolment_id=Enrolment.objects.get(process=process).pk).earliest("step_no")
    assert Code(line.outcome) is answer


def test_the_past_tells_why_a_payment_failed_as_life_does(shop: Shop) -> None:
    order = make_order(shop, placed_at=NOW - 9 * DAY)
    fail(order, "technical", NOW - 8 * DAY)

    result = tried(make_process(shop, entry={"on": "payment.failed"}, nodes=BY_CAUSE))

    (asked,) = [block for block in result.blocks if block.node == "n1"]
    assert asked.outcomes == {int(Code.YES): 1}
