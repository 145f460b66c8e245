"""A channel that has no room hands a message on to the next one; what holds over all channels holds it."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.customers.actions import suppress
from recoup.customers.models import ContactGate
from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.models import MailAccount, Message, SmsAccount, Template
from recoup.messaging.sender.loop import Sender
from recoup.orders.models import Order
from tests.factories.messages import make_lane, make_message, make_sms_account
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.templates import make_template
from tests.messaging.sender.roads import Road, make_road, state_of
from tests.support.sms_servers import SmsapiServer
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
BY_MAIL = (("email", "reminder"),)


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def sms() -> Iterator[SmsapiServer]:
    with SmsapiServer() as server:
        yield server


@pytest.fixture
def road(sink: SmtpSink, sms: SmsapiServer) -> Road:
    road = make_road(sink.port)
    make_sms_account(road.shop, port=sms.port)
    make_template(road.shop, key="short", channel="sms")
    return road


@pytest.fixture
def order(road: Road) -> Order:
    return make_order(road.shop, contact=make_contact(road.shop, phone="+48512345600"))


def sent_before(road: Road, order: Order, count: int = 2) -> None:
    """Let a person have had short messages in this week, about other orders."""
    lane = make_lane(road.shop, channel="sms")
    for number in range(count):
        other = make_order(road.shop, contact=order.contact, payment_state="paid", placed_at=NOW - 20 * DAY)
        at = NOW - (2 + number) * DAY
        make_message(other, lane=lane, channel="sms", state="sent", handed_at=at, purpose="reminder")


def sent(
    road: Road,
    order: Order,
    sender: Sender,
    *,
    closed: Callable[[Road, Order], None] | None = None,
    **values: Any,
) -> Message:
    """Queue a short message with a mail behind it, which may be closed, and let the sender do what it can."""
    wish = MessageOrder(
        **{
            "shop_id": road.shop.pk,
            "contact_id": order.contact_id or 0,
            "template_key": "short",
            "locale": "en",
            "due_at": NOW,
            "not_after": NOW + 2 * DAY,
            "source_id": road.source.pk,
            "enrolment_id": 77,
            "step_no": 5,
            "order_id": order.pk,
            "channel": "sms",
            "otherwise": BY_MAIL,
            **values,
        }
    )
    queue_messages([wish], now=NOW)
    if closed is not None:
        closed(road, order)
    for _ in range(3):
        sender.run_once()
    return Message.objects.latest("id")


def test_a_channel_with_its_cap_full_hands_on(
    road: Road, order: Order, sender: Sender, sink: SmtpSink, sms: SmsapiServer
) -> None:
    sent_before(road, order)

    message = sent(road, order, sender)

    assert (state_of(message), message.channel) == (("sent", ""), "email")
    assert message.passed_over == [["sms", "channel_cap"]]
    assert (len(sink.mails()), len(sms.messages)) == (1, 0)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [({"daily_cap": Decimal("0.01")}, "cost_cap"), ({"per_number_day": 0}, "number_cap")],
)
@pytest.mark.parametrize("hours", [2, 48])
def test_money_that_is_spent_and_a_number_that_had_its_share_hand_on(
    road: Road, order: Order, sender: Sender, limits: dict[str, Any], reason: str, hours: int
) -> None:
    SmsAccount.objects.update(**limits)

    message = sent(road, order, sender, not_after=NOW + hours * HOUR)

    assert (state_of(message), message.channel) == (("sent", ""), "email")
    assert message.passed_over == [["sms", reason]]
    assert (message.parts, message.price) == (None, None)


def test_a_full_channel_waits_where_there_is_no_other(road: Road, order: Order, sender: Sender) -> None:
    sent_before(road, order)

    message = sent(road, order, sender, otherwise=(), not_after=NOW + 7 * DAY)

    assert (state_of(message), message.channel) == (("due", "channel_cap"), "sms")
    assert message.due_at > NOW


def test_a_full_channel_waits_where_the_other_has_no_address(road: Road, sender: Sender) -> None:
    order = make_order(road.shop, contact=make_contact(road.shop, email="", phone="+48512345600"))
    sent_before(road, order)

    message = sent(road, order, sender, not_after=NOW + 7 * DAY)

    assert (state_of(message), message.channel) == (("due", "channel_cap"), "sms")


def objects(road: Road, order: Order) -> None:
    assert order.contact is not None
    suppress(road.shop.pk, order.contact.email, scope="reminders", reason="unsubscribed", now=NOW)


def has_no_account(road: Road, order: Order) -> None:
    MailAccount.objects.update(host="")


def has_no_text(road: Road, order: Order) -> None:
    Template.objects.filter(key="reminder").update(current_version=None)


def never_agreed(road: Road, order: Order) -> None:
    Message.objects.filter(state="due").update(
        fallback=[
            {
                "channel": "email",
                "template": "reminder",
                "class": "needs_consent",
                "content": "advertising",
                "relation": "neither",
            }
        ]
    )


@pytest.mark.parametrize("closed", [objects, has_no_account, has_no_text, never_agreed])
def test_a_full_channel_waits_where_the_other_could_not_or_may_not_have_it(
    road: Road, order: Order, sender: Sender, closed: Callable[[Road, Order], None]
) -> None:
    sent_before(road, order)

    message = sent(road, order, sender, closed=closed, not_after=NOW + 7 * DAY)

    assert (state_of(message), message.channel) == (("due", "channel_cap"), "sms")
    assert (message.passed_over, len(message.fallback)) == (None, 1)


def test_a_cap_over_all_channels_is_no_reason_to_take_another(
    road: Road, order: Order, sender: Sender
) -> None:
    sent_before(road, order)
    ContactGate.objects.filter(contact=order.contact).update(recent=[NOW - HOUR, NOW - 2 * HOUR])

    message = sent(road, order, sender)

    assert (state_of(message), message.channel) == (("due", "cap"), "sms")
