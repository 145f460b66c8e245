"""What plays an operator in the suite that every operator inherits."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from recoup.payments.models import Attempt, OperatorAccount
from recoup.payments.ports import Operator
from recoup.shops.snapshots import FailureClass


@dataclass(frozen=True)
class Call:
    """A call of the operator, as it would arrive."""

    raw: bytes
    headers: Mapping[str, str]


class OperatorHarness(ABC):
    """Plays an operator for one account. Buyers and the operator's staff act on attempts that our sessions opened."""

    account: OperatorAccount
    adapter: Operator
    method: str
    declines: Mapping[str, FailureClass]  # the operator's word and our class

    @abstractmethod
    def pay(self, attempt: Attempt) -> None:
        """Let the buyer pay at the operator's page."""

    @abstractmethod
    def decline(self, attempt: Attempt, code: str) -> None:
        """Let the payment be declined."""

    @abstractmethod
    def tell_late_failure(self, attempt: Attempt, code: str) -> None:
        """Let the operator tell of a failure of a payment that succeeded before."""

    @abstractmethod
    def pay_other_sum(self, attempt: Attempt, amount: Decimal, currency: str) -> None:
        """Let the operator tell of a payment of another sum."""

    @abstractmethod
    def refund(self, attempt: Attempt, amount: Decimal) -> None:
        """Let the operator's staff give money back."""

    @abstractmethod
    def take_calls(self) -> list[Call]:
        """Return what the operator has sent since the last time; it is delivered by the test, or lost."""

    @abstractmethod
    def signed(self, raw: bytes, *, age: timedelta = timedelta(0)) -> Call:
        """Sign a body as the operator does."""

    @abstractmethod
    def signed_by_other(self, raw: bytes) -> Call:
        """Sign a body with the secret of another account of the same operator."""

    @abstractmethod
    def changed(self, raw: bytes, **fields: Any) -> bytes:
        """Return a body with fields of the payment changed or added: `status`, `ref`, `key`, or a name it does not have."""

    @abstractmethod
    def breaks(self, call: str, fault: str) -> None:
        """Let the next API call (`open`, `ask`, `close`, `refund`) go wrong."""

    @abstractmethod
    def away(self) -> AbstractContextManager[None]:
        """Let the operator be unreachable for the length of a block."""

    @abstractmethod
    def count_payments(self) -> int:
        """Return how many payments the operator knows."""

    @abstractmethod
    def count_refunds(self, attempt: Attempt) -> int:
        """Return how many refunds the operator has made of a payment."""
