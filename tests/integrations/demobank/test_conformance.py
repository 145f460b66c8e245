"""The demo bank passes the suite of operators."""

import itertools
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from recoup.core.money import exponent
from recoup.integrations.demobank import adapter, signing
from recoup.integrations.demobank.adapter import DemoBank
from recoup.integrations.demobank.bank import Deed, Fault
from recoup.integrations.demobank.server import BankServer, running
from recoup.integrations.demobank.words import DECLINES
from recoup.payments.models import Attempt
from tests.factories.operators import SECRET, make_operator_account
from tests.factories.shops import make_shop
from tests.integrations.operators.conformance import OperatorConformance
from tests.integrations.operators.harness import Call, OperatorHarness

OTHER_SECRET = "whsec_" + "b3RoZXItc2VjcmV0LW90aGVyLXNlY3JldA=="
_ids = itertools.count(1)


class DemoBankHarness(OperatorHarness):
    """Acts on the bank's own books."""

    method = "blik"
    declines = DECLINES

    def __init__(self, server: BankServer, sent: list[Call]) -> None:
        self.server, self.sent = server, sent
        self.bank, self.adapter = server.bank, DemoBank()
        self.account = make_operator_account(make_shop(), base_url=server.origin)

    def _id(self, attempt: Attempt) -> str:
        payment = self.bank.ledger.by_reference(self.account.key, attempt.key)
        assert payment is not None
        return str(payment["id"])

    def _do(self, attempt: Attempt, **deed: Any) -> None:
        self.bank.act(self._id(attempt), Deed(**deed))

    def pay(self, attempt: Attempt) -> None:
        self._do(attempt, do="pay")

    def decline(self, attempt: Attempt, code: str) -> None:
        self._do(attempt, do="decline", reason=code)

    def tell_late_failure(self, attempt: Attempt, code: str) -> None:
        self._do(attempt, do="fail_after_success", reason=code)

    def pay_other_sum(self, attempt: Attempt, amount: Decimal, currency: str) -> None:
        minor = int(amount.scaleb(exponent(currency)))
        self._do(attempt, do="pay_other_sum", amount=minor, currency=currency)

    def refund(self, attempt: Attempt, amount: Decimal) -> None:
        minor = int(amount.scaleb(exponent(attempt.currency)))
        assert self.bank.refund(self._id(attempt), "by-hand", minor) is not None

    def take_calls(self) -> list[Call]:
        calls, self.sent[:] = list(self.sent), []
        return calls

    def signed(self, raw: bytes, *, age: timedelta = timedelta(0)) -> Call:
        instant = int(time.time() - age.total_seconds())
        return Call(raw, signing.signed_headers(SECRET, f"again-{next(_ids)}", instant, raw))

    def signed_by_other(self, raw: bytes) -> Call:
        return Call(raw, signing.signed_headers(OTHER_SECRET, "other", int(time.time()), raw))

    def changed(self, raw: bytes, **fields: Any) -> bytes:
        body = json.loads(raw)
        names = {"key": "reference", "ref": "id"}
        body["payment"].update({names.get(name, name): value for name, value in fields.items()})
        return json.dumps(body).encode()

    def breaks(self, call: str, fault: str) -> None:
        self.bank.faults.append(Fault(call, fault, seconds=2.0))

    @contextmanager
    def away(self) -> Iterator[None]:
        there = self.account.base_url
        type(self.account).objects.update(base_url="http://127.0.0.1:9")
        self.account.base_url = "http://127.0.0.1:9"
        yield
        type(self.account).objects.update(base_url=there)
        self.account.base_url = there

    def count_payments(self) -> int:
        return self.bank.ledger.count_payments()

    def count_refunds(self, attempt: Attempt) -> int:
        return self.bank.ledger.count_refunds(self._id(attempt))


class TestDemoBank(OperatorConformance):
    """The suite for the demo bank, over HTTP to a bank in a thread."""

    @pytest.fixture
    def harness(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatorHarness]:
        monkeypatch.setattr(adapter, "TIME", httpx.Timeout(0.6, connect=0.3))
        sent: list[Call] = []

        def catch(_address: str, body: bytes, headers: dict[str, str]) -> int:
            sent.append(Call(body, headers))
            return 200

        with running(caller=catch) as server:
            yield DemoBankHarness(server, sent)
