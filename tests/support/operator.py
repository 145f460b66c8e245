"""An operator in memory, to be cut off at any moment."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from recoup.orders.models import Order
from recoup.payments.models import OperatorAccount
from recoup.payments.ports import (
    Abilities,
    OpenedSession,
    OpenRequest,
    RefundRequest,
)
from recoup.payments.sessions import Opening
from recoup.payments.ways import Way
from recoup.shops.snapshots import AttemptState, PaymentSnapshot, RefundSnapshot
from tests.factories.moments import NOW
from tests.factories.operators import make_operator_account

ORIGIN = "https://pay.example"


@dataclass
class Desk:
    """An operator's books, and what its next answers are."""

    states: dict[str, AttemptState] = field(default_factory=dict)  # by key
    opened: list[OpenRequest] = field(default_factory=list)
    refunded: list[RefundRequest] = field(default_factory=list)
    next_error: Exception | None = None
    has_effect: bool = True
    during_open: Callable[[], None] | None = None
    during_call: Callable[[], None] | None = None
    origin: str = ORIGIN
    can_close: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)


DESK = Desk()


class FakeOperator:
    """An operator in memory, to be cut off at any moment."""

    kind = "fake"

    def abilities(self, _account: OperatorAccount) -> Abilities:
        return Abilities(
            opens_sessions=True,
            closes_sessions=DESK.can_close,
            asks=True,
            refunds=True,
            methods=("card", "blik"),
        )

    def page_origins(self, _account: OperatorAccount) -> tuple[str, ...]:
        return (ORIGIN,)

    def _fail(self) -> None:
        if DESK.during_call is not None:
            DESK.during_call()
        error, DESK.next_error = DESK.next_error, None
        if error is not None:
            raise error

    def open_session(self, _account: OperatorAccount, request: OpenRequest) -> OpenedSession:
        if DESK.during_open is not None:
            DESK.during_open()
        if DESK.next_error is None or DESK.has_effect:
            with DESK.lock:
                DESK.opened.append(request)
                DESK.states.setdefault(request.key, AttemptState.PENDING)
        self._fail()
        return OpenedSession(f"op-{request.key}", f"{DESK.origin}/{request.key}")

    def _snapshot(self, key: str, ref: str = "") -> PaymentSnapshot:
        amount = next(request for request in DESK.opened if request.key == key)
        return PaymentSnapshot(ref or f"op-{key}", DESK.states[key], amount.amount, amount.currency, NOW)

    def close_session(self, _account: OperatorAccount, _ref: str, key: str) -> PaymentSnapshot:
        self._fail()
        if DESK.states.get(key) is AttemptState.PENDING:
            DESK.states[key] = AttemptState.CANCELLED
        return self._snapshot(key)

    def ask(self, _account: OperatorAccount, _ref: str, key: str) -> PaymentSnapshot | None:
        self._fail()
        return self._snapshot(key) if key in DESK.states else None

    def refund(self, _account: OperatorAccount, request: RefundRequest) -> RefundSnapshot:
        if request.key not in {known.key for known in DESK.refunded}:
            DESK.refunded.append(request)
        self._fail()
        return RefundSnapshot(f"r-{request.key}", request.amount, request.currency, NOW, request.payment_ref)


def opening(order: Order, method: str = "card") -> Opening:
    """Return what a press brings."""
    account = OperatorAccount.objects.filter(
        shop_id=order.shop_id, kind="fake"
    ).first() or make_operator_account(order.shop, kind="fake")
    return Opening(
        Way(account, method),
        "https://us.example/pay/t",
        "https://us.example/hooks/operators/k",
        "en",
        "Order",
    )
