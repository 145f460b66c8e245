"""What the demo bank does: takes payments, declines them, and tells the shop, or fails to, as it is asked."""

import json
import secrets
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from recoup.integrations.demobank import signing
from recoup.integrations.demobank.ledger import Ledger

AGAIN_AFTER = (1.0, 5.0, 30.0, 120.0)  # seconds between the tries of a call that was not answered with 2xx
CALL_TIME = 5.0
HANG = 35.0  # seconds: longer than any caller waits
LATE = 30.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong at the next API call.

    Without effect: `cut_before`, `error_500`. After the effect: `hang`, `cut_after`, `html`, `error_in_200`. Late: `slow`.
    """

    call: str  # open, ask, close, refund, or "" for any
    kind: str
    seconds: float = HANG


@dataclass(frozen=True, slots=True)
class Deed:
    """What a buyer does at the bank's page, or a test at the bank."""

    do: str
    reason: str = ""
    amount: int | None = None
    currency: str = ""
    after: float | None = None


class DeedRefused(Exception):
    """The bank knows no such deed, or the payment has ended."""


Caller = Callable[[str, bytes, dict[str, str]], int]  # address, body, headers; the status answered


class ShopNotReached(Exception):
    """The shop's address did not answer."""


def call_shop(address: str, body: bytes, headers: dict[str, str]) -> int:
    """Call a shop's address and return the status it answers."""
    try:
        with httpx.Client(timeout=CALL_TIME, trust_env=False, follow_redirects=False) as client:
            return client.post(address, content=body, headers=headers).status_code
    except httpx.HTTPError as error:
        raise ShopNotReached(type(error).__name__) from error


class Bank:
    """The bank over its ledger. `caller` carries its calls to shops."""

    def __init__(self, ledger: Ledger, caller: Caller = call_shop) -> None:
        self.ledger = ledger
        self._caller = caller
        self.faults: deque[Fault] = deque()
        self._timers: set[threading.Timer] = set()
        self._is_closed = threading.Event()
        self._deeds = {
            "pay": self._pay,
            "pay_silently": self._pay_silently,
            "pay_twice": self._pay_twice,
            "pay_late": self._pay_late,
            "pay_other_sum": self._pay_other_sum,
            "decline": self._decline,
            "fail_after_success": self._fail_after_success,
            "hang": self._hang,
            "give_up": self._give_up,
        }

    def close(self) -> None:
        """Stop calling."""
        self._is_closed.set()
        for timer in list(self._timers):
            timer.cancel()

    def next_fault(self, call: str) -> Fault | None:
        """Return what goes wrong now, once."""
        for fault in self.faults:
            if fault.call in {"", call}:
                self.faults.remove(fault)
                return fault
        return None

    def act(self, payment_id: str, deed: Deed) -> None:
        """Do what the buyer chose; the shop is told before this returns, unless it is not to be told.

        :raises DeedRefused: if there is no such deed or the payment can take none any more.
        """
        if deed.do not in self._deeds:
            raise DeedRefused(deed.do)
        self._deeds[deed.do](payment_id, deed)

    def _move(self, payment_id: str, status: str, *, reason: str = "", force: bool = False) -> sqlite3.Row:
        if not self.ledger.turn(payment_id, status, reason=reason, force=force):
            raise DeedRefused("ended")
        payment = self.ledger.payment(payment_id)
        assert payment is not None
        return payment

    def _pay(self, payment_id: str, _deed: Deed) -> None:
        self.tell(self._move(payment_id, "paid"))

    def _pay_silently(self, payment_id: str, _deed: Deed) -> None:
        self.tell(self._move(payment_id, "paid"), is_lost=True)

    def _pay_twice(self, payment_id: str, _deed: Deed) -> None:
        payment = self._move(payment_id, "paid")
        self.tell(payment)
        self.tell(payment)

    def _pay_late(self, payment_id: str, deed: Deed) -> None:
        """Pay after a while, whatever has become of the session: transfers do that."""
        if self.ledger.payment(payment_id) is None:
            raise DeedRefused("unknown")
        self._later(LATE if deed.after is None else deed.after, self._pay_now_late, payment_id)

    def _pay_now_late(self, payment_id: str) -> None:
        self.tell(self._move(payment_id, "paid", force=True))

    def _pay_other_sum(self, payment_id: str, deed: Deed) -> None:
        known = self.ledger.payment(payment_id)
        if known is None:
            raise DeedRefused("unknown")
        amount = known["amount"] - 1 if deed.amount is None else deed.amount
        self.ledger.pay_other_sum(payment_id, amount, deed.currency or known["currency"])
        self.tell(self._move(payment_id, "paid"))

    def _decline(self, payment_id: str, deed: Deed) -> None:
        self.tell(self._move(payment_id, "declined", reason=deed.reason or "do_not_honor"))

    def _fail_after_success(self, payment_id: str, deed: Deed) -> None:
        """Tell a decline that is older than the success but comes later."""
        payment = self._move(payment_id, "declined", reason=deed.reason or "insufficient_funds", force=True)
        self.tell(payment)
        self.ledger.turn(payment_id, "paid", force=True)

    def _hang(self, payment_id: str, deed: Deed) -> None:
        self._move(payment_id, "processing")
        self._is_closed.wait(HANG if deed.after is None else deed.after)

    def _give_up(self, payment_id: str, _deed: Deed) -> None:
        if self.ledger.payment(payment_id) is None:
            raise DeedRefused("unknown")

    def refund(self, payment_id: str, reference: str, amount: int) -> sqlite3.Row | None:
        """Give money back and tell the shop; `None` if that cannot be."""
        refund = self.ledger.refund(payment_id, reference, amount)
        payment = self.ledger.payment(payment_id)
        if refund is not None and payment is not None:
            self.tell(payment, refund=refund)
        return refund

    def tell(self, payment: sqlite3.Row, *, refund: sqlite3.Row | None = None, is_lost: bool = False) -> None:
        """Call the shop about a payment; a call that is not answered with 2xx is repeated later."""
        call_id = f"dbe_{secrets.token_hex(8)}"
        body = call_body(call_id, payment, refund)
        if is_lost:
            self.ledger.note_call(call_id, payment["id"], body, "lost")
            return
        self._try_call(call_id, payment["id"], body, 0)

    def _try_call(self, call_id: str, payment_id: str, body: bytes, tries: int) -> None:
        payment = self.ledger.payment(payment_id)
        if payment is None or not payment["notify_url"]:
            return
        headers = signing.signed_headers(
            self.ledger.secret_of(payment["merchant"]), call_id, int(time.time()), body
        )
        try:
            status = self._caller(payment["notify_url"], body, headers)
            fate = "told" if 200 <= status < 300 else f"answered {status}"
        except ShopNotReached as error:
            fate = f"failed: {error}"
        self.ledger.note_call(call_id, payment_id, body, fate)
        if fate != "told" and tries < len(AGAIN_AFTER):
            self._later(AGAIN_AFTER[tries], self._try_call, call_id, payment_id, body, tries + 1)

    def _later(self, seconds: float, what: Callable[..., None], *values: object) -> None:
        def run() -> None:
            self._timers.discard(timer)
            if not self._is_closed.is_set():
                what(*values)

        timer = threading.Timer(seconds, run)
        timer.daemon = True
        self._timers.add(timer)
        timer.start()


def payment_fields(payment: sqlite3.Row) -> dict[str, object]:
    """Return a payment as the API and the calls show it; amounts in the minor unit."""
    return {
        "id": payment["id"],
        "merchant": payment["merchant"],
        "reference": payment["reference"],
        "status": payment["status"],
        "reason": payment["reason"],
        "amount": payment["amount"] if payment["paid_amount"] is None else payment["paid_amount"],
        "currency": payment["paid_currency"] or payment["currency"],
        "method": payment["method"],
        "changed": _instant(payment["changed"]),
        "expires": _instant(payment["expires"]),
    }


def refund_fields(refund: sqlite3.Row, currency: str) -> dict[str, object]:
    """Return a refund as the API and the calls show it."""
    return {
        "id": refund["id"],
        "reference": refund["reference"],
        "amount": refund["amount"],
        "currency": currency,
        "made": _instant(refund["created"]),
    }


def call_body(call_id: str, payment: sqlite3.Row, refund: sqlite3.Row | None = None) -> bytes:
    """Return the body of a call about a payment or a refund."""
    content: dict[str, object] = {
        "id": call_id,
        "type": "refund.made" if refund is not None else f"payment.{payment['status']}",
        "payment": payment_fields(payment),
    }
    if refund is not None:
        content["refund"] = refund_fields(refund, payment["currency"])
    return json.dumps(content).encode()


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
