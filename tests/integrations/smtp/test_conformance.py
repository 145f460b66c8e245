"""Mail by SMTP against the suite of channels."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from recoup.messaging.models import MailAccount
from recoup.shops.models import Shop
from tests.factories.messages import make_mail_account
from tests.integrations.channels.conformance import ChannelConformance, RaceConformance
from tests.integrations.channels.harness import Had
from tests.support.smtp_sink import SinkOptions, SmtpSink

_HOW = {
    "": "",
    "busy": "+421",
    "later": "+450",
    "refused": "+554data",
    "gone": "+550",
    "lost_after": "+cutafterdot",
    "lost_before": "+cutbefore",
    "slow": "+slow1.0",
}
_numbers = itertools.count(1)


class SmtpHarness:
    """A mail server on this machine; credentials are asked for."""

    channel = "email"
    can_repeat = False

    def __init__(self, sink: SmtpSink) -> None:
        self.sink = sink

    def set_up(self, shop: Shop) -> None:
        """Let the shop send through the server."""
        make_mail_account(shop, port=self.sink.port, username="shop", password="right")

    def address(self, how: str = "") -> str:
        """Return a new address whose mails are treated so."""
        return f"u{next(_numbers)}{_HOW[how]}@x.example"

    def had(self) -> list[Had]:
        """Return what was taken so far."""
        return [Had(mail.recipients[0], "", mail.data_at) for mail in self.sink.mails()]

    def connections(self) -> int:
        """Return how often somebody connected."""
        return self.sink.connections

    def limit(self, most: int) -> None:
        """Answer 421 after so many mails."""
        self.sink.options = replace(self.sink.options, most=most)

    def spoil(self, shop: Shop) -> None:
        """Let the password be wrong."""
        self._password(shop, "wrong")

    def mend(self, shop: Shop) -> None:
        """Let it be right."""
        self._password(shop, "right")

    def leave_home(self, shop: Shop) -> None:
        """Point the shop at a relay at another port than the demo's mailbox."""

    def _password(self, shop: Shop, password: str) -> None:
        account = MailAccount.objects.get(shop=shop)
        account.password = password
        account.save()


@pytest.fixture
def harness() -> Iterator[SmtpHarness]:
    """Return a mail server and how to speak of it."""
    with SmtpSink(SinkOptions(username="shop", password="right")) as sink:
        yield SmtpHarness(sink)


@pytest.mark.django_db
class TestSmtp(ChannelConformance):
    """Mail holds all of it."""


@pytest.mark.django_db(transaction=True)
class TestSmtpRace(RaceConformance):
    """Mail, against payers."""
