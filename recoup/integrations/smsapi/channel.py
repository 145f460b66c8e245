"""SMSAPI as a channel of `messaging`."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from recoup.core.http import AddressRefused, Answer, CallFailed, Client
from recoup.integrations.sms_channel import SmsChannel, rejected
from recoup.integrations.sms_line import HttpLine, refuse_in_demo
from recoup.integrations.sms_verdicts import Verdict
from recoup.integrations.sms_words import wish_of
from recoup.integrations.smsapi import words
from recoup.messaging.handover import Accepted, NotHanded, Outcome, Rejected, ShortMessage, Stage, Uncertain
from recoup.messaging.models import SmsAccount
from recoup.messaging.ports import Answer as Spoken
from recoup.messaging.ports import Call, DeliveryReport, LineTrouble, Standing, Told
from recoup.messaging.sms.letters import MOST_PARTS

BASE_URL = "https://api.smsapi.pl"
_SECONDS = 30.0


class SmsapiChannel(SmsChannel):
    """Short messages over SMSAPI. Its `idx` with `check_idx` takes a message once, however often it is offered."""

    def line(self, account: SmsAccount) -> HttpLine:
        """Return a line for the account of a shop.

        :raises LineTrouble: in the demo, for any server but one of this machine.
        """
        refuse_in_demo(account.base_url or BASE_URL)
        return HttpLine(lambda: Smsapi(account))

    def verdict_of(self, refusal: Rejected) -> Verdict:
        """Return what follows from a refusal."""
        return words.verdict(refusal.code)

    def standing(self, account: SmsAccount) -> Standing:
        """Ask for the points that are left.

        :raises LineTrouble: if SMSAPI does not answer or does not know us.
        """
        refuse_in_demo(account.base_url or BASE_URL)
        api = Smsapi(account)
        try:
            points = api.profile().get("points")
        finally:
            api.close()
        return Standing(f"{points} points" if points is not None else "")

    def read_call(self, account: SmsAccount, call: Call, *, now: datetime) -> Told:  # noqa: ARG002 - of the port
        """Read reports, several in one call, and messages from people. Nothing is signed: the address holds the secret."""
        if call.params.get("sms_from"):
            text = "".join(call.params.get("sms_text", ()))
            sender = call.params["sms_from"][0]
            return Told(
                answers=[Spoken(_e164(sender), text, wish_of(text), now)],
                reply="OK",
            )
        return Told(reports=_reports(call.params, now), reply="OK")


def _reports(params: Mapping[str, Any], now: datetime) -> list[DeliveryReport]:
    def column(name: str) -> list[str]:
        return [part.strip() for value in params.get(name, ()) for part in str(value).split(",")]

    ids, states, refs, instants = column("MsgId"), column("status"), column("idx"), column("donedate")
    asked = params.get("ref", ("",))[0]
    reports = []
    for number, code in enumerate(states):
        state = words.delivery(int(code)) if code.isascii() and code.isdigit() else ""
        ref = _at(refs, number) or (asked if len(states) == 1 else "")
        if state and ref:
            reports.append(
                DeliveryReport(
                    ref=ref,
                    state=state,
                    at=_instant(_at(instants, number), now),
                    code=code,
                    provider_ref=_at(ids, number),
                )
            )
    return reports


def _at(values: list[str], number: int) -> str:
    return values[number] if number < len(values) else ""


def _instant(seconds: str, now: datetime) -> datetime:
    """Return the instant that a report names; a clock that is ahead of ours by more than a day is not believed."""
    if not seconds.isdigit() or len(seconds) > 11:
        return now
    at = datetime.fromtimestamp(int(seconds), UTC)
    return at if at < now + timedelta(days=1) else now


def _e164(number: str) -> str:
    digits = number.strip().lstrip("+")
    return f"+{digits}" if digits.isascii() and digits.isdigit() else ""


class Smsapi:
    """The few calls that we make."""

    def __init__(self, account: SmsAccount) -> None:
        self._base = (account.base_url or BASE_URL).rstrip("/")
        self._headers = {"authorization": f"Bearer {account.secret}"}
        self._client = Client(seconds=_SECONDS)

    def close(self) -> None:
        """Let the connection go."""
        self._client.__exit__(None, None, None)

    def check(self) -> None:
        """Ask for the account, which tells whether the token is right.

        :raises LineTrouble: if it is not, or nobody answers.
        """
        self.profile()

    def profile(self) -> dict[str, Any]:
        """Return what SMSAPI says about the account.

        :raises LineTrouble: if it does not.
        """
        try:
            answer = self._client.call("GET", f"{self._base}/profile", headers=self._headers)
        except AddressRefused as refused:
            raise LineTrouble(str(refused), stage=Stage.CONNECT.value, is_for_person=True) from refused
        except CallFailed as failed:
            stage = Stage.TLS if failed.code == "tls_failed" else Stage.CONNECT
            raise LineTrouble(
                str(failed), stage=stage.value, is_for_person=failed.code in {"tls_failed", "redirected"}
            ) from failed
        said = _read(answer)
        code = _error_of(answer, said)
        if code:
            is_for_person = words.verdict(code).then == "halt"
            raise LineTrouble(_words_of(code, said), stage=Stage.AUTH.value, is_for_person=is_for_person)
        if answer.status >= 400 or not isinstance(said, dict):
            raise LineTrouble(f"HTTP {answer.status}", stage=Stage.CONNECT.value, is_for_person=False)
        return said

    def ask(self, message: ShortMessage) -> Outcome | None:  # noqa: ARG002 - of the line
        """Say nothing: offering it again with the same idx is the question."""
        return None

    def send(self, message: ShortMessage, before_write: Callable[[], None]) -> Outcome:
        """Offer a message under its idx."""
        fields = {
            "to": message.recipient.lstrip("+"),
            "from": message.sender.lstrip("+"),
            "message": message.text,
            "encoding": "utf-8",
            "format": "json",
            "details": "1",
            "max_parts": str(MOST_PARTS),
            "idx": message.ref,
            "check_idx": "1",
            "notify_url": message.report_url,
        }
        try:
            answer = self._client.call(
                "POST",
                f"{self._base}/sms.do",
                headers={**self._headers, "content-type": "application/x-www-form-urlencoded"},
                content=urlencode(fields).encode(),
                before_write=before_write,
            )
        except AddressRefused as refused:
            return rejected(401, str(refused), permanent=True, about_address=False)
        except CallFailed as failed:
            if failed.may_have_arrived:
                return Uncertain(str(failed), may_repeat=True)
            return NotHanded(str(failed), Stage.CONNECT)
        return _outcome(answer, message)


def _outcome(answer: Answer, message: ShortMessage) -> Outcome:
    said = _read(answer)
    code = _error_of(answer, said)
    if code == words.NOT_UNIQUE:
        return Accepted("taken before", ref=message.ref)
    if code:
        verdict = words.verdict(code)
        return rejected(
            code,
            _words_of(code, said),
            permanent=verdict.then == "fail",
            about_address=verdict.about_address,
        )
    first = _first(said)
    if first is None:
        return Uncertain(f"HTTP {answer.status}, no answer that can be read", may_repeat=True)
    parts = first.get("parts") or (said.get("parts") if isinstance(said, dict) else None)
    return Accepted(
        f"{first.get('status') or 'taken'}",
        ref=str(first["id"]),
        parts=int(str(parts)) if str(parts or "").isdigit() else None,
    )


def _read(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except ValueError:
        return None


def _first(said: Any) -> dict[str, Any] | None:
    entries = said.get("list") if isinstance(said, dict) else None
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        return None
    return entries[0] if entries[0].get("id") else None


def _error_of(answer: Answer, said: Any) -> int:
    """Return the error of an answer, 0 if it is none: SMSAPI says it in the body, with HTTP 200 too (F21)."""
    code = said.get("error") if isinstance(said, dict) else None
    number = str(code)
    if number.isdigit() and int(number):
        return int(number)
    return answer.status if answer.status in {401, 403, 429} else 0


def _words_of(code: int, said: Any) -> str:
    text = said.get("message") if isinstance(said, dict) else ""
    return f"{code} {text or ''}".strip()
