"""Whoever has passed the place of an added block does it too, once, and goes on as if nothing had been between (peer 13)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM, Actor
from recoup.desk.models import Task
from recoup.messaging.models import Message
from recoup.orders.models import Cart, Order
from recoup.processes import actions
from recoup.processes.engine.codes import Code, Flag, State
from recoup.processes.engine.nodes.until import WEIGHED_WITHIN
from recoup.processes.entering import enrol_cases
from recoup.processes.graph.document import ProcessDocument
from recoup.processes.graph.reading import read_document
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process, StepLog
from recoup.processes.moving.ahead import changed_by, look_ahead
from recoup.processes.moving.moves import request_move, run_waiting, versions_left
from recoup.processes.moving.passed import added_blocks, who_passed
from recoup.processes.moving.plan import Plan, PlanRefused, also_blocks, passed_before, to_block
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.factories.templates import make_template

pytestmark = pytest.mark.django_db
ANNA = Actor("person", 7)
OLD: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT2H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
    "n3": {
        "t": "until",
        "on": {"e": "message.opened", "ref": "n2"},
        "within": "P3D",
        "out": {"yes": "n5", "no": "n4"},
    },
    "n4": {"t": "send", "template": "second", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}
EXTRA = {"t": "send", "template": "extra", "out": {"done": "n3"}}
NEW: dict[str, Any] = OLD | {"n2": OLD["n2"] | {"out": {"done": "n9"}}, "n9": EXTRA}


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    shop = make_shop()
    for key in ("first", "second", "extra"):
        make_template(shop, key=key)
    return shop


def document(nodes: dict[str, Any], first: str = "n1") -> dict[str, Any]:
    """Return a process with these blocks."""
    entry = {"on": "order.unpaid", "first": first}
    return {"schema": 1, "name": "Gentle", "entry": entry, "goals": [{"on": "order.paid"}], "nodes": nodes}


def run(at: datetime) -> None:
    """Let the engine and the sender work until an instant; what is due is sent at once."""
    set_clock(at)
    for _ in range(3):
        Enrolment.objects.filter(run_at__isnull=False, due_at__lte=at).update(run_at=at)
        Engine().run_once()
        due = Message.objects.filter(state="due", due_at__lte=at, is_test=False)
        due.update(state="sent", settled_at=at, handed_at=at)
        Enrolment.objects.filter(node__in=[2, 4, 6, 7], run_at__isnull=False).update(run_at=at)
        Engine().run_once()


def message_under_way(shop: Shop) -> Process:
    """Return a process and somebody whose first message is queued and not sent yet."""
    process = make_process(shop, nodes=OLD)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()
    set_clock(NOW + 2 * HOUR)
    Enrolment.objects.update(run_at=NOW)
    Engine().run_once()
    return process


def waiting(shop: Shop, **values: Any) -> tuple[Process, Enrolment]:
    """Return a process and somebody who has had its first message and waits for three days whether it is opened."""
    process = make_process(shop, nodes=OLD, **values)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()
    run(NOW + 2 * HOUR)
    one = Enrolment.objects.get()
    assert (one.node, one.due_at) == (3, NOW + 2 * HOUR + 3 * DAY)
    return process, one


def publish(process: Process, nodes: dict[str, Any]) -> None:
    actions.publish(process, read_document(document(nodes)), actor=SYSTEM, now=NOW)
    process.refresh_from_db()


def move(process: Process, **choices: str) -> int:
    asked = request_move(process, Plan(choices), actor=ANNA, now=NOW + 3 * HOUR)
    while run_waiting():
        pass
    return asked.whole if asked is not None else 0


def texts() -> list[str]:
    return [
        one.template.key for one in Message.objects.order_by("id").select_related("template") if one.template
    ]


def test_who_has_passed_gets_the_added_message_once_and_goes_on_where_they_were(shop: Shop) -> None:
    process, one = waiting(shop)
    publish(process, NEW)
    set_clock(NOW + 3 * HOUR)

    assert move(process, n3=also_blocks(["n9"])) == 1
    run(NOW + 4 * HOUR)

    after = Enrolment.objects.get()
    assert texts() == ["first", "extra"]
    assert (after.version.number, after.node, after.due_at) == (2, 3, one.due_at)
    assert after.node_at == one.node_at
    assert (after.variables, after.state) == (None, State.WAITING)
    added = after.version.node_map["n9"]
    ledger = StepLog.objects.filter(enrolment_id=one.pk).order_by("step_no").values_list("outcome", "node")
    assert list(ledger) == [(Code.QUEUED, 2), (Code.MIGRATED, added), (Code.QUEUED, added)]

    publish(process, NEW | {"n4": NEW["n4"] | {"not_after": "PT12H"}})  # and not a second time
    move(process, n3=also_blocks(["n9"]))
    assert Enrolment.objects.get().node == 3

    run(NOW + 2 * HOUR + 3 * DAY + WEIGHED_WITHIN)
    assert texts() == ["first", "extra", "second"]
    assert Message.objects.latest("id").due_at == NOW + 2 * HOUR + 3 * DAY


def test_what_they_do_on_the_way_is_answered_by_the_block_that_they_come_back_to(shop: Shop) -> None:
    process, _one = waiting(shop)
    publish(process, NEW)
    move(process, n3=also_blocks(["n9"]))
    Message.objects.filter(template__key="first").update(opened_at=NOW + 3 * HOUR)

    run(NOW + 4 * HOUR)

    assert texts() == ["first", "extra"]
    assert Enrolment.objects.get().state == State.COMPLETED


def test_a_message_under_way_stays_so_and_what_follows_counts_from_coming_back(shop: Shop) -> None:
    process = message_under_way(shop)
    assert texts() == ["first"]
    nodes = OLD | {"n1": OLD["n1"] | {"out": {"next": "n9"}}, "n9": EXTRA | {"out": {"done": "n2"}}}
    publish(process, nodes)
    move(process, n2=also_blocks(["n9"]))
    set_clock(NOW + 4 * HOUR)
    Enrolment.objects.update(run_at=NOW)
    Engine().run_once()
    assert texts() == ["first", "extra"]
    Message.objects.filter(template__key="first").update(
        state="sent", settled_at=NOW + 3 * HOUR, handed_at=NOW + 3 * HOUR
    )

    run(NOW + 5 * HOUR)

    after = Enrolment.objects.get()
    assert (after.node, after.due_at) == (3, NOW + 5 * HOUR + 3 * DAY)
    assert texts() == ["first", "extra"]


def test_a_payment_on_the_way_ends_it_as_anywhere(shop: Shop) -> None:
    process, one = waiting(shop)
    publish(process, NEW)
    move(process, n3=also_blocks(["n9"]))
    Order.objects.update(payment_state="paid", paid_at=NOW, paid_learnt_at=NOW, captured=149)
    Enrolment.objects.update(run_at=NOW)

    run(NOW + 4 * HOUR)

    assert texts() == ["first"]
    assert Enrolment.objects.get(pk=one.pk).state == State.EXITED


PAID: dict[str, Any] = OLD | {
    "n3": {"t": "until", "on": {"e": "order.paid"}, "within": "P7D", "out": {"yes": "n6", "no": "n4"}},
    "n6": {"t": "send", "template": "thanks", "purpose": "thanks", "out": {"done": "n5"}},
}
CALL: dict[str, Any] = {"t": "task", "title": "Call {customer}", "out": {"done": "n3"}}
WAITED_FOR = {"within": "P3D", "out": {"done": "n3", "timeout": "n3"}}


def asked_to_pay(shop: Shop, **added: Any) -> Process:
    """Return a process whose version adds blocks before a question about the payment, with somebody moved to the first."""
    make_template(shop, key="thanks")
    process = make_process(shop, nodes=PAID)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()
    run(NOW + 2 * HOUR)
    publish(process, PAID | {"n2": OLD["n2"] | {"out": {"done": "n9"}}} | added)
    assert move(process, n3=also_blocks(list(added))) == 1
    return process


def pay(at: datetime) -> None:
    Order.objects.update(payment_state="paid", paid_at=at, paid_learnt_at=at, captured=149)
    Enrolment.objects.update(run_at=at)
    set_clock(at)
    Engine().run_once()


@pytest.mark.parametrize("call", [CALL, CALL | WAITED_FOR])
def test_who_pays_before_the_added_step_is_not_called(shop: Shop, call: dict[str, Any]) -> None:
    asked_to_pay(shop, n9=call)

    pay(NOW + 4 * HOUR)

    assert (texts(), Task.objects.count()) == (["first", "thanks"], 0)


def test_who_pays_while_an_added_step_waits_comes_back_at_once(shop: Shop) -> None:
    asked_to_pay(shop, n9=CALL | WAITED_FOR | {"out": {"done": "n8", "timeout": "n8"}}, n8=EXTRA)
    run(NOW + 4 * HOUR)
    assert Task.objects.count() == 1

    pay(NOW + 2 * DAY)

    assert texts() == ["first", "thanks"]
    assert Message.objects.latest("id").due_at == NOW + 2 * DAY
    assert Enrolment.objects.get().variables is None


def test_who_pays_while_an_added_message_is_under_way_does_not_get_it(shop: Shop) -> None:
    asked_to_pay(shop, n9=EXTRA)
    set_clock(NOW + 4 * HOUR)
    Engine().run_once()

    pay(NOW + 5 * HOUR)

    assert list(Message.objects.order_by("id").values_list("template__key", "state")) == [
        ("first", "sent"),
        ("extra", "cancelled"),
        ("thanks", "due"),
    ]


def test_a_deadline_that_is_counted_again_turns_no_payment_into_a_no(shop: Shop) -> None:
    nodes = PAID | {"n4": CALL | {"title": "Not paid", "out": {"done": "n5"}}}
    make_template(shop, key="thanks")
    process = make_process(shop, nodes=nodes)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()
    run(NOW + 2 * HOUR)
    shorter = {"n3": PAID["n3"] | {"within": "P1D"}, "n9": CALL | WAITED_FOR}
    publish(process, nodes | {"n2": OLD["n2"] | {"out": {"done": "n9"}}} | shorter)
    request_move(process, Plan({"n3": also_blocks(["n9"])}, True), actor=ANNA, now=NOW + 3 * HOUR)
    run_waiting()
    run(NOW + 3 * HOUR)

    pay(NOW + 2 * DAY)

    assert not Task.objects.filter(title="Not paid").exists()
    assert Enrolment.objects.get().state == State.EXITED


def test_the_task_of_an_added_step_is_called_off_when_they_are_called_back(shop: Shop) -> None:
    asked = {"t": "until", "on": {"e": "cart.converted"}, "within": "P7D", "out": {"yes": "n5", "no": "n5"}}
    wait: dict[str, Any] = {"t": "wait", "for": "PT1H", "out": {"next": "n3"}}
    nodes = {"n1": wait, "n3": asked, "n5": {"t": "end"}}
    entry = {"on": "cart.abandoned", "first": "n1"}
    goals = [{"on": "cart.converted"}]
    process = make_process(shop, nodes=nodes, entry=entry, goals=goals)
    enrol_cases([opened(make_case(make_cart(shop, state="abandoned", last_activity_at=NOW)))])
    Engine().run_once()
    run(NOW + 2 * HOUR)
    assert Enrolment.objects.get().due_at is not None
    after = nodes | {"n1": wait | {"out": {"next": "n9"}}, "n9": CALL | WAITED_FOR}
    doc = {"schema": 1, "name": "Cart", "entry": entry, "goals": goals, "nodes": after}
    actions.publish(process, read_document(doc), actor=SYSTEM, now=NOW)
    process.refresh_from_db()
    move(process, n3=also_blocks(["n9"]))
    run(NOW + 4 * HOUR)
    assert Task.objects.get().state == "open"

    Cart.objects.update(converted_at=NOW + DAY)
    Enrolment.objects.update(run_at=NOW)
    run(NOW + DAY)

    assert Enrolment.objects.get().state == State.COMPLETED
    assert (Task.objects.get().state, Task.objects.get().reason) == ("cancelled", "goal")


def test_a_wait_to_come_back_to_that_was_made_longer_ends_when_it_was_going_to(shop: Shop) -> None:
    entry: dict[str, Any] = {"on": "order.unpaid", "anchor": "placed_at"}
    nodes = OLD | {"n1": OLD["n1"] | {"for": "P1D"}}
    process = make_process(shop, nodes=nodes, entry=entry)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()

    def publish_with(nodes: dict[str, Any]) -> None:
        doc = document(nodes, "n9") | {"entry": entry | {"first": "n9"}}
        actions.publish(process, read_document(doc), actor=SYSTEM, now=NOW)
        process.refresh_from_db()

    nodes = nodes | {"n9": CALL | {"within": "PT12H", "out": {"done": "n1", "timeout": "n1"}}}
    publish_with(nodes)
    set_clock(NOW + HOUR)
    move(process, n1=also_blocks(["n9"]))
    Engine().run_once()
    publish_with(nodes | {"n1": OLD["n1"] | {"for": "P3D"}})

    move(process, n9="same")
    run(NOW + 16 * HOUR)

    assert (Enrolment.objects.get().node, Enrolment.objects.get().due_at) == (1, NOW + DAY)


@pytest.mark.parametrize(
    ("becomes", "recomputes", "due"),
    [
        ({"within": "P1D"}, False, NOW + 2 * HOUR + 3 * DAY),
        ({"within": "P1D"}, True, NOW + 2 * HOUR + DAY),
        ({"t": "wait", "for": "P2D", "out": {"next": "n4"}}, False, NOW + 3 * HOUR + 2 * DAY),
    ],
)
def test_the_wait_to_come_back_to_goes_by_what_was_chosen_for_waits(
    shop: Shop, becomes: dict[str, Any], *, recomputes: bool, due: datetime
) -> None:
    process, _one = waiting(shop)
    nodes = NEW | {"n9": CALL | WAITED_FOR | {"within": "PT4H"}}
    publish(process, nodes)
    move(process, n3=also_blocks(["n9"]))
    Engine().run_once()
    publish(process, nodes | {"n3": becomes if "t" in becomes else OLD["n3"] | becomes})
    request_move(process, Plan({"n9": "same"}, recomputes), actor=ANNA, now=NOW + 3 * HOUR)
    set_clock(NOW + 3 * HOUR)
    run_waiting()

    run(NOW + 8 * HOUR)

    after = Enrolment.objects.get()
    assert after.due_at is not None
    assert (after.node, after.variables, abs(after.due_at - due) < HOUR / 60) == (3, None, True)


def test_a_reminder_that_was_held_is_sent_from_when_the_hold_is_lifted(shop: Shop) -> None:
    process = make_process(shop, nodes=OLD)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()
    Order.objects.update(paused_at=NOW)
    run(NOW + 2 * HOUR)
    assert (Enrolment.objects.get().flags & Flag.HELD, texts()) == (Flag.HELD, [])
    nodes = OLD | {"n1": OLD["n1"] | {"out": {"next": "n9"}}, "n9": EXTRA | {"out": {"done": "n2"}}}
    publish(process, nodes)
    set_clock(NOW + 3 * DAY)
    move(process, n2=also_blocks(["n9"]))
    Order.objects.update(paused_at=None)
    Enrolment.objects.update(run_at=NOW)

    run(NOW + 3 * DAY + HOUR)

    assert texts() == ["extra", "first"]


@pytest.mark.parametrize("recomputes", [False, True])
def test_what_follows_a_wait_that_ended_meanwhile_counts_from_coming_back(
    shop: Shop, *, recomputes: bool
) -> None:
    nodes = OLD | {"n3": {"t": "wait", "for": "P1D", "out": {"next": "n4"}}}
    process = make_process(shop, nodes=nodes)
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()
    run(NOW + 2 * HOUR)
    publish(process, nodes | {"n2": OLD["n2"] | {"out": {"done": "n9"}}, "n9": CALL | WAITED_FOR})
    plan = Plan({"n3": also_blocks(["n9"])}, recomputes)
    request_move(process, plan, actor=ANNA, now=NOW + 3 * HOUR)
    run_waiting()
    run(NOW + 3 * HOUR)
    back = Enrolment.objects.get().due_at
    assert back is not None

    run(back)

    assert texts() == ["first", "second"]
    assert Message.objects.latest("id").due_at == back


def test_whoever_is_sent_elsewhere_from_an_added_step_leaves_no_message_at_their_place(shop: Shop) -> None:
    process = message_under_way(shop)
    nodes = OLD | {
        "n1": OLD["n1"] | {"out": {"next": "n9"}},
        "n9": CALL | {"within": "P3D", "out": {"done": "n2", "timeout": "n2"}},
    }
    publish(process, nodes)
    move(process, n2=also_blocks(["n9"]))
    Engine().run_once()
    publish(process, nodes | {"n4": OLD["n4"] | {"not_after": "PT12H"}})
    plan = Plan({"n9": to_block("n4")})
    found = look_ahead(process, changed_by(process, None, plan), NOW + 3 * HOUR)
    assert dict(found.day) == {"second": 1}

    move(process, n9=to_block("n4"))

    assert list(Message.objects.values_list("template__key", "state")) == [("first", "cancelled")]


def test_the_message_of_a_place_that_a_version_has_not_got_any_more_is_called_off_and_no_other(
    shop: Shop,
) -> None:
    process = message_under_way(shop)
    nodes = OLD | {"n1": OLD["n1"] | {"out": {"next": "n9"}}, "n9": EXTRA | {"out": {"done": "n2"}}}
    publish(process, nodes)
    move(process, n2=also_blocks(["n9"]))
    Engine().run_once()
    assert texts() == ["first", "extra"]
    del nodes["n2"]
    question = OLD["n3"] | {"on": {"e": "message.opened", "ref": "n8"}}
    nodes |= {"n9": EXTRA | {"out": {"done": "n8"}}, "n8": OLD["n2"], "n3": question}
    publish(process, nodes)
    found = look_ahead(process, changed_by(process, None, Plan({"n9": "same"})), NOW + 3 * HOUR)
    assert dict(found.day) == {"extra": 1, "first": 1}

    move(process, n9="same")

    states = Message.objects.order_by("id").values_list("template__key", "state")
    assert list(states) == [("first", "cancelled"), ("extra", "due")]


def test_hold_out_gets_none_and_who_is_set_aside_gets_it_when_the_process_goes_on(shop: Shop) -> None:
    process, one = waiting(shop)
    Enrolment.objects.update(flags=1)
    other = enrol_another(shop)
    actions.set_status(process, "paused", actor=SYSTEM, now=NOW)
    Enrolment.objects.filter(pk=other).update(state=State.PAUSED, run_at=None)
    publish(process, NEW)
    move(process, n3=also_blocks(["n9"]))
    set_clock(NOW + 4 * HOUR)
    Engine().run_once()
    assert texts() == ["first", "first"]

    actions.set_status(process, "live", actor=SYSTEM, now=NOW + 4 * HOUR)
    run(NOW + 5 * HOUR)

    assert texts() == ["first", "first", "extra"]
    assert Message.objects.latest("id").enrolment_id == other
    assert StepLog.objects.filter(enrolment_id=one.pk, outcome=Code.SUPPRESSED).count() == 1
    assert set(Enrolment.objects.values_list("node", flat=True)) == {3}


def enrol_another(shop: Shop) -> int:
    enrol_cases([opened(make_case(make_order(shop, status="unpaid", placed_at=NOW)))])
    Engine().run_once()
    run(NOW + 4 * HOUR)
    return Enrolment.objects.latest("id").pk


def test_several_are_done_in_their_order(shop: Shop) -> None:
    process, one = waiting(shop)
    nodes = NEW | {
        "n9": EXTRA | {"out": {"done": "n8"}},
        "n8": {"t": "tag", "add": ["vip"], "out": {"next": "n3"}},
    }
    publish(process, nodes)

    move(process, n3=also_blocks(["n8", "n9"]))
    run(NOW + 4 * HOUR)

    numbers = process.current_version.node_map if process.current_version else {}
    done = StepLog.objects.filter(enrolment_id=one.pk, node__in=[numbers["n8"], numbers["n9"]]).order_by(
        "step_no"
    )
    assert [(line.node, line.outcome) for line in done][1:] == [
        (numbers["n9"], Code.QUEUED),
        (numbers["n8"], Code.TAGGED),
    ]
    after = Enrolment.objects.get()
    assert (after.node, after.due_at, after.variables) == (3, one.due_at, None)


def test_where_the_block_is_gone_by_then_they_go_on_as_the_added_one_leads(shop: Shop) -> None:
    process, _one = waiting(shop)
    publish(process, NEW)
    move(process, n3=also_blocks(["n9"]))
    publish(process, {**{k: v for k, v in NEW.items() if k != "n3"}, "n9": EXTRA | {"out": {"done": "n4"}}})
    move(process, n9="same")

    run(NOW + 4 * HOUR)

    assert texts() == ["first", "extra", "second"]


def test_a_place_that_has_become_a_message_is_sent_when_they_come_back(shop: Shop) -> None:
    process, _one = waiting(shop)
    publish(process, NEW)
    move(process, n3=also_blocks(["n9"]))
    publish(process, NEW | {"n3": OLD["n4"], "n4": {"t": "wait", "for": "PT1H", "out": {"next": "n5"}}})
    move(process, n9="same")

    run(NOW + 4 * HOUR)

    assert texts() == ["first", "extra", "second"]


def test_only_those_count_as_passed_who_cannot_have_come_by_another_way() -> None:
    old = ProcessDocument.model_validate(document(OLD))

    def passed(nodes: dict[str, Any], block: str = "n3", first: str = "n1") -> list[str]:
        return passed_before(block, old, ProcessDocument.model_validate(document(nodes, first)))

    assert passed(NEW) == ["n9"]
    assert passed(NEW, "n4") == ["n9"]
    assert passed(NEW, "n2") == []  # it is still to come
    assert passed(NEW | {"n0": {"t": "tag", "add": ["x"], "out": {"next": "n1"}}}, first="n0") == ["n0", "n9"]
    split = {"t": "if", "if": {"f": "order.total", "op": ">", "v": 100}, "out": {"yes": "n9", "no": "n3"}}
    assert passed(NEW | {"n2": OLD["n2"] | {"out": {"done": "n7"}}, "n7": split}) == []
    assert passed(NEW | {"n9": {"t": "wait", "for": "PT1H", "out": {"next": "n3"}}}) == []  # no effect
    back = NEW | {"n4": OLD["n4"] | {"out": {"done": "n9"}}}
    assert passed(back) == []  # they come to it by themselves


def test_who_would_get_it_is_named_and_counted_beforehand(shop: Shop) -> None:
    process, _one = waiting(shop)
    order = make_order(shop, status="unpaid", placed_at=NOW, contact=make_contact(shop, name="Ada Nowak"))
    enrol_cases([opened(make_case(order))])  # stands at the first wait: it is still to come
    Engine().run_once()
    other_shop = make_shop()
    make_process(other_shop, nodes=OLD)
    new = ProcessDocument.model_validate(document(NEW))

    added = added_blocks(versions_left(process, None), new)
    [name] = added
    who = who_passed(process, added[name], -1)

    assert (name, sorted(added[name]), who.people, len(who.names)) == ("n9", ["n3", "n4"], 1, 1)
    assert "Ada Nowak" not in who.names
    plan = Plan({"n3": also_blocks(["n9"])})
    found = look_ahead(process, changed_by(process, document(NEW), plan), NOW + 3 * HOUR)
    assert (found.moved, dict(found.hour)) == (1, {"extra": 1, "first": 1})
    publish(process, NEW)
    move(process, n3=also_blocks(["n9"]))
    assert who_passed(process, added[name], 6).people == 0


def test_a_block_that_is_not_there_is_refused(shop: Shop) -> None:
    process, _one = waiting(shop)
    publish(process, NEW)

    with pytest.raises(PlanRefused) as refused:
        move(process, n3=also_blocks(["n77"]))

    assert refused.value.code == "lost_block"
