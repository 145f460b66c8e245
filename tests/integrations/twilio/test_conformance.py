"""Twilio against the suite of channels."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from recoup.customers.models import Suppression
from recoup.integrations.twilio import channel
from recoup.messaging.sender.loop import Sender
from tests.integrations.channels.conformance import ChannelConformance, RaceConformance, send_all
from tests.integrations.channels.harness import Street
from tests.integrations.channels.short_messages import SmsHarness
from tests.integrations.channels.telling import SmsConformance, call, report
from tests.support.sms_servers import TwilioServer


@pytest.fixture
def harness(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsHarness]:
    """Return a stand-in, whose list of messages is never behind, and how to speak of it."""
    monkeypatch.setattr(channel, "_ASKED_AFTER", (0.05, 0.1, 0.2))
    with TwilioServer() as server:
        yield SmsHarness(server, "twilio")


@pytest.mark.django_db
class TestTwilio(ChannelConformance, SmsConformance):
    """Twilio holds all of it."""

    def test_a_number_that_is_gone_gets_nothing_more(self, street: Street, sender: Sender) -> None:
        message = street.reminder()
        send_all(sender)

        report(street, message, "gone")

        found = Suppression.objects.get()
        assert (found.channel, found.scope, found.reason) == ("sms", "all", "bounced")

    def test_reports_over_an_address_of_before_still_count(
        self, street: Street, sender: Sender, settings: Settings
    ) -> None:
        message = street.reminder()
        send_all(sender)
        settings.PUBLIC_URLS = ["https://recoup.example", "https://before.example"]
        fields = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": message.recipient}
        bases = ("https://never.example", "https://before.example")

        told = [call(street, "report", fields, ref=message.message_ref, base=base) for base in bases]

        message.refresh_from_db()
        assert (told, message.delivery) == ([401, 200], "delivered")


@pytest.mark.django_db(transaction=True)
class TestTwilioRace(RaceConformance):
    """Twilio, against payers."""
