"""A message is what the text says that it is really written from: a newer version, or that of another channel."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django_scopes import scopes_disabled
from pytest_django import DjangoAssertNumQueries

from recoup.customers.actions import Consent, record_consent
from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.models import Message, Template, TemplateVersion
from recoup.messaging.sender.claim import claim
from recoup.messaging.sender.loop import Sender
from recoup.messaging.sender.restating import restated
from recoup.messaging.sender.timing import Timing
from recoup.messaging.texts import current_texts
from recoup.orders.models import Order
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.offers import make_offer
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.templates import ORDER_TEXT, compiled, make_template
from tests.messaging.sender.roads import Road, make_road, state_of
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
OFFER_TEXT = ORDER_TEXT.replace("waits.", "waits. {{ offer.discount }} less.")


@pytest.fixture(autouse=True)
def _scopes() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def road(sink: SmtpSink) -> Road:
    return make_road(sink.port)


def queue(road: Road, order: Order, **values: Any) -> Message:
    wish = MessageOrder(
        **{
            "shop_id": road.shop.pk,
            "contact_id": order.contact_id or 0,
            "template_key": "reminder",
            "locale": "en",
            "due_at": NOW,
            "not_after": NOW + DAY,
            "source_id": road.source.pk,
            "enrolment_id": 77,
            "step_no": 5,
            "order_id": order.pk,
            **values,
        }
    )
    assert queue_messages([wish], now=NOW) == 1
    return Message.objects.latest("id")


def publish(template: Template, subject: str, body: str = ORDER_TEXT) -> None:
    """Publish another version of a text."""
    version = TemplateVersion(
        shop=template.shop,
        template=template,
        number=2,
        texts={"en": {"subject": subject, "body": body, "compiled": compiled("order", subject, body, "en")}},
        published_at=NOW,
    )
    version.save()
    Template.objects.filter(pk=template.pk).update(current_version=version)


@pytest.mark.parametrize(
    ("country", "has_agreed", "end"),
    [
        ("PL", False, ("cancelled", "no_consent")),
        ("PL", True, ("sent", "")),
        ("US", False, ("sent", "")),
    ],
)
def test_what_became_advertising_while_it_waited_goes_out_as_such(
    road: Road, sender: Sender, country: str, has_agreed: bool, end: tuple[str, str]
) -> None:
    contact = make_contact(road.shop, country=country)
    if has_agreed:
        word = Consent(purpose="marketing", is_given=True, source="shop", at=NOW - DAY)
        record_consent(contact, [word], now=NOW - DAY)
    message = queue(road, make_order(road.shop, contact=contact))
    before = message.message_class
    publish(road.texts["order"], "Pay today, 10% off")

    sender.run_once()

    assert (before, state_of(message)) == ("contract", end)
    assert (message.content, message.relation) == ("advertising", "order")
    assert message.message_class == ("soft_opt_in" if country == "US" else "needs_consent")


def test_what_advertises_no_more_is_about_the_order_again(road: Road, sender: Sender) -> None:
    template = make_template(road.shop, key="loud", texts={"en": ("10% off", ORDER_TEXT)})
    order = make_order(road.shop, contact=make_contact(road.shop, country="PL"))
    message = queue(road, order, template_key="loud")
    publish(template, "Your order waits")

    sender.run_once()

    assert (state_of(message), message.message_class) == (("sent", ""), "contract")


def test_nothing_is_asked_while_texts_say_what_they_said(
    road: Road, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for step in range(3):
        queue(road, make_order(road.shop), step_no=step)
    messages = claim(road.lane.pk, owner=1, now=NOW, timing=Timing())[1]
    texts = current_texts([road.texts["order"].pk])

    with django_assert_num_queries(0):
        found = restated(messages, texts, "en", now=NOW)

    assert found == messages
    assert len(found) == 3


@pytest.mark.parametrize("is_in_force", [True, False])
def test_a_second_channel_speaks_of_an_offer_that_the_first_did_not(
    road: Road, sender: Sender, is_in_force: bool
) -> None:
    make_template(road.shop, key="short", channel="sms")
    make_template(road.shop, key="with_offer", texts={"en": ("An offer", OFFER_TEXT)})
    order = make_order(road.shop, contact=make_contact(road.shop, country="US"))
    until = NOW + (DAY if is_in_force else -HOUR)
    offer = make_offer(order, enrolment_id=77, step_no=2, valid_until=until)
    message = queue(road, order, channel="sms", template_key="short", otherwise=(("email", "with_offer"),))

    sender.run_once()
    sender.run_once()

    assert state_of(message) == (("sent", "") if is_in_force else ("cancelled", "offer_over"))
    assert (message.channel, message.offer_id) == ("email", offer.pk)


def test_a_second_channel_that_speaks_of_no_offer_does_not_hang_on_one(road: Road, sender: Sender) -> None:
    order = make_order(road.shop)
    offer = make_offer(order, enrolment_id=77, step_no=2, valid_until=NOW - timedelta(hours=1))
    message = queue(road, order)
    Message.objects.filter(pk=message.pk).update(offer_id=offer.pk)

    sender.run_once()

    assert state_of(message) == ("sent", "")
