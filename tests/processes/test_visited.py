"""Visits to pages, as the tables tell them: who is woken, whose count, and those of another shop or time (D14)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core import links, outbox
from recoup.core.activity import SYSTEM
from recoup.core.links import LinkOrder
from recoup.customers.merging import merge_contacts
from recoup.customers.models import Contact
from recoup.flow import ROUTES
from recoup.messaging.events import PageVisited
from recoup.messaging.sender.timing import TIMING
from recoup.messaging.tracking import PATIENCE, note_visits
from recoup.messaging.visit_models import PageVisit
from recoup.processes.backtest.running import Plan, run_backtest
from recoup.processes.engine.codes import Code, State
from recoup.processes.engine.nodes.until import WEIGHED_WITHIN
from recoup.processes.entering import Arrival, enrol, enrol_placed
from recoup.processes.handlers import wake_visited
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, StepLog
from recoup.processes.simulator import Simulator
from recoup.processes.versions import graph_of as graph_of_version
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.messages import make_message_source
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.processes.worlds import PLACED, arrival, graph_of, shop_with

ASKS = {
    "n1": {
        "t": "until",
        "on": {"e": "page.visited"},
        "within": "P2D",
        "out": {"yes": "n2", "no": "n3"},
    },
    "n3": {"t": "send", "template": "first", "out": {"done": "n2"}},
    "n2": {"t": "end"},
}
PERSON = {"HTTP_ACCEPT_LANGUAGE": "en", "HTTP_USER_AGENT": "Mozilla/5.0 Firefox/140.0"}
SCANNER = {"HTTP_ACCEPT_LANGUAGE": "en", "HTTP_USER_AGENT": "Mozilla/5.0 (compatible; proofpoint)"}
MINUTE = timedelta(minutes=1)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Any:
    with scopes_disabled():
        outbox.set_routes(ROUTES)
        yield
        outbox.set_routes({})


def _look(shop: Shop, order_id: int, **headers: str) -> None:
    (token,) = links.mint([LinkOrder("pay", shop.pk, "order", order_id)], now=NOW)
    assert Client().get(f"/pay/{token}", **headers).status_code == 200  # type: ignore[arg-type]


def test_whoever_comes_to_the_pay_page_by_a_link_that_no_message_carried_answers_the_block() -> None:
    set_clock(NOW)
    shop = make_shop()
    make_process(shop, nodes=ASKS, entry={"on": "order.placed"})
    anna = make_contact(shop)
    asked = [make_order(shop, contact=anna, placed_at=NOW) for _ in range(3)]
    _look(shop, asked[2].pk, **PERSON)
    note_visits(now=NOW + MINUTE)
    set_clock(NOW + HOUR)
    enrol_placed([order.pk for order in asked])
    Enrolment.objects.update(entered_at=NOW + HOUR, node_at=NOW + HOUR)
    Engine().run_once()

    _look(shop, asked[0].pk, **PERSON)
    _look(shop, asked[1].pk, **SCANNER)
    note_visits(now=NOW + HOUR + MINUTE)
    outbox.dispatch()
    Engine().run_once()

    assert dict(Enrolment.objects.values_list("subject_id", "state")) == {
        asked[0].pk: State.COMPLETED,
        asked[1].pk: State.WAITING,
        asked[2].pk: State.WAITING,  # had come before they were in
    }
    assert list(StepLog.objects.order_by("step_no").values_list("outcome", flat=True)) == [
        Code.YES,
        Code.COMPLETED,
    ]


def _insider(shop: Shop) -> Enrolment:
    """Return somebody whose order waits for them to come."""
    make_process(shop, nodes=ASKS, entry={"on": "order.placed"})
    enrol_placed([make_order(shop, contact=make_contact(shop), placed_at=NOW).pk])
    Enrolment.objects.update(entered_at=NOW, node_at=NOW)
    Engine().run_once()
    return Enrolment.objects.get()


def test_who_comes_in_the_last_second_has_come_although_it_is_weighed_after_the_deadline() -> None:
    set_clock(NOW)
    shop = make_shop()
    inside = _insider(shop)
    assert inside.due_at is not None
    last, found = inside.due_at - timedelta(seconds=1), inside.due_at + PATIENCE + timedelta(seconds=5)
    assert PATIENCE + timedelta(seconds=TIMING.sweep) < WEIGHED_WITHIN
    set_clock(last)
    _look(shop, inside.subject_id, **PERSON)

    set_clock(inside.due_at)
    Engine().run_once()
    set_clock(found)
    note_visits(now=found)
    outbox.dispatch()
    Engine().run_once()

    came, done = StepLog.objects.order_by("step_no").values_list("outcome", "at")
    assert (came[0], done[0]) == (Code.YES, Code.COMPLETED)
    assert last <= came[1] < inside.due_at


def test_a_mail_opened_in_the_last_second_is_waited_for_too() -> None:
    until = {
        "t": "until",
        "on": {"e": "message.opened", "ref": "n1"},
        "within": "P1D",
        "out": {"yes": "n3", "no": "n3"},
    }
    nodes = {
        "n1": {"t": "send", "template": "first", "out": {"done": "n2"}},
        "n2": until,
        "n3": {"t": "end"},
    }
    store = shop_with(graph_of(nodes))
    Simulator(store, [arrival(PLACED)]).run(PLACED + 5 * HOUR)

    waiting = store.enrolments[1]

    assert waiting.due_at is not None
    assert waiting.run_at == waiting.due_at + WEIGHED_WITHIN


def test_who_was_somebody_else_when_they_came_has_come() -> None:
    set_clock(NOW)
    shop = make_shop()
    kept, late, gone = make_contact(shop), make_contact(shop), make_contact(shop)
    process = make_process(shop, nodes=ASKS, entry={"on": "manual"}, goals=[])
    put_in: dict[str, Any] = {
        "door": "manual",
        "shop_id": shop.pk,
        "kind": "contact",
        "at": NOW,
        "process_id": process.pk,
    }
    enrol([Arrival(contact_id=one.pk, subject_id=one.pk, **put_in) for one in (kept, late)])
    Engine().run_once()
    assert set(Enrolment.objects.values_list("state", flat=True)) == {State.WAITING}
    places: dict[str, Any] = {
        "shop_id": shop.pk,
        "page": "pay",
        "slot": 1,
        "at": NOW + HOUR,
        "noted_at": NOW + HOUR,
    }
    visit = PageVisit.objects.create(subject_kind=1, subject_id=1, contact=gone, **places)
    set_clock(NOW + 2 * HOUR)

    merge_contacts(kept, gone, actor=SYSTEM, now=NOW + 2 * HOUR)
    outbox.dispatch()
    Engine().run_once()
    PageVisit.objects.filter(pk=visit.pk).update(contact=late)
    Contact.objects.filter(pk=gone.pk).update(merged_into=late)
    wake_visited([PageVisited(shop.pk, 1, 1, gone.pk, NOW + HOUR)])
    Engine().run_once()

    assert set(Enrolment.objects.values_list("state", flat=True)) == {State.COMPLETED}


def test_a_trial_leaves_out_visits_by_messages_of_the_process_whichever_way_it_asks() -> None:
    set_clock(NOW)
    shop = make_shop()
    make_template(shop, key="first")
    source, other = make_message_source(shop), make_message_source(shop)
    asks = {"f": "contact.visited_at", "op": "is_set"}
    process = make_process(
        shop,
        nodes={
            "n1": {"t": "if", "if": asks, "out": {"yes": "n2", "no": "n3"}},
            "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
            "n3": {"t": "end"},
        },
        message_source=source,
    )
    orders = [make_order(shop, placed_at=NOW - 20 * DAY, is_backfill=True) for _ in range(2)]
    for order, led_by in zip(orders, (source, other), strict=True):
        PageVisit.objects.create(
            shop_id=shop.pk,
            subject_kind=1,
            subject_id=order.pk,
            contact_id=order.contact_id,
            page="pay",
            slot=1,
            at=NOW - 25 * DAY,
            noted_at=NOW - 25 * DAY,
            source_id=led_by.pk,
        )
    version = process.current_version
    assert version is not None

    result = run_backtest(
        Plan(shop.pk, process.pk, version.pk, graph_of_version(version.pk), 0, NOW - 30 * DAY, NOW, NOW)
    )

    assert (result.entered, result.messages) == (2, 1)
