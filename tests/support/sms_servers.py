"""Stand-ins for SMSAPI and Twilio on real sockets, as their documentation has them; they misbehave on request.

How a message is treated is chosen by the last digits of its number, so that a test says it where it makes the person:
`...01` too many requests, `...02` a passing error, `...03` the content is refused, `...04` no such number, `...05` taken and
the line cut before the answer, `...06` the line cut before it is taken, `...07` answered a second late, `...08` the person
has said STOP to the provider, `...09` an error with HTTP 500 after it was taken.
"""

import base64
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

BEHAVIOURS = {
    "01": "busy",
    "02": "later",
    "03": "refused",
    "04": "gone",
    "05": "lost_after",
    "06": "lost_before",
    "07": "slow",
    "08": "stopped",
    "09": "broken_after",
}


def boot_time() -> float:
    """Return seconds since the machine started, as the sender counts."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass
class Taken:
    """One message that the provider took responsibility for."""

    number: str
    text: str
    sender: str
    ref: str
    at: float
    sid: str
    made_at: datetime
    report_url: str
    tries: int = 1


class _Cut(Exception):
    """The line goes without an answer."""


@dataclass
class _Server:
    """What both stand-ins do; a context manager that listens while it is open."""

    token: str = "right"
    messages: list[Taken] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    most: int = 0
    """After so many messages it asks for fewer; 0 is never."""

    is_silent: bool = False
    """It forgets behaviours: whatever comes is taken."""

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                form = {k: v[0] for k, v in parse_qs(self.rfile.read(length).decode(), True).items()}
                parts = urlsplit(self.path)
                query = {k: v[0] for k, v in parse_qs(parts.query, True).items()}
                outer.requests.append((self.command, parts.path))
                try:
                    status, body = outer.answer(self.command, parts.path, query, form, self.headers)
                except _Cut:
                    self.close_connection = True
                    self.connection.close()
                    return
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = _serve  # noqa: N815 - theirs

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - theirs
                """Say nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(
        self, method: str, path: str, query: dict[str, str], form: dict[str, str], headers: Any
    ) -> tuple[int, Any]:
        """Return status and body."""
        raise NotImplementedError

    def behaviour(self, number: str) -> str:
        """Return how a message to a number is treated."""
        if self.is_silent:
            return ""
        if self.most and len(self.messages) >= self.most:
            return "busy"
        return BEHAVIOURS.get(number[-2:], "")

    def take(self, number: str, text: str, sender: str, ref: str, report_url: str) -> Taken:
        """Write a message down; the caller answers only after that."""
        with self._lock:
            count = len(self.messages) + 1
            taken = Taken(
                number, text, sender, ref, boot_time(), f"{count:032x}", datetime.now(UTC), report_url
            )
            self.messages.append(taken)
        return taken


_SMSAPI_REFUSALS = {
    "busy": (203, "Too many requests. Please try again later"),
    "later": (201, "System internal error"),
    "refused": (11, "Too long message"),
    "gone": (13, "No correct phone numbers"),
    "stopped": (57, "Number is on the blacklist"),
}


class SmsapiServer(_Server):
    """SMSAPI: bearer token, `sms.do`, errors in the body with HTTP 200, `idx` taken once."""

    def answer(  # noqa: PLR0911 - a table of behaviours
        self,
        method: str,
        path: str,
        query: dict[str, str],  # noqa: ARG002 - theirs is in the form
        form: dict[str, str],
        headers: Any,
    ) -> tuple[int, Any]:
        """Return status and body."""
        if headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {"message": "Authorization failed", "error": 101, "errors": None}
        if (method, path) == ("GET", "/profile"):
            return 200, {"username": "shop", "payment_type": "prepaid", "points": 12.5}
        if (method, path) != ("POST", "/sms.do"):
            return 404, {"message": "Not found", "error": 404}
        number, idx = f"+{form['to']}", form.get("idx", "")
        if form.get("check_idx") == "1" and any(one.ref == idx for one in self.messages):
            return 200, _error(53, "Not unique idx parameter")
        how = self.behaviour(number)
        if how in _SMSAPI_REFUSALS:
            code, text = _SMSAPI_REFUSALS[how]
            return (429 if how == "busy" else 200), _error(code, text)
        if how == "lost_before":
            raise _Cut
        taken = self.take(number, form["message"], form["from"], idx, form.get("notify_url", ""))
        if how == "lost_after":
            raise _Cut
        if how == "broken_after":
            return 500, {"message": "Internal server error"}
        if how == "slow":
            time.sleep(1.0)
        return 200, {
            "count": 1,
            "list": [
                {
                    "id": taken.sid,
                    "points": 0.16,
                    "number": form["to"],
                    "date_sent": int(taken.made_at.timestamp()),
                    "submitted_number": form["to"],
                    "status": "QUEUE",
                    "error": None,
                    "idx": idx,
                    "parts": 1,
                }
            ],
        }


def _error(code: int, text: str) -> dict[str, Any]:
    return {"error": code, "message": text}


class TwilioServer(_Server):
    """Twilio: basic auth, `Messages.json`, the balance, and a list of messages by recipient."""

    def answer(  # noqa: PLR0911 - a table of behaviours
        self, method: str, path: str, query: dict[str, str], form: dict[str, str], headers: Any
    ) -> tuple[int, Any]:
        """Return status and body."""
        given = headers.get("Authorization", "").removeprefix("Basic ")
        sid, _, token = base64.b64decode(given).decode().partition(":")
        root = f"/2010-04-01/Accounts/{sid}"
        if token != self.token:
            return 401, {"code": 20003, "message": "Authenticate", "status": 401}
        if (method, path) == ("GET", f"{root}/Balance.json"):
            return 200, {"account_sid": sid, "balance": "7.25", "currency": "USD"}
        if path != f"{root}/Messages.json":
            return 404, {"code": 20404, "message": "The requested resource was not found", "status": 404}
        if method == "GET":
            found = [one for one in self.messages if one.number == query.get("To")]
            return 200, {"messages": [_resource(one, "sent") for one in reversed(found)], "page": 0}
        number = form["To"]
        how = self.behaviour(number)
        refusals = {
            "busy": (429, 20429, "Too Many Requests"),
            "later": (429, 21611, "This 'From' number has exceeded the maximum number of queued messages"),
            "refused": (400, 21617, "The concatenated message body exceeds the 1600 character limit"),
            "gone": (400, 21614, "'To' number is not a valid mobile number"),
            "stopped": (400, 21610, "Attempt to send to unsubscribed recipient"),
        }
        if how in refusals:
            status, code, text = refusals[how]
            return status, {"code": code, "message": text, "status": status}
        if how == "lost_before":
            raise _Cut
        sender = form.get("From") or form.get("MessagingServiceSid", "")
        taken = self.take(number, form["Body"], sender, "", form.get("StatusCallback", ""))
        if how == "lost_after":
            raise _Cut
        if how == "broken_after":
            return 500, {"code": 20500, "message": "Internal Server Error", "status": 500}
        if how == "slow":
            time.sleep(1.0)
        return 201, _resource(taken, "queued")


def _resource(taken: Taken, status: str) -> dict[str, Any]:
    return {
        "sid": f"SM{taken.sid}",
        "to": taken.number,
        "from": taken.sender,
        "body": taken.text,
        "status": status,
        "num_segments": "1",
        "date_created": format_datetime(taken.made_at),
        "direction": "outbound-api",
        "error_code": None,
        "price": None,
    }
