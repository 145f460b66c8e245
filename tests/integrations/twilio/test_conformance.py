"""Twilio against the suite of channels."""

from collections.abc import Iterator

import pytest

from tests.integrations.channels.conformance import ChannelConformance, RaceConformance
from tests.integrations.channels.short_messages import SmsHarness
from tests.integrations.channels.telling import SmsConformance
from tests.support.sms_servers import TwilioServer


@pytest.fixture
def harness() -> Iterator[SmsHarness]:
    """Return a stand-in and how to speak of it."""
    with TwilioServer() as server:
        yield SmsHarness(server, "twilio")


@pytest.mark.django_db
class TestTwilio(ChannelConformance, SmsConformance):
    """Twilio holds all of it."""


@pytest.mark.django_db(transaction=True)
class TestTwilioRace(RaceConformance):
    """Twilio, against payers."""
