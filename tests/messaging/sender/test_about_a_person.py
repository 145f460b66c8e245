"""Messages about a person without an order: advertising, sent by the real sender, left by one click."""

import email
import email.policy
import itertools
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.core.models import Link
from recoup.customers.actions import Consent, record_consent
from recoup.customers.merging import merge_contacts
from recoup.customers.models import Contact
from recoup.customers.queries import suppression_scopes
from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.models import Message, SendingRule
from recoup.messaging.rules.book import Cell
from recoup.messaging.rules.changing import change_rule
from recoup.messaging.sender.loop import Sender
from tests.factories.clock import set_clock
from tests.factories.messages import make_message_source
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.templates import make_template
from tests.messaging.sender.roads import Road, make_road, waits_until
from tests.support.smtp_sink import SmtpSink

pytestmark = pytest.mark.django_db
_numbers = itertools.count(1)


@pytest.fixture
def road(sink: SmtpSink) -> Road:
    with scopes_disabled():
        road = make_road(sink.port)
        make_template(road.shop, key="moved", kind="customer")
        return road


def agrees(contact: Contact) -> Contact:
    record_consent(
        contact, [Consent(purpose="marketing", is_given=True, source="shop", at=NOW - DAY)], now=NOW
    )
    return contact


def write(road: Road, contact: Contact, **values: Any) -> Message:
    number = next(_numbers)
    wish: dict[str, Any] = {
        "shop_id": road.shop.pk,
        "contact_id": contact.pk,
        "template_key": "moved",
        "locale": "",
        "due_at": NOW,
        "not_after": NOW + DAY,
        "source_id": road.source.pk,
        "enrolment_id": number,
        "step_no": 1,
    }
    assert queue_messages([MessageOrder(**{**wish, **values})], now=NOW) == 1
    return Message.objects.get(enrolment_id=number)


def end_of(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.reason


def test_it_is_advertising_in_the_language_of_the_person(road: Road) -> None:
    with scopes_disabled():
        told = write(road, make_contact(road.shop, locale="pl", country="PL"))
        american = write(road, make_contact(road.shop, country="US"))
        sms_to = make_contact(road.shop, country="US", phone="+12025550123")
        make_template(road.shop, key="moved_sms", kind="cart", channel="sms")
        short = write(road, sms_to, template_key="moved_sms", channel="sms")

    assert (told.locale, told.order_id, told.cart_id) == ("pl", None, None)
    assert (told.content, told.relation, told.message_class) == ("advertising", "neither", "needs_consent")
    assert american.message_class == "soft_opt_in"
    assert (short.content, short.message_class) == ("advertising", "needs_consent")


def test_a_buyer_of_a_shop_that_told_them_is_a_customer(road: Road) -> None:
    with scopes_disabled():
        anna = make_contact(road.shop, country="DE")
        make_order(road.shop, contact=anna, payment_state="paid", paid_at=NOW - DAY)
        SendingRule(shop=road.shop, content="ground", verdict="told", was="not_told", changed_at=NOW).save(
            force_insert=True
        )
        message = write(road, anna)

    assert (message.relation, message.message_class) == ("customer", "soft_opt_in")


def test_it_is_sent_and_its_reader_leaves_by_one_click(road: Road, sink: SmtpSink, sender: Sender) -> None:
    with scopes_disabled():
        anna = agrees(make_contact(road.shop))
        first = write(road, anna)
        sender.run_once()
        (mail,) = sink.mails()
        parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
        link = parsed["List-Unsubscribe"].strip("<>").removeprefix("https://recoup.example")
        kinds = set(Link.objects.values_list("subject_kind", "subject_id", "contact_id"))
        plain = parsed.get_body(("plain",))
        assert plain is not None
        why = next(word for word in plain.get_content().split() if "/why/" in word)
        page = Client().get(why.strip("()<>[]").removeprefix("https://recoup.example"))
        asked = Client().get(link)
        second = write(road, anna)
        left = Client().post(link, {"List-Unsubscribe": "One-Click"})
        sender.run_once()

        assert (end_of(first), end_of(second)) == (("sent", ""), ("cancelled", "suppressed"))
        assert suppression_scopes(road.shop.pk, anna.email) == {"marketing"}
    assert parsed["Subject"] == "From Pottery"
    assert "Hello Anna" in plain.get_content()
    assert kinds == {("contact", anna.pk, anna.pk)}
    assert (page.status_code, asked.status_code, left.status_code) == (200, 200, 200)
    assert "one of its customers" in page.content.decode()
    assert "Because you agreed" in page.content.decode()
    assert len(sink.mails()) == 1


def test_the_link_of_somebody_who_was_merged_lets_the_one_who_stayed_leave(
    road: Road, sink: SmtpSink, sender: Sender
) -> None:
    with scopes_disabled():
        set_clock(NOW - HOUR)  # whose word of leaving is older than what the sender sees
        kept, gone = make_contact(road.shop), agrees(make_contact(road.shop))
        write(road, gone)
        sender.run_once()
        (mail,) = sink.mails()
        parsed = email.message_from_bytes(mail.content, policy=email.policy.default)
        link = parsed["List-Unsubscribe"].strip("<>").removeprefix("https://recoup.example")
        agrees(kept)
        merge_contacts(kept, gone, actor=SYSTEM, now=NOW)

        left = Client().post(link, {"List-Unsubscribe": "One-Click"})
        later = write(road, kept)
        sender.run_once()

        assert left.status_code == 200
        assert end_of(later)[0] == "cancelled"


@pytest.mark.parametrize(
    ("person", "reason"),
    [({}, "no_consent"), ({"email": ""}, "no_address"), ({"erased_at": NOW}, "erased")],
)
def test_who_may_not_be_written_to_is_left_out_with_the_reason(
    road: Road, sink: SmtpSink, sender: Sender, person: dict[str, Any], reason: str
) -> None:
    with scopes_disabled():
        message = write(road, make_contact(road.shop, **person))
        sender.run_once()

        assert end_of(message) == ("cancelled", reason)
    assert sink.mails() == []


def test_a_country_that_the_shop_forbids_gets_nothing(road: Road, sink: SmtpSink, sender: Sender) -> None:
    with scopes_disabled():
        waiting = write(road, agrees(make_contact(road.shop, country="GB")))
        change_rule(road.shop, Cell("GB", "advertising", "neither"), "forbidden", actor=SYSTEM, now=NOW)
        sender.run_once()

        assert end_of(waiting) == ("cancelled", "forbidden")
    assert sink.mails() == []


def test_what_goes_out_after_a_planned_rule_began_is_kept_as_what_that_rule_makes_of_it(
    road: Road, sender: Sender
) -> None:
    with scopes_disabled():
        waiting = write(road, agrees(make_contact(road.shop, country="US")))
        cell = Cell("US", "advertising", "neither")
        change_rule(road.shop, cell, "needs_consent", actor=SYSTEM, now=NOW - HOUR, holds_from=NOW)
        before = waiting.message_class
        sender.run_once()

        assert end_of(waiting)[0] == "sent"
        assert (before, waiting.message_class) == ("soft_opt_in", "needs_consent")


def test_it_counts_among_the_messages_of_the_day_and_waits_for_its_turn(
    road: Road, sink: SmtpSink, sender: Sender
) -> None:
    with scopes_disabled():
        anna = agrees(make_contact(road.shop))
        told = [write(road, anna, not_after=NOW + 2 * DAY) for _ in range(3)]
        sender.run_once()

        assert [end_of(one)[0] for one in told] == ["sent", "sent", "due"]
        assert waits_until(told[2]) is not None
        anna.gate.refresh_from_db()
        assert len(anna.gate.recent) == 2


def test_in_test_mode_and_from_a_stopped_process_nothing_leaves(
    road: Road, sink: SmtpSink, sender: Sender
) -> None:
    with scopes_disabled():
        anna = agrees(make_contact(road.shop))
        stopped = make_message_source(road.shop, state="stopped")
        shown = write(road, anna, is_test=True)
        late = write(road, anna, due_at=NOW - 2 * HOUR, not_after=NOW - timedelta(minutes=1))
        halted = write(road, anna, source_id=stopped.pk)
        sender.run_once()

        ends = [end_of(one) for one in (shown, late, halted)]
    assert ends == [("cancelled", "test_mode"), ("cancelled", "expired"), ("cancelled", "stopped")]
    assert sink.mails() == []
