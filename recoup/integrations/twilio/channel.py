"""Twilio as a channel of `messaging`."""

import contextlib
import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

from recoup.core.clock import real_now
from recoup.core.http import AddressRefused, Answer, CallFailed, Client
from recoup.integrations.sms_channel import SmsChannel, rejected
from recoup.integrations.sms_line import HttpLine, refuse_in_demo
from recoup.integrations.sms_verdicts import Verdict
from recoup.integrations.sms_words import wish_of
from recoup.integrations.twilio import words
from recoup.integrations.twilio.signature import is_signed
from recoup.messaging.handover import Accepted, NotHanded, Outcome, Rejected, ShortMessage, Stage, Uncertain
from recoup.messaging.models import SmsAccount
from recoup.messaging.ports import Answer as Spoken
from recoup.messaging.ports import Call, CallRefused, DeliveryReport, LineTrouble, Standing, Told

BASE_URL = "https://api.twilio.com"
_SECONDS = 20.0
_MOST_BYTES = 512 * 1024  # of a list of messages
_ASKED_AFTER = (1.0, 3.0, 6.0)  # seconds after a lost answer: a message is in the list soon, or never
_CLOCKS = timedelta(seconds=10)  # by which theirs and ours may differ
_TOOK = timedelta(minutes=3)
_TOKEN = re.compile(r"/[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])")  # of a link: new in each writing of the same text


class TwilioChannel(SmsChannel):
    """Short messages over Twilio. It knows no idempotency key: after a lost answer the list of messages is asked."""

    def line(self, account: SmsAccount) -> HttpLine:
        """Return a line for the account of a shop.

        :raises LineTrouble: in the demo, for any server but one of this machine.
        """
        refuse_in_demo(account.base_url or BASE_URL)
        return HttpLine(lambda: Twilio(account))

    def verdict_of(self, refusal: Rejected) -> Verdict:
        """Return what follows from a refusal."""
        return words.verdict(refusal.code)

    def standing(self, account: SmsAccount) -> Standing:
        """Ask for the balance.

        :raises LineTrouble: if Twilio does not answer or does not know us.
        """
        refuse_in_demo(account.base_url or BASE_URL)
        api = Twilio(account)
        try:
            said = api.balance()
        finally:
            api.close()
        return Standing(f"{said.get('balance', '')} {said.get('currency', '')}".strip())

    def read_call(self, account: SmsAccount, call: Call, *, now: datetime) -> Told:
        """Read a report or a message from a person.

        :raises CallRefused: if it is not signed with the account's token.
        """
        given = call.headers.get("x-twilio-signature", "")
        if not any(is_signed(account.secret, url, call.form, given) for url in call.urls):
            raise CallRefused
        form = {name: values[0] for name, values in call.form.items() if values}
        if "MessageStatus" in form:
            ref = call.params.get("ref", ("",))[0]
            return Told(reports=_report(form, ref, now, is_short_code=account.sender.isdigit()))
        text = form.get("Body", "")
        wish = form.get("OptOutType", "").casefold() or wish_of(text)
        spoken = Spoken(form.get("From", ""), text, wish if wish in {"stop", "start"} else "", now)
        return Told(answers=[spoken], reply="<Response/>", content_type="text/xml")


def _report(form: dict[str, str], ref: str, now: datetime, *, is_short_code: bool) -> list[DeliveryReport]:
    code = form.get("ErrorCode", "")
    state, is_gone, is_unsubscribed = words.delivery(form["MessageStatus"], code, is_short_code=is_short_code)
    if not state or not ref:
        return []
    return [
        DeliveryReport(
            ref=ref,
            state=state,
            at=now,
            code=code or form["MessageStatus"],
            provider_ref=form.get("MessageSid", ""),
            is_address_gone=is_gone,
            is_unsubscribed=is_unsubscribed,
        )
    ]


class _NotAsked(Exception):
    """The list of messages could not be had, so that nobody knows."""


class Twilio:
    """The few calls that we make."""

    def __init__(self, account: SmsAccount, *, sleep: Callable[[float], None] = time.sleep) -> None:
        base = (account.base_url or BASE_URL).rstrip("/")
        self._account_url = f"{base}/2010-04-01/Accounts/{account.account_ref}"
        self._auth = (account.account_ref, account.secret)
        self._client = Client(seconds=_SECONDS, most_bytes=_MOST_BYTES)
        self._sleep = sleep

    def close(self) -> None:
        """Let the connection go."""
        self._client.__exit__(None, None, None)

    def check(self) -> None:
        """Ask for the balance, which tells whether the token is right.

        :raises LineTrouble: if it is not, or nobody answers.
        """
        self.balance()

    def balance(self) -> dict[str, Any]:
        """Return what Twilio says about the account's money.

        :raises LineTrouble: if it does not.
        """
        try:
            answer = self._client.call("GET", f"{self._account_url}/Balance.json", auth=self._auth)
        except AddressRefused as refused:
            raise LineTrouble(str(refused), stage=Stage.CONNECT.value, is_for_person=True) from refused
        except CallFailed as failed:
            stage = Stage.TLS if failed.code == "tls_failed" else Stage.CONNECT
            raise LineTrouble(
                str(failed), stage=stage.value, is_for_person=failed.code in {"tls_failed", "redirected"}
            ) from failed
        said = _read(answer)
        if answer.status == 200 and said is not None:
            return said
        code, text = _error_of(answer, said)
        is_for_person = words.verdict(code).then == "halt"
        raise LineTrouble(f"{code} {text}".strip(), stage=Stage.AUTH.value, is_for_person=is_for_person)

    def ask(self, message: ShortMessage) -> Outcome | None:
        """Look for a message that was offered before; `None` if it is not there: then it was not taken."""
        assert message.handed_at is not None
        try:
            return self._find(message, message.handed_at)
        except _NotAsked as error:
            return NotHanded(f"Twilio could not be asked whether it has this message: {error}", Stage.CONNECT)

    def send(self, message: ShortMessage, before_write: Callable[[], None]) -> Outcome:
        """Offer a message; if the answer is lost, ask for it until it is found or nobody knows."""
        fields = {"To": message.recipient, "Body": message.text, "StatusCallback": message.report_url}
        fields["MessagingServiceSid" if message.sender.startswith("MG") else "From"] = message.sender
        began_at = real_now()
        try:
            answer = self._client.call(
                "POST",
                f"{self._account_url}/Messages.json",
                headers={"content-type": "application/x-www-form-urlencoded"},
                content=urlencode(fields).encode(),
                auth=self._auth,
                before_write=before_write,
            )
        except AddressRefused as refused:
            return rejected(403, str(refused), permanent=True, about_address=False)
        except CallFailed as failed:
            if not failed.may_have_arrived:
                return NotHanded(str(failed), Stage.CONNECT)
            return self._search(message, began_at, str(failed))
        said = _read(answer)
        if answer.status == 201 and said is not None and said.get("sid"):
            return _accepted(said)
        if answer.status >= 500 or said is None:
            return self._search(message, began_at, f"HTTP {answer.status}")
        code, text = _error_of(answer, said)
        verdict = words.verdict(code)
        return rejected(
            code, f"{code} {text}", permanent=verdict.then == "fail", about_address=verdict.about_address
        )

    def _search(self, message: ShortMessage, began_at: datetime, reason: str) -> Outcome:
        for pause in _ASKED_AFTER:
            self._sleep(pause)
            with contextlib.suppress(_NotAsked):
                found = self._find(message, began_at)
                if found is not None:
                    return found
        return Uncertain(reason)

    def _find(self, message: ShortMessage, offered_at: datetime) -> Accepted | None:
        try:
            answer = self._client.call(
                "GET",
                f"{self._account_url}/Messages.json",
                params={"To": message.recipient, "PageSize": 50},
                auth=self._auth,
            )
        except (AddressRefused, CallFailed) as error:
            raise _NotAsked(str(error)) from error
        said = _read(answer) if answer.status == 200 else None
        if said is None or not isinstance(said.get("messages"), list):
            raise _NotAsked(f"HTTP {answer.status}")
        for entry in said["messages"]:
            if _is_it(entry, message, offered_at):
                return _accepted(entry)
        return None


def _is_it(entry: Any, message: ShortMessage, offered_at: datetime) -> bool:
    if not isinstance(entry, dict) or entry.get("to") != message.recipient or not entry.get("sid"):
        return False
    if _TOKEN.sub("/", str(entry.get("body", ""))) != _TOKEN.sub("/", message.text):
        return False
    try:
        made_at = parsedate_to_datetime(str(entry.get("date_created", "")))
    except ValueError:
        return False
    made_at = made_at if made_at.tzinfo is not None else made_at.replace(tzinfo=UTC)
    return offered_at - _CLOCKS <= made_at <= offered_at + _TOOK


def _accepted(said: dict[str, Any]) -> Accepted:
    parts = str(said.get("num_segments") or "")
    return Accepted(
        str(said.get("status") or "taken"),
        ref=str(said["sid"]),
        parts=int(parts) if parts.isdigit() and int(parts) else None,
    )


def _read(answer: Answer) -> dict[str, Any] | None:
    try:
        said = json.loads(answer.body)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _error_of(answer: Answer, said: dict[str, Any] | None) -> tuple[int, str]:
    code = said.get("code") if said is not None else None
    text = str(said.get("message") or "") if said is not None else ""
    return (int(code) if isinstance(code, int) else answer.status), text[:300]
