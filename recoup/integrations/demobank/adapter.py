"""The demo bank as an operator: role initiator, signed calls, amounts in minor units."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
from django.utils.translation import gettext as _

from recoup.core import strict_json
from recoup.core.money import exponent, parse_currency
from recoup.integrations.demobank import signing
from recoup.integrations.demobank.words import METHODS, REFUSALS, STATES, failure_class
from recoup.payments.models import OperatorAccount
from recoup.payments.ports import (
    Abilities,
    OpenedSession,
    OpenRequest,
    OperatorReading,
    OperatorRefused,
    OperatorUnavailable,
    OutcomeUnknown,
    Receipt,
    RefundRequest,
    Told,
)
from recoup.shops.addresses import origin_of
from recoup.shops.ports import BodyQuarantined, CallUnreadable, Peek, SignatureRefused
from recoup.shops.snapshots import AttemptState, FailureClass, PaymentSnapshot, RefundSnapshot

TIME = httpx.Timeout(8.0, connect=3.0)  # a buyer waits
TOLERANCE = 300  # seconds, both ways
LARGEST_ANSWER = 64 * 1024
_NEVER_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)


class DemoBank:
    """An operator that takes no money."""

    kind = "demobank"

    def abilities(self, account: OperatorAccount) -> Abilities:
        """Say that it can do everything but continue a failed payment; `options` may narrow methods and sums."""
        options = account.options
        return Abilities(
            opens_sessions=True,
            closes_sessions=True,
            asks=True,
            refunds=True,
            tells_failures=True,
            methods=tuple(m for m in METHODS if m in options.get("methods", METHODS)),
            currencies=frozenset(options["currencies"]) if "currencies" in options else None,
            least={code: Decimal(amount) for code, amount in options.get("least", {}).items()},
            most={code: Decimal(amount) for code, amount in options.get("most", {}).items()},
        )

    def page_origins(self, account: OperatorAccount) -> tuple[str, ...]:
        """Return the bank's own origin."""
        return (origin_of(account.base_url),)

    def open_session(self, account: OperatorAccount, request: OpenRequest) -> OpenedSession:
        """Open a payment under our key."""
        wish = {
            "reference": request.key,
            "amount": _minor(request.amount, request.currency),
            "currency": request.currency,
            "order_number": request.order_number,
            "description": request.description,
            "method": request.method,
            "locale": request.locale,
            "return_url": request.return_url,
            "notify_url": request.notify_url,
        }
        payment = self._call(account, "POST", "/api/payments", wish)
        try:
            return OpenedSession(
                ref=str(payment["id"]),
                redirect_url=str(payment["page"]),
                expires_at=_instant(payment["expires"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise OutcomeUnknown("the answer names no payment") from error

    def close_session(self, account: OperatorAccount, ref: str, key: str) -> PaymentSnapshot:
        """Cancel a payment, unless it has ended otherwise."""
        payment = self._call(account, "POST", f"/api/payments/{self._ref(account, ref, key)}/cancel", {})
        return _answered(payment)

    def _ref(self, account: OperatorAccount, ref: str, key: str) -> str:
        if ref != key:
            return ref
        known = self.ask(account, "", key)
        if known is None:
            raise OutcomeUnknown("no such payment yet")
        return known.ref

    def ask(self, account: OperatorAccount, ref: str, key: str) -> PaymentSnapshot | None:
        """Ask for a payment by its id or by our key."""
        path = f"/api/payments/{ref}" if ref else f"/api/payments?reference={key}"
        try:
            return _answered(self._call(account, "GET", path, None))
        except OperatorRefused as refused:
            if refused.code == "payment_unknown":
                return None
            raise OutcomeUnknown(refused.code) from refused

    def refund(self, account: OperatorAccount, request: RefundRequest) -> RefundSnapshot:
        """Give money back under our key."""
        wish = {"reference": request.key, "amount": _minor(request.amount, request.currency)}
        refund = self._call(account, "POST", f"/api/payments/{request.payment_ref}/refunds", wish)
        try:
            return _refund(refund, request.payment_ref)
        except (KeyError, ValueError, TypeError) as error:
            raise OutcomeUnknown("the answer names no refund") from error

    def check_call(
        self, account: OperatorAccount, raw: bytes, headers: Mapping[str, str], *, now: datetime
    ) -> None:
        """Check the Standard Webhooks signature."""
        call_id, instant = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        given = headers.get("webhook-signature", "")
        if not (call_id and instant and given and account.secret):
            raise SignatureRefused("not signed")
        if not (instant.isascii() and instant.isdigit() and len(instant) <= 12):
            raise CallUnreadable("webhook-timestamp is no number")
        if abs(now.timestamp() - int(instant)) > TOLERANCE:
            raise SignatureRefused("too old, or from the future")
        if not signing.fits(given, signing.signature(account.secret, call_id, int(instant), raw)):
            raise SignatureRefused("the signature does not fit")

    def peek(self, raw: bytes, headers: Mapping[str, str]) -> Peek:
        """Name the event, and the payment by its id and by our key."""
        call_id = headers.get("webhook-id", "")
        try:
            body = strict_json.loads(raw)
            refs = tuple(str(body["payment"][name]) for name in ("id", "reference"))
            return Peek(call_id, str(body["type"])[:100], "payment", refs)
        except (strict_json.JsonRefused, KeyError, TypeError):
            return Peek(call_id, "", failed=True)

    def read(
        self,
        account: OperatorAccount,
        raw: bytes,
        headers: Mapping[str, str],  # noqa: ARG002 - the port's
        *,
        received_at: datetime,  # noqa: ARG002 - the port's
    ) -> OperatorReading:
        """Read a call about a payment or a refund."""
        try:
            body = strict_json.loads(raw)
            topic, payment = str(body["type"]), body["payment"]
            key = str(payment["reference"])
            if payment["merchant"] != _merchant(account):
                raise BodyQuarantined("other_account")
            if topic == "refund.made":
                told = Told(refund=_refund(body["refund"], str(payment["id"])), key=key)
            elif topic.startswith("payment.") and payment["status"] in STATES:
                told = Told(payment=_payment(payment), key=key)
            else:
                return OperatorReading(unused=f"unknown_topic: {topic[:60]}")
        except strict_json.JsonRefused as error:
            raise BodyQuarantined(error.code, error.details) from error
        except (KeyError, ValueError, TypeError, ArithmeticError) as error:
            raise BodyQuarantined("bad_field", repr(error)[:200]) from error
        return OperatorReading(told=(told,))

    def receipt(self, account: OperatorAccount, raw: bytes) -> Receipt:  # noqa: ARG002 - the port's
        """Return an empty answer: the status says enough."""
        return Receipt()

    def check_connection(self, account: OperatorAccount) -> Iterable[str]:
        """Try the address and the secret."""
        try:
            self.ask(account, "", "check")
        except OperatorUnavailable:
            yield _("The demo bank does not answer at %(url)s. Start it, or correct the address.") % {
                "url": account.base_url
            }
        except OutcomeUnknown:
            yield _("The demo bank does not accept the name and secret of this account. Enter them anew.")

    def _call(
        self, account: OperatorAccount, method: str, path: str, wish: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Call the bank once; only an answer that can be understood is one."""
        try:
            with httpx.Client(timeout=TIME, trust_env=False, follow_redirects=False) as client:
                request = client.build_request(method, account.base_url.rstrip("/") + path, json=wish)
                answer = client.send(request, auth=(_merchant(account), account.secret))
        except _NEVER_REACHED as error:
            raise OperatorUnavailable(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(type(error).__name__) from error
        if len(answer.content) > LARGEST_ANSWER:
            raise OutcomeUnknown("the answer is too large")
        try:
            content = strict_json.loads(answer.content)
        except strict_json.JsonRefused as error:
            raise OutcomeUnknown(f"{answer.status_code}, no JSON") from error
        if not isinstance(content, dict):
            raise OutcomeUnknown(f"{answer.status_code}, no object")
        _raise_refusal(answer.status_code, content)
        return content


def _merchant(account: OperatorAccount) -> str:
    return str(account.options.get("merchant") or account.key)


def _raise_refusal(status: int, content: dict[str, Any]) -> None:
    if status >= 500 or status == 429:
        raise OutcomeUnknown(str(status))
    error = content.get("error")
    if status >= 400 or error is not None:
        code = str(error.get("code", "")) if isinstance(error, dict) else ""
        if status < 400:  # success and error in one: it may have had its effect
            raise OutcomeUnknown(f"{status} with error {code}")
        raise OperatorRefused(code or str(status), REFUSALS.get(code, FailureClass.CONFIG))


def _answered(payment: dict[str, Any]) -> PaymentSnapshot:
    try:
        return _payment(payment)
    except (KeyError, ValueError, TypeError, ArithmeticError) as error:
        raise OutcomeUnknown("the answer names no payment") from error


def _payment(payment: Mapping[str, Any]) -> PaymentSnapshot:
    state = STATES[payment["status"]]
    currency = parse_currency(str(payment["currency"]))
    reason = str(payment.get("reason") or "")
    has_failed = state is AttemptState.FAILED
    return PaymentSnapshot(
        ref=str(payment["id"]),
        state=state,
        amount=_major(payment["amount"], currency),
        currency=currency,
        at=_instant(payment["changed"]),
        operator=DemoBank.kind,
        method=str(payment.get("method") or ""),
        failure_class=failure_class(reason) if has_failed else None,
        failure_code=reason if has_failed else "",
    )


def _refund(refund: Mapping[str, Any], payment_ref: str) -> RefundSnapshot:
    currency = parse_currency(str(refund["currency"]))
    return RefundSnapshot(
        ref=str(refund["id"]),
        amount=_major(refund["amount"], currency),
        currency=currency,
        at=_instant(refund["made"]),
        payment_ref=payment_ref,
    )


def _instant(text: Any) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return at.astimezone(UTC)


def _minor(amount: Decimal, currency: str) -> int:
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        raise OperatorRefused("amount_has_too_many_places")
    return int(minor)


def _major(amount: Any, currency: str) -> Decimal:
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise TypeError("an amount that is no integer")
    return Decimal(amount).scaleb(-exponent(currency))
