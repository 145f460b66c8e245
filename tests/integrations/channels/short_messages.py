"""Harness of providers of short messages: a stand-in on this machine and the account of a shop."""

import itertools
from typing import Protocol

from recoup.messaging.models import SmsAccount
from recoup.shops.models import Shop
from tests.factories.messages import make_sms_account
from tests.integrations.channels.harness import Had
from tests.support.sms_servers import BEHAVIOURS, Taken

_numbers = itertools.count(10_000)
_ENDINGS = {how: ending for ending, how in BEHAVIOURS.items()}


class Server(Protocol):
    """A stand-in."""

    port: int
    most: int
    token: str
    messages: list[Taken]
    requests: list[tuple[str, str]]


class SmsHarness:
    """A provider of short messages."""

    channel = "sms"
    can_repeat = True

    def __init__(self, server: Server, provider: str) -> None:
        self.server, self.provider = server, provider

    def set_up(self, shop: Shop) -> None:
        """Let the shop send through the stand-in."""
        make_sms_account(shop, port=self.server.port, provider=self.provider)

    def address(self, how: str = "") -> str:
        """Return a new Polish mobile number whose messages are treated so; the next ones stand in other ranges."""
        return f"+4850{str(next(_numbers))[::-1]}{_ENDINGS.get(how, '00')}"

    def had(self) -> list[Had]:
        """Return what was taken so far."""
        return [Had(one.number, one.ref, one.at) for one in self.server.messages]

    def connections(self) -> int:
        """Return how often it was asked anything."""
        return len(self.server.requests)

    def limit(self, most: int) -> None:
        """Answer 429 after so many messages."""
        self.server.most = most

    def spoil(self, shop: Shop) -> None:
        """Let the token be wrong."""
        self._token(shop, "wrong")

    def mend(self, shop: Shop) -> None:
        """Let it be right."""
        self._token(shop, "right")

    def leave_home(self, shop: Shop) -> None:
        """Let the shop write to the provider itself."""
        SmsAccount.objects.filter(shop=shop).update(base_url="")

    def _token(self, shop: Shop, token: str) -> None:
        account = SmsAccount.objects.get(shop=shop)
        account.secret = token
        account.save()
