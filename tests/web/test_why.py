"""Why somebody did or did not get something, as a person reads it (novel 3)."""

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM
from recoup.customers.tagging import tag_by_hand
from recoup.messaging.models import Message
from recoup.orders.models import Order
from recoup.payments.events import PaymentFailed
from recoup.processes import actions, handlers
from recoup.processes.engine.codes import Code, Refusal
from recoup.processes.entering import enrol_cases
from recoup.processes.graph.reading import read_document
from recoup.processes.loop import Engine
from recoup.processes.models import Enrolment, Process, StepLog, TurnedAway
from recoup.shops.models import Shop
from tests.factories.cases import make_case
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.offers import make_settings
from tests.factories.orders import make_attempt, make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process, opened
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop(slug="lumen", name="Lumen Candles", time_zone="UTC", live_since=NOW - 90 * DAY)


@pytest.fixture
def order(shop: Shop) -> Order:
    return make_order(shop, contact=make_contact(shop, name="Anna"), status="unpaid", placed_at=NOW)


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def ask(client: Client, **about: object) -> str:
    answer = client.get("/s/lumen/why/", {name: str(value) for name, value in about.items()})
    assert answer.status_code == 200
    return text(answer.content.decode())


def come(order: Order) -> None:
    enrol_cases([opened(make_case(order, opened_at=NOW))])
    while Engine().run_once():
        pass


def later(by: timedelta) -> datetime:
    set_clock(NOW + by)
    while Engine().run_once():
        pass
    return NOW + by


def test_who_paid_is_told_when_and_before_what_with_the_lines_behind_it(shop: Shop, order: Order) -> None:
    make_process(shop, name="Gentle")
    come(order)
    Order.objects.update(paid_at=NOW + 2 * HOUR, paid_learnt_at=NOW + 2 * HOUR, captured=order.total)
    Enrolment.objects.update(run_at=NOW + 2 * HOUR)
    later(3 * HOUR)

    page = ask(sign_in(shop), order=order.pk)

    assert "Anna did not get “" in page
    assert re.search(r"It was paid at .*14:00, before this was due \(.*12:00\)\.", page)
    assert "Show the line that was written down" in page


def test_what_is_still_to_come_and_what_is_under_way(shop: Shop, order: Order) -> None:
    make_process(shop, name="Gentle")
    come(order)
    client = sign_in(shop)
    assert re.search(
        r"Anna has not got “.*” yet\. It will be sent at .*12:00, unless", ask(client, order=order.pk)
    )

    later(DAY + HOUR)

    assert "It is waiting to be sent, planned for" in ask(client, order=order.pk)


@pytest.mark.parametrize(
    ("reason", "passed_over", "sentence", "line"),
    [
        (
            "outranked",
            None,
            "a more important process writes to the person first.",
            "a more important message goes first",
        ),
        (
            "cost_cap",
            None,
            "what messages may cost is used up for now.",
            "the day's money or the number's share",
        ),
        (
            "number_cap",
            None,
            "what messages may cost is used up for now.",
            "Enough messages to this number today",
        ),
        (
            "daily_quota",
            None,
            "as many messages have been sent as the channel takes",
            "the channel sends no more today",
        ),
        ("quiet_hours", None, "because of the quiet hours, until", "Put off: quiet hours"),
        ("", [["sms", "not_mobile"]], "It goes out over another channel", "Another channel is tried"),
        ("payment_news", None, "It waits, and is looked at again at", "News of this order is being read"),
    ],
)
def test_what_keeps_a_message_back_is_told_while_it_does(
    shop: Shop, order: Order, reason: str, passed_over: object, sentence: str, line: str
) -> None:
    make_process(shop, name="Gentle")
    come(order)
    later(DAY + HOUR)
    Message.objects.update(state="due", reason=reason, passed_over=passed_over)

    page = ask(sign_in(shop), order=order.pk)

    assert "Anna has not got “" in page
    assert sentence in page
    assert line in page


def test_what_another_channel_took_is_named_by_its_own_text(shop: Shop, order: Order) -> None:
    make_process(shop, name="Gentle")
    come(order)
    later(DAY + HOUR)
    short = make_template(shop, key="short", name="Short words", channel="sms")
    Message.objects.update(template=short, passed_over=[["email", "no_address"]])

    assert re.search(r"Anna has not got “[^”]*Short words” yet\.", ask(sign_in(shop), order=order.pk))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            {"if": {"f": "order.total", "op": ">", "v": 100000}},
            "It did not meet the condition of the process",
        ),
        ({}, "It will be sent at"),
    ],
)
def test_who_was_not_let_in_is_told_why(
    shop: Shop, order: Order, entry: dict[str, object], words: str
) -> None:
    make_process(shop, name="Gentle", entry=entry)
    come(order)

    assert words in ask(sign_in(shop), order=order.pk)


def test_who_was_left_alone_is_told_so(shop: Shop, order: Order) -> None:
    make_process(shop, name="Gentle", holdout_bp=5000)
    come(order)
    Enrolment.objects.update(flags=1)

    assert "They are in the group that is left alone for comparison" in ask(sign_in(shop), order=order.pk)


def test_who_came_in_another_process_of_the_group_is_told_which(shop: Shop, order: Order) -> None:
    make_process(shop, name="Strong", entry={"group": "recovery"}, priority=9)
    weak = make_process(shop, name="Weak", entry={"group": "recovery"})
    come(order)

    page = ask(sign_in(shop), order=order.pk, process=weak.pk)

    assert "The person was in another process of the same group: Strong." in page


def test_what_came_before_a_process_was_switched_on_was_never_seen(shop: Shop, order: Order) -> None:
    process = make_process(shop, name="Gentle", status="draft")
    come(order)
    actions.set_status(process, "live", actor=SYSTEM, now=NOW + DAY)

    page = ask(sign_in(shop), order=order.pk)

    assert re.search(r"it came at .*12:00, before the process was switched on at", page)


def test_what_came_while_a_process_was_stopped_was_let_in_by_nobody(shop: Shop, order: Order) -> None:
    process = make_process(shop, name="Gentle")
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW - HOUR)
    come(order)
    actions.set_status(process, "live", actor=SYSTEM, now=NOW + DAY)

    assert "it was not running" in ask(sign_in(shop), order=order.pk)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"is_test": True}, "It is a test order."),
        ({"is_backfill": True}, "It was brought in from the past"),
        ({"paid_at": NOW}, "It was paid or ordered at"),
        ({}, "What the process begins with has not happened."),
    ],
)
def test_what_never_came_to_a_door_says_why(
    shop: Shop, order: Order, values: dict[str, object], words: str
) -> None:
    make_process(shop, name="Gentle")
    Order.objects.filter(pk=order.pk).update(**values)

    assert words in ask(sign_in(shop), order=order.pk)


def test_a_payment_that_failed_for_another_cause_is_told_from_what_was_written_down(
    shop: Shop, order: Order
) -> None:
    process = make_process(shop, name="Hard", entry={"on": "payment.failed", "failures": ["hard"]})
    Order.objects.filter(pk=order.pk).update(failure_class="soft", failed_at=NOW)

    for _ in range(2):
        handlers.enrol_failed([PaymentFailed(shop.pk, order.pk, 1, NOW)])

    line = TurnedAway.objects.get()
    assert (line.process_id, line.subject_id, line.code) == (process.pk, order.pk, Refusal.CAUSE)
    client = sign_in(shop)
    assert re.search(r"The payment failed at .*12:00 for a cause", ask(client, order=order.pk))

    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW + HOUR)
    make_attempt(order, state="failed", failure_class="hard", settled_at=NOW + 2 * HOUR)

    assert re.search(r"let nobody in at .*14:00, when this came", ask(client, order=order.pk))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"failure_class": "soft"}, "for a cause with which this process does not begin."),
        ({"failure_class": "hard"}, "it was not running"),
        ({"state": "cancelled", "failure_class": "hard"}, "What the process begins with has not happened."),
    ],
)
def test_a_payment_that_failed_while_nobody_was_let_in_is_told_from_the_attempts(
    shop: Shop, order: Order, values: dict[str, str], words: str
) -> None:
    process = make_process(shop, name="Hard", entry={"on": "payment.failed", "failures": ["hard"]})
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW - HOUR)
    make_attempt(order, **{"state": "failed", **values})

    assert words in ask(sign_in(shop), order=order.pk)


def test_the_past_is_judged_by_the_version_of_its_time(shop: Shop, order: Order) -> None:
    process = make_process(shop, name="Gentle", entry={"on": "order.placed"})
    actions.set_status(process, "stopped", actor=SYSTEM, now=NOW - HOUR)
    other = make_process(shop, name="Other", entry={"on": "payment.failed"})
    for one, on in ((process, "payment.failed"), (other, "order.placed")):
        assert one.current_version is not None
        doc = {**one.current_version.doc, "entry": {"on": on, "first": "n1"}}
        actions.publish(one, read_document(doc), actor=SYSTEM, now=NOW + DAY)

    page = ask(sign_in(shop), order=order.pk)

    assert re.search(r"Gentle .*The process let nobody in at .*12:00, when this came", page)
    assert re.search(
        r"Other .*still began with something else: the version with this beginning is from", page
    )


def test_a_person_is_told_about_processes_that_begin_with_people(shop: Shop, order: Order) -> None:
    first = make_process(shop, name="First")
    stopped = make_process(shop, name="Tagged", entry={"on": "tag.set", "tags": ["vip"]}, goals=[])
    make_process(shop, name="Other tag", entry={"on": "tag.set", "tags": ["gone"]}, goals=[])
    make_process(shop, name="By hand", entry={"on": "manual"}, goals=[])
    make_process(
        shop, name="Afterwards", goals=[],
        entry={"on": "process.ended", "process": first.pk, "outcomes": ["completed"]},
    )  # fmt: skip
    actions.set_status(stopped, "stopped", actor=SYSTEM, now=NOW - HOUR)
    come(order)
    assert order.contact is not None
    tag_by_hand(order.contact, add=["VIP"], actor=SYSTEM, now=NOW)
    Order.objects.update(paid_at=NOW + HOUR, paid_learnt_at=NOW + HOUR, captured=order.total)
    Enrolment.objects.update(run_at=NOW + HOUR)
    later(2 * HOUR)

    page = ask(sign_in(shop), contact=order.contact_id)

    assert re.search(r"Tagged Anna did not get “Tagged”\. The process let nobody in at .*12:00", page)
    assert (
        "Other tag Anna has not got “Other tag” yet. What the process begins with has not happened." in page
    )
    assert "By hand Anna has not got “By hand” yet. Nobody has put them into it" in page
    assert re.search(r"They came to the end of the other process at .*13:00, but not in a way", page)
    about_the_order = page.split(f"Order {order.number}")[-1]
    assert re.search(r"First entered .* It was paid at .*13:00", about_the_order)


def test_who_came_to_a_process_about_people_with_an_order_is_told_as_a_person(
    shop: Shop, order: Order
) -> None:
    asked = {"if": {"f": "contact.locale", "op": "=", "v": "xx"}}
    first = make_process(shop, name="First", nodes={"n1": {"t": "end"}})
    make_process(
        shop, name="Afterwards", entry={"on": "process.ended", "process": first.pk, **asked}, goals=[]
    )
    come(order)
    outbox.dispatch()

    assert "It did not meet the condition" in ask(sign_in(shop), contact=order.contact_id)


def test_a_limit_is_told_with_its_count(shop: Shop, order: Order) -> None:
    make_process(shop, name="Gentle")
    come(order)
    later(DAY + HOUR)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_message SET state = 'cancelled', reason = 'cap', settled_at = %s",
            [NOW + DAY + HOUR],
        )

    assert "Too many messages in a short time: 0 messages in the 24 hours before" in ask(
        sign_in(shop), order=order.pk
    )


def test_somebody_is_found_and_led_to_what_they_ordered(shop: Shop, order: Order) -> None:
    process = make_process(shop, name="Gentle")
    come(order)
    client = sign_in(shop)
    assert order.contact is not None

    found = client.get(
        "/s/lumen/why/", {"find": order.contact.email or "", "process": str(process.pk)}
    ).content.decode()
    person = ask(client, contact=order.contact_id)

    assert f"contact={order.contact_id}" in found
    assert f"Order {order.number}" in person
    for page in (f"orders/{order.pk}", f"customers/{order.contact_id}", f"processes/{process.pk}"):
        assert "/s/lumen/why/" in client.get(f"/s/lumen/{page}/").content.decode()


def test_another_shop_and_nonsense_answer_nothing(shop: Shop, order: Order) -> None:
    client = sign_in(shop)
    other = make_order(make_shop(), status="unpaid")

    for query in (f"order={other.pk}", f"contact={other.contact_id}", "cart=99", "process=99"):
        assert client.get(f"/s/lumen/why/?{query}").status_code == 404
    assert "Nobody was found." in ask(client, find="zzzzzz")
    assert Process.objects.count() == 0


def test_the_size_of_an_offer_that_chance_gave_is_named(shop: Shop, order: Order) -> None:
    make_settings(shop)
    nodes = {
        "n1": {"t": "offer", "sizes": ["7", "9"], "valid": "P2D", "out": {"granted": "n2"}},
        "n2": {"t": "end"},
    }
    make_process(shop, nodes=nodes, goals=[])
    come(order)
    arm = StepLog.objects.get(outcome=Code.SPLIT).arm or 0

    told = ask(sign_in(shop), order=order.pk)

    assert f"Chance gave them this of the sizes that are tried: {(7, 9)[arm]}%" in told
