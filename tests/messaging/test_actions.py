"""Queueing, calling off, and what people decide about messages."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import Actor
from recoup.core.models import Activity
from recoup.messaging.actions import (
    MessageOrder,
    NotFailed,
    NotUncertain,
    Verdict,
    queue_messages,
    retry_failed,
    send_by_hand,
    settle_uncertain,
)
from recoup.messaging.calling_off import request_cancel
from recoup.messaging.dayness import DayOver
from recoup.messaging.events import MessageSettled
from recoup.messaging.message_sources import make_source, set_source_state
from recoup.messaging.models import Lane, Message
from recoup.shops.models import Shop
from tests.factories.messages import make_mail_account, make_message, make_message_source
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.shops import make_shop
from tests.factories.templates import make_template

pytestmark = pytest.mark.django_db

CLERK = Actor("person", 4)


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def wish(shop: Shop, **values: Any) -> MessageOrder:
    """Return a wish for a reminder about a new order, of enrolment 7, step 1."""
    order = values.pop("order", None) or make_order(shop)
    defaults: dict[str, Any] = {
        "shop_id": shop.pk,
        "contact_id": order.contact_id,
        "template_key": "reminder",
        "locale": "pl",
        "due_at": NOW,
        "not_after": NOW + DAY,
        "enrolment_id": 7,
        "step_no": 1,
        "order_id": order.pk,
    }
    return MessageOrder(**{**defaults, **values})


def test_queueing_fixes_class_lane_recipient_and_message_id(shop: Shop) -> None:
    template = make_template(shop)
    make_mail_account(shop, port=25)
    source = make_message_source(shop)
    order = make_order(shop)

    queued = queue_messages([wish(shop, order=order, source_id=source.pk, node="n4", case_id=3)], now=NOW)

    message = Message.objects.get()
    assert queued == 1
    assert (message.state, message.prio, message.attempt, message.queued_at) == ("due", 1, 0, NOW)
    assert (message.message_class, message.purpose, message.is_test) == ("contract", "reminder", False)
    assert (message.recipient, message.contact_id) == (
        order.contact and order.contact.email,
        order.contact_id,
    )
    assert (message.template, message.source, message.node, message.case_id) == (template, source, "n4", 3)
    assert message.lane == Lane.objects.get(shop=shop)
    assert message.message_ref.endswith("@shop.example")


def test_one_person_one_step_one_cycle_is_queued_once(shop: Shop) -> None:
    first = wish(shop)
    other_step, other_person = replace(first, step_no=2), replace(first, enrolment_id=8)

    counts = [queue_messages([first, other_step], now=NOW), queue_messages([first, other_person], now=NOW)]

    assert counts == [2, 1]
    assert len(set(Message.objects.values_list("message_ref", flat=True))) == 3


@pytest.mark.django_db(transaction=True)
def test_the_same_wish_from_many_sides_at_once_is_one_message(shop: Shop) -> None:
    one, counts, barrier = wish(shop), [], threading.Barrier(4)

    def queue() -> None:
        barrier.wait()
        counts.append(queue_messages([one], now=NOW))
        connection.close()

    threads = [threading.Thread(target=queue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (sorted(counts), Message.objects.count(), Lane.objects.count()) == ([0, 0, 0, 1], 1, 1)


def test_the_same_key_gives_the_same_message_id_after_a_rollback(shop: Shop) -> None:
    one, refs = wish(shop), []
    for _ in range(2):
        with transaction.atomic():
            queue_messages([one], now=NOW)
            refs.append(Message.objects.get().message_ref)
            transaction.set_rollback(True)

    assert refs[0] == refs[1]


def test_a_reminder_of_a_cart_needs_consent_and_the_buyers_wish_goes_first(shop: Shop) -> None:
    cart = make_cart(shop)
    asked = wish(
        shop,
        order_id=None,
        cart_id=cart.pk,
        contact_id=cart.contact_id,
        is_asked_for=True,
        enrolment_id=None,
        manual_key="k",
    )

    queue_messages([asked], now=NOW)

    message = Message.objects.get()
    assert (message.message_class, message.prio, message.is_asked_for) == ("needs_consent", 0, True)


def test_a_shop_in_test_mode_makes_messages_that_never_leave() -> None:
    queue_messages([wish(make_shop(live_since=None))], now=NOW)

    assert Message.objects.get().is_test


def test_a_person_of_another_shop_gets_no_message(shop: Shop) -> None:
    foreign = make_order(make_shop())

    assert queue_messages([wish(shop, contact_id=foreign.contact_id)], now=NOW) == 0


def test_queueing_more_costs_no_more_statements(shop: Shop) -> None:
    queue_messages([wish(shop)], now=NOW)
    counts = []
    for size in (1, 3):
        wishes = [wish(shop, enrolment_id=100 * size + number) for number in range(size)]
        with CaptureQueriesContext(connection) as captured:
            assert queue_messages(wishes, now=NOW) == size
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_calling_off_ends_what_waits_at_once_and_marks_what_is_held(
    shop: Shop, settled: list[MessageSettled]
) -> None:
    order = make_order(shop)
    states = ("due", "claimed", "handing", "sent", "uncertain")
    messages = [make_message(order, state=state, enrolment_id=number) for number, state in enumerate(states)]
    by_hand = make_message(order, enrolment_id=None, manual_key="k")

    count = request_cancel(order_ids=[order.pk], reason="taken_over", now=NOW)
    again = request_cancel(enrolment_ids=[0, 1, 2], reason="ended", now=NOW + HOUR)
    outbox.dispatch()

    for message in (*messages, by_hand):
        message.refresh_from_db()
    assert (count, again) == (3, 2)
    assert [message.state for message in messages] == ["cancelled", "claimed", "handing", "sent", "uncertain"]
    assert [message.cancel_requested_at for message in messages] == [NOW, NOW, NOW, None, None]
    assert (messages[0].reason, messages[0].settled_at, by_hand.state) == ("taken_over", NOW, "due")
    assert settled == [MessageSettled(shop.pk, messages[0].pk, 0, 1, None, "cancelled", NOW)]


def test_calling_off_nothing_asks_nothing() -> None:
    assert request_cancel(reason="ended", now=NOW) == 0


def test_a_source_that_runs_again_brings_back_what_its_pause_put_off(shop: Shop) -> None:
    source, other = make_source(shop, name="Unpaid"), make_source(shop, name="Cart")
    put_off = make_message(make_order(shop), source=source, reason="source_paused", due_at=NOW + HOUR)
    capped = make_message(make_order(shop), source=source, reason="cap", due_at=NOW + HOUR)
    others = make_message(make_order(shop), source=other, reason="source_paused", due_at=NOW + HOUR)

    set_source_state(source.pk, "paused", now=NOW)
    paused_at = Message.objects.get(pk=put_off.pk).due_at
    set_source_state(source.pk, "live", now=NOW)

    source.refresh_from_db()
    due = [Message.objects.get(pk=message.pk).due_at for message in (put_off, capped, others)]
    assert (source.state, paused_at, due) == ("live", NOW + HOUR, [NOW, NOW + HOUR, NOW + HOUR])


def test_sending_by_hand_is_once_for_a_click_and_leaves_a_line(shop: Shop) -> None:
    click = wish(shop, enrolment_id=None, step_no=None, manual_key="click-1")

    first = send_by_hand(click, actor=CLERK, now=NOW)
    second = send_by_hand(click, actor=CLERK, now=NOW)

    assert first == second
    assert Message.objects.count() == 1
    assert list(Activity.objects.values_list("verb", "actor_id")) == [("messaging.message.sent_by_hand", 4)]


def test_sending_by_hand_needs_a_key(shop: Shop) -> None:
    with pytest.raises(ValueError, match="key of the click"):
        send_by_hand(wish(shop), actor=CLERK, now=NOW)


@pytest.mark.parametrize(
    ("verdict", "state", "reason", "told"),
    [
        ("delivered", "sent", "delivered", [("sent", NOW)]),
        ("not_delivered", "failed", "not_delivered", [("failed", NOW + HOUR)]),
        ("send_again", "due", "", []),
    ],
)
def test_a_person_settles_what_is_uncertain_once(
    shop: Shop,
    settled: list[MessageSettled],
    verdict: Verdict,
    state: str,
    reason: str,
    told: list[tuple[str, datetime]],
) -> None:
    message = make_message(
        make_order(shop), state="uncertain", handed_at=NOW, settled_at=NOW, lease_owner=5, not_after=NOW
    )

    settle_uncertain(message, verdict, now=NOW + HOUR, actor=CLERK)
    with pytest.raises(NotUncertain):
        settle_uncertain(message, "delivered", now=NOW + HOUR, actor=CLERK)
    outbox.dispatch()

    assert (message.state, message.reason, message.lease_owner) == (state, reason, None)
    assert [(one.state, one.at) for one in settled] == told
    assert list(Activity.objects.values_list("verb", flat=True)) == [f"messaging.message.{verdict}"]
    if verdict == "send_again":
        assert (message.due_at, message.not_after, message.handed_at) == (NOW + HOUR, NOW + HOUR + DAY, None)


def test_a_failed_message_is_tried_again_with_its_tries_counted_anew(shop: Shop) -> None:
    message = make_message(
        make_order(shop), state="failed", reason="refused", attempt=4, answer="554 no", settled_at=NOW
    )

    retry_failed(message, now=NOW + HOUR, actor=CLERK)
    with pytest.raises(NotFailed):
        retry_failed(message, now=NOW + HOUR, actor=CLERK)

    assert (message.state, message.reason, message.attempt, message.settled_at) == ("due", "", 0, None)
    assert (message.due_at, message.not_after) == (NOW + HOUR, NOW + HOUR + DAY)


def test_another_shops_message_is_not_settled(shop: Shop) -> None:
    message = make_message(make_order(shop), state="uncertain")
    message.shop_id = make_shop().pk

    with pytest.raises(NotUncertain):
        settle_uncertain(message, "delivered", now=NOW)

    assert Message.objects.get(pk=message.pk).state == "uncertain"


def test_what_says_today_is_true_until_midnight_whoever_sends_it_again(shop: Shop) -> None:
    ends = NOW + 2 * HOUR
    queue_messages([wish(shop, not_after=ends, day_ends_at=ends)], now=NOW)
    message = Message.objects.get()
    assert (message.not_after, message.day_ends_at) == (ends, ends)

    Message.objects.update(state="failed")
    retry_failed(message, now=NOW + HOUR, actor=CLERK)
    assert message.not_after == ends

    Message.objects.update(state="uncertain", handed_at=NOW)
    assert settle_uncertain(message, "send_again", now=ends - HOUR, actor=CLERK).not_after == ends


def test_what_says_today_is_not_sent_again_once_its_day_is_over(shop: Shop) -> None:
    perhaps, failed = (
        make_message(
            make_order(shop), state=state, handed_at=NOW, not_after=NOW + HOUR, day_ends_at=NOW + HOUR
        )
        for state in ("uncertain", "failed")
    )

    with pytest.raises(DayOver):
        settle_uncertain(perhaps, "send_again", now=NOW + HOUR, actor=CLERK)
    with pytest.raises(DayOver):
        retry_failed(failed, now=NOW + HOUR, actor=CLERK)

    rows = Message.objects.order_by("id").values_list("state", "handed_at")
    assert list(rows) == [("uncertain", NOW), ("failed", NOW)]  # the first may have arrived: it still says so
    assert settle_uncertain(perhaps, "delivered", now=NOW + DAY, actor=CLERK).state == "sent"
