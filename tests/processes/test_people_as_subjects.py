"""Processes about a person: they are put in, walk without an order, and are woken by what the person does."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.customers.merging import merge_contacts
from recoup.messaging.carrying import take_in
from recoup.messaging.models import Message
from recoup.orders.models import Order
from recoup.payments.events import PaymentReceived
from recoup.processes import handlers
from recoup.processes.backtest.runs import CannotBeTried, request_run
from recoup.processes.engine.codes import Code, State, SubjectKind
from recoup.processes.engine.entry import LONGEST_CHAIN
from recoup.processes.entering import Arrival, enrol
from recoup.processes.files import read_file, write_file
from recoup.processes.graph.picture import draw
from recoup.processes.graph.problems import InvalidProcess
from recoup.processes.graph.reading import read_document
from recoup.processes.graph.validation import find_problems, load_process
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, StepLog
from recoup.processes.texts import text_offers
from recoup.processes.versions import graph_of
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.processes.worlds import document

pytestmark = pytest.mark.django_db

ASK = {
    "n1": {
        "t": "until",
        "on": {"e": "product.bought", "products": ["seat"]},
        "within": "P7D",
        "out": {"yes": "n2", "no": "n3"},
    },
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
    return make_shop()


def put_in(process: Any, contact: Any, **values: Any) -> int:
    return enrol(
        [
            Arrival(
                door="manual",
                shop_id=contact.shop_id,
                contact_id=contact.pk,
                kind="contact",
                subject_id=contact.pk,
                at=NOW,
                process_id=process.pk,
                **values,
            )
        ]
    )


def test_a_person_is_put_in_by_hand_once_and_walks_without_an_order(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=ASK)
    anna = make_contact(shop)

    assert [put_in(process, anna), put_in(process, anna)] == [1, 0]

    Engine().run_once()
    set_clock(NOW + 8 * DAY)
    Engine().run_once()
    enrolment = Enrolment.objects.get()
    lines = StepLog.objects.order_by("step_no").values_list("outcome", flat=True)
    assert (enrolment.subject_kind, enrolment.subject_id) == (SubjectKind.CONTACT, anna.pk)
    assert (enrolment.state, list(lines)) == (State.COMPLETED, [Code.NO, Code.COMPLETED])


def test_what_the_person_buys_wakes_a_process_about_them(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=ASK)
    anna = make_contact(shop)
    put_in(process, anna)
    Engine().run_once()
    paid_at = NOW + HOUR
    order = make_order(
        shop,
        contact=anna,
        product_refs=["seat"],
        payment_state="paid",
        paid_at=paid_at,
        paid_learnt_at=paid_at,
    )
    set_clock(NOW + 2 * HOUR)

    handlers.wake_paid([PaymentReceived(shop.pk, order.pk, paid_at, paid_at)])
    Engine().run_once()

    assert Enrolment.objects.get().state == State.COMPLETED
    assert StepLog.objects.order_by("step_no").values_list("outcome", "at")[0] == (Code.YES, paid_at)


def test_nobody_enters_a_process_alone_that_waits_for_hands(shop: Shop) -> None:
    make_process(shop, entry={"on": "manual", "about": "order"})
    order = make_order(shop, placed_at=NOW)

    came = enrol([Arrival("order.placed", shop.pk, order.contact_id or 0, "order", order.pk, NOW)])

    assert came == 0


def test_somebody_put_in_with_an_order_enters_a_process_about_people_as_themselves(shop: Shop) -> None:
    about_person = make_process(shop, entry={"on": "manual"}, goals=[], nodes=ASK)
    about_order = make_process(shop, entry={"on": "manual", "about": "order"})
    about_cart = make_process(
        shop, entry={"on": "manual", "about": "cart"}, goals=[], nodes={"n1": {"t": "end"}}
    )
    order: Order = make_order(shop, placed_at=NOW)
    contact_id = order.contact_id or 0

    came = [
        enrol([Arrival("manual", shop.pk, contact_id, "order", order.pk, NOW, process_id=process.pk)])
        for process in (about_person, about_order, about_cart)
    ]

    subjects = Enrolment.objects.order_by("id").values_list("subject_kind", "subject_id")
    assert came == [1, 1, 0]
    assert list(subjects) == [(3, contact_id), (1, order.pk)]


def test_a_chain_of_processes_ends(shop: Shop) -> None:
    process = make_process(
        shop, entry={"on": "manual", "reentry": "every_event"}, goals=[], nodes={"n1": {"t": "end"}}
    )
    anna = make_contact(shop)

    came = [put_in(process, anna, chain=n, event_id=n + 1) for n in (0, LONGEST_CHAIN, LONGEST_CHAIN + 1)]

    assert came == [1, 1, 0]
    assert [one.variables for one in Enrolment.objects.order_by("id")] == [None, {"chain": LONGEST_CHAIN}]


def test_erased_people_and_people_of_other_shops_are_not_put_in(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=ASK)

    assert put_in(process, make_contact(shop, erased_at=NOW)) == 0
    assert put_in(process, make_contact(make_shop())) == 0


def test_who_stays_after_a_merge_is_who_the_process_is_about(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=ASK)
    kept, gone = make_contact(shop), make_contact(shop)
    put_in(process, gone)

    merge_contacts(kept, gone, actor=SYSTEM, now=NOW)
    outbox.dispatch()

    one = Enrolment.objects.get()
    assert (one.contact_id, one.subject_id) == (kept.pk, kept.pk)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"entry": {"on": "order.unpaid", "about": "contact", "first": "n1"}}, "entry_about_other"),
        ({"goals": [{"on": "order.paid"}]}, "event_of_other_subject"),
        ({"entry": {"on": "manual", "first": "n1", "anchor": "placed_at"}}, "anchor_of_other_subject"),
        (
            {
                "nodes": {
                    "n1": {"t": "order_status", "to": "unpaid", "out": {"next": "n2"}},
                    "n2": {"t": "end"},
                }
            },
            "needs_order",
        ),
        (
            {
                "nodes": {
                    "n1": {
                        "t": "if",
                        "if": {"f": "order.total", "op": ">", "v": 1},
                        "out": {"yes": "n2", "no": "n2"},
                    },
                    "n2": {"t": "end"},
                }
            },
            "fact_of_other_subject",
        ),
    ],
)
def test_what_needs_an_order_is_refused_in_a_process_about_a_person(
    changes: dict[str, Any], code: str
) -> None:
    raw = document(ASK, entry={"on": "manual", "first": "n1"}, goals=[]) | changes

    with pytest.raises(InvalidProcess) as refused:
        load_process(raw)

    assert [problem.code for problem in refused.value.problems] == [code]


def test_putting_people_in_cannot_be_tried_on_the_past(shop: Shop) -> None:
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=ASK)

    with pytest.raises(CannotBeTried):
        request_run(process, since=NOW - 30 * DAY, until=NOW, now=NOW)


WRITE = {
    "n1": {"t": "send", "template": "moved", "purpose": "thanks", "out": {"done": "n2"}},
    "n2": {"t": "end"},
}


def test_a_process_about_a_person_writes_to_them_without_an_order(shop: Shop) -> None:
    make_template(shop, key="moved", kind="customer")
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=WRITE)
    anna = make_contact(shop, locale="pl", country="PL")
    put_in(process, anna)

    Engine().run_once()

    message = Message.objects.get()
    assert (message.contact_id, message.order_id, message.cart_id) == (anna.pk, None, None)
    assert (message.purpose, message.message_class, message.locale) == ("reminder", "needs_consent", "pl")
    assert (
        draw(graph_of(process.current_version_id or 0).document).nodes[0].word == "process.node.send.message"
    )


def test_who_is_held_out_gets_no_message_about_themselves(shop: Shop) -> None:
    make_template(shop, key="moved", kind="customer")
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=WRITE, holdout_bp=9_999)
    put_in(process, make_contact(shop))

    Engine().run_once()

    assert Message.objects.count() == 0
    assert StepLog.objects.order_by("step_no").first().outcome == Code.SUPPRESSED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("entry", "text", "fits"),
    [
        ("manual", "moved", True),
        ("manual", "reminder", False),
        ("order.unpaid", "moved", False),
        ("order.unpaid", "reminder", True),
    ],
)
def test_a_text_about_something_else_than_the_process_is_refused(
    shop: Shop, entry: str, text: str, fits: bool
) -> None:
    make_template(shop, key="moved", kind="customer")
    make_template(shop)
    nodes = {"n1": {"t": "send", "template": text, "out": {"done": "n2"}}, "n2": {"t": "end"}}
    goals = [] if entry == "manual" else [{"on": "order.paid"}]
    raw = document(nodes, entry={"on": entry, "first": "n1"}, goals=goals)

    found = find_problems(read_document(raw), text_offers(shop))

    assert [(one.path, one.code) for one in found] == (
        [] if fits else [("nodes.n1.template", "text_of_other_subject")]
    )


def test_a_text_about_a_person_travels_with_its_process(shop: Shop) -> None:
    make_template(shop, key="moved", kind="customer")
    process = make_process(shop, entry={"on": "manual"}, goals=[], nodes=WRITE)
    other = make_shop()

    whole = read_file(write_file(shop, graph_of(process.current_version_id or 0).document.as_json()))
    taken = take_in(other, "moved", whole.texts["moved"], actor=SYSTEM, now=NOW)

    assert (taken.kind, taken.current_version is not None) == ("customer", True)
    assert find_problems(whole.document, text_offers(other)) == []
