"""The whole way of a message: queued, claimed, written, checked, handed over, ended."""

import email
import email.policy

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.customers.actions import Consent, record_consent
from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.events import MessageSettled
from recoup.messaging.models import Message
from recoup.messaging.sender.loop import Sender
from recoup.shops.models import Shop
from tests.factories.messages import make_mail_account, make_message_source
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.messaging.sender.roads import make_road, state_of
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(sink: SmtpSink) -> Shop:
    with scopes_disabled():
        shop = make_shop(name="Pottery", address="1 Market Square", phone="+48 600 100 200")
        make_mail_account(shop, port=sink.port)
        make_template(shop)
    return shop


def test_queued_message_is_sent_once_with_its_link(
    shop: Shop, sink: SmtpSink, sender: Sender, settled: list[MessageSettled]
) -> None:
    with scopes_disabled():
        order = make_order(shop, number="1042")
        source = make_message_source(shop)
        reminder = MessageOrder(
            shop_id=shop.pk,
            contact_id=order.contact_id or 0,
            template_key="reminder",
            locale="en",
            due_at=NOW,
            not_after=NOW + DAY,
            source_id=source.pk,
            enrolment_id=77,
            step_no=2,
            order_id=order.pk,
        )

        queued = [queue_messages([reminder], now=NOW), queue_messages([reminder], now=NOW)]
        looked_at = [sender.run_once(), sender.run_once()]
        outbox.dispatch()

        message = Message.objects.get()
    (mail,) = sink.mails()
    parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
    plain = parsed.get_body(("plain",))
    assert plain is not None
    assert (queued, looked_at) == ([1, 0], [1, 0])
    assert (message.state, message.reason, message.attempt) == ("sent", "", 0)
    assert mail.recipients == [message.recipient]
    assert parsed["Message-ID"] == f"<{message.message_ref}>"
    assert parsed["Subject"] == "Your order 1042"
    assert "https://recoup.example/pay/" in plain.get_content()
    assert message.handed_at is not None
    assert settled == [MessageSettled(shop.pk, message.pk, 77, 2, None, "sent", message.handed_at)]


@pytest.mark.parametrize("kind", ["order", "cart"])
def test_the_header_of_a_mail_that_left_lets_its_reader_leave_before_the_next_one(
    sink: SmtpSink, sender: Sender, kind: str
) -> None:
    with scopes_disabled():
        road = make_road(sink.port)
        contact = make_contact(road.shop)
        record_consent(contact, [Consent(purpose="marketing", is_given=True, source="shop", at=NOW)], now=NOW)
        subject = make_order(road.shop, contact=contact) if kind == "order" else road.cart(contact=contact)
        first = road.reminder(subject)
        sender.run_once()

        (mail,) = sink.mails()
        parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
        link = parsed["List-Unsubscribe"].strip("<>")
        body = dict([parsed["List-Unsubscribe-Post"].split("=")])
        asked = Client().get(link.removeprefix("https://recoup.example"))
        second = road.reminder(subject)
        left = Client().post(link.removeprefix("https://recoup.example"), body)
        sender.run_once()

    assert (asked.status_code, left.status_code) == (200, 200)
    assert link.startswith("https://recoup.example/out/")
    assert (state_of(first), state_of(second)) == (("sent", ""), ("cancelled", "suppressed"))
    assert len(sink.mails()) == 1
