"""What an adapter of a payment operator must implement. Loaded through `config/adapters.py` by kind.

Two roles (`OperatorAccount.role`). An *observer* only tells what the shop itself took: it checks, peeks and reads calls,
and may be asked. An *initiator* also opens pay sessions for our pay page. An adapter knows no other adapter, saves no row,
asks no clock of ours, and gives every call over the network a time-out of at most ten seconds: a buyer is waiting.

Money crosses this port as `Decimal` in the major unit with its ISO 4217 code; the adapter alone knows whether its operator
counts in minor units, and refuses to round. `SignatureRefused`, `CallUnreadable`, `BodyQuarantined` and `Peek` are those of
`shops.ports`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from recoup.payments.models import OperatorAccount
from recoup.shops.ports import Peek
from recoup.shops.snapshots import FailureClass, PaymentSnapshot, RefundSnapshot


class OperatorUnavailable(Exception):
    """The operator was not reached, so nothing has begun there: the same may be tried again, or another way chosen."""


class OperatorRefused(Exception):
    """The operator said no and nothing has begun: why stands in its own word and our class."""

    def __init__(self, code: str, failure_class: FailureClass = FailureClass.CONFIG) -> None:
        super().__init__(code)
        self.code = code
        self.failure_class = failure_class


class OutcomeUnknown(Exception):
    """The call left and no usable answer came back: it may have had its effect (R31). Never a reason to charge anew."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an account can do; pages, jobs and screens ask here, never for a kind."""

    opens_sessions: bool = False  # initiator: `open_session` works for an order that exists already (C2)
    retries: bool = False  # `OpenRequest.retry_of` continues a failed payment instead of beginning another
    closes_sessions: bool = False  # `close_session` works, so that a buyer may change the method
    asks: bool = False  # `ask` works, so that a lost call is found
    refunds: bool = False  # `refund` works
    tells_failures: bool = False  # failed payments are told, with a reason
    methods: tuple[str, ...] = ()  # codes a buyer may choose from; one session serves one of them
    currencies: frozenset[str] | None = None  # None is any
    least: Mapping[str, Decimal] = field(default_factory=dict)  # smallest amount by currency
    most: Mapping[str, Decimal] = field(default_factory=dict)  # largest amount by currency

    def takes(self, amount: Decimal, currency: str) -> bool:
        """Tell whether a session over this sum can be opened."""
        if not self.opens_sessions or amount <= 0:
            return False
        if self.currencies is not None and currency not in self.currencies:
            return False
        return self.least.get(currency, Decimal(0)) <= amount <= self.most.get(currency, amount)


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """One session to be opened. Everything comes from our own rows, nothing from the browser but the method."""

    key: str  # ours, stored before the call: idempotency key and merchant's reference in one
    amount: Decimal
    currency: str
    order_number: str  # for people: on the operator's page and on statements
    description: str
    method: str  # one of `Abilities.methods`
    locale: str
    return_url: str  # where the buyer comes back to; proves nothing
    notify_url: str  # where the operator tells us
    retry_of: str = ""  # ref of the failed payment that this continues, if the account `retries`


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that waits for the buyer."""

    ref: str  # the operator's id of the payment
    redirect_url: str  # https; its origin is one of `page_origins`
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Money to be given back of one captured payment."""

    key: str  # ours, stored before the call
    payment_ref: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that an operator told: a payment or a refund, and by which name we know what it belongs to.

    `key` is our own reference as the operator repeats it (it may arrive before `open_session` has answered). An observer,
    which never had a key, gives the shop's `order_ref`.
    """

    payment: PaymentSnapshot | None = None
    refund: RefundSnapshot | None = None
    key: str = ""
    order_ref: str = ""


@dataclass(frozen=True, slots=True)
class OperatorReading:
    """A call understood: what it told, or `unused` with the reason (unknown topic, test event)."""

    told: tuple[Told, ...] = ()
    unused: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the operator wants to read as our answer once the call is stored (some repeat it for days otherwise)."""

    body: bytes = b""
    content_type: str = "text/plain"


class Operator(Protocol):
    """A payment operator."""

    kind: str

    def abilities(self, account: OperatorAccount) -> Abilities:
        """Say what this account can do.

        Asked for each pay page, so it should not call out; if it must, it remembers the answer.

        :raises OperatorUnavailable: if that cannot be known now; the account is left out and that is logged.
        """

    def page_origins(self, account: OperatorAccount) -> tuple[str, ...]:
        """Return the origins (`https://pay.example`) of the pages that a buyer may be sent to.

        A `redirect_url` elsewhere is refused; the pay page's form may only lead to these.
        """

    def open_session(self, account: OperatorAccount, request: OpenRequest) -> OpenedSession:
        """Open a session, once for each `request.key`.

        Called without a transaction. It is called again with the same key and sum after an unknown outcome, after a crash,
        and by a second tab at the same moment: each time it must name the same session. An operator that keeps no keys
        is first asked by reference. Nothing of the buyer is passed on.

        :raises OperatorUnavailable: if the operator was surely not reached (refused connection, unknown host).
        :raises OperatorRefused: if it answered that it will not; nothing has begun.
        :raises OutcomeUnknown: in every other case: time-out, cut line, 5xx, 429, a body that is no answer.
        """

    def close_session(self, account: OperatorAccount, ref: str, key: str) -> PaymentSnapshot:
        """End a session so that nothing can be paid through it any more; return where it stands then.

        It may turn out to have been paid meanwhile. Only called if the account `closes_sessions`.

        :raises OperatorUnavailable: :raises OutcomeUnknown: then it counts as open.
        """

    def ask(self, account: OperatorAccount, ref: str, key: str) -> PaymentSnapshot | None:
        """Return where a payment stands, found by the operator's `ref` or, if that is empty, by our `key`.

        `None` if the operator surely knows no such payment. Only called if the account `asks`.

        :raises OperatorUnavailable: :raises OutcomeUnknown: then it is asked again later.
        """

    def refund(self, account: OperatorAccount, request: RefundRequest) -> RefundSnapshot:
        """Give money back, once for each `request.key`.

        The snapshot's `ref` is the one that the operator's own call about this refund will carry. Only called if the
        account `refunds`.

        :raises OperatorUnavailable: :raises OperatorRefused: :raises OutcomeUnknown: as `open_session`.
        """

    def check_call(
        self, account: OperatorAccount, raw: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> None:
        """Check that a call is this account's: signature over the raw bytes, and its age against `now` (real time).

        Compares in constant time. Header names come in lower case.

        :raises SignatureRefused: if it is absent, wrong, or of another account.
        :raises CallUnreadable: if the call itself is malformed.
        """

    def peek(self, raw: bytes, headers: Mapping[str, str]) -> Peek:
        """Name the event and the payment without understanding the body; never raises, at worst `failed`.

        `subject_refs` holds both the operator's ref and our key, where the body names them.
        """

    def read(
        self, account: OperatorAccount, raw: bytes, headers: Mapping[str, str], *, received_at: datetime
    ) -> OperatorReading:
        """Turn a kept call into what it tells. States, failure classes and words it does not know are kept raw
        (`failure_code`) and never guessed; fields it does not know are ignored.

        :raises BodyQuarantined: if it cannot be used, with the reason for a person.
        """

    def receipt(self, account: OperatorAccount, raw: bytes) -> Receipt:
        """Return what to answer once the call is stored, also for one that was stored before."""

    def check_connection(self, account: OperatorAccount) -> Iterable[str]:
        """Try the account and name what is wrong, in words with what to do; nothing if all is well."""
