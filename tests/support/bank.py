"""A demo bank in threads of the test, whose calls are brought to our hook when the test says so."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.test import Client

from recoup.integrations.demobank.bank import Deed
from recoup.integrations.demobank.server import BankServer, running
from recoup.payments.models import Attempt, OperatorAccount
from recoup.shops.models import Shop
from tests.factories.operators import make_operator_account


@dataclass
class TestBank:
    """The bank, its unanswered calls, and the account of one shop."""

    __test__ = False
    server: BankServer
    sent: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def account(self, shop: Shop, **values: object) -> OperatorAccount:
        """Make an account of a shop with this bank."""
        return make_operator_account(shop, base_url=self.server.origin, **values)

    def act(self, attempt: Attempt, **deed: object) -> None:
        """Let the buyer do something at the bank's page."""
        self.server.bank.act(attempt.ref, Deed(**deed))  # type: ignore[arg-type]

    def deliver(self) -> list[int]:
        """Bring the bank's calls to our hook and return what it answered."""
        calls, self.sent[:] = list(self.sent), []
        return [
            Client()
            .post(
                address.removeprefix("http://127.0.0.1:8000"),
                data=body,
                content_type=headers["content-type"],
                headers={name: value for name, value in headers.items() if name.startswith("webhook-")},
            )
            .status_code
            for address, body, headers in calls
        ]


@contextmanager
def test_bank() -> Iterator[TestBank]:
    """Run a bank for the length of a block."""
    sent: list[tuple[str, bytes, dict[str, str]]] = []

    def catch(address: str, body: bytes, headers: dict[str, str]) -> int:
        sent.append((address, body, headers))
        return 200

    with running(caller=catch) as server:
        yield TestBank(server, sent)


test_bank.__test__ = False  # type: ignore[attr-defined]
