"""The demo bank's HTTP server: its API for shops and its page for buyers.

    python -m recoup.integrations.demobank.server --port 9100 --ledger var/demobank.sqlite

Listens on this machine only and prints its address. Port 0 takes a free one.
"""

import argparse
import base64
import json
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from recoup.integrations.demobank import pages
from recoup.integrations.demobank.bank import (
    Bank,
    Caller,
    Deed,
    DeedRefused,
    Fault,
    call_shop,
    payment_fields,
    refund_fields,
)
from recoup.integrations.demobank.ledger import Ledger, NewPayment

LARGEST_BODY = 64 * 1024
HOST = "127.0.0.1"


class CutLine(Exception):
    """The line is to be cut without an answer."""


class Refused(Exception):
    """An answer of the API that says no."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class BankServer(ThreadingHTTPServer):
    """The listening bank."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, bank: Bank) -> None:
        super().__init__((HOST, port), Handler)
        self.bank = bank

    @property
    def origin(self) -> str:
        """Return the bank's address."""
        return f"http://{HOST}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep quiet about callers that hung up."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: BankServer
    protocol_version = "HTTP/1.1"
    server_version = "DemoBank/1"
    sys_version = ""
    timeout = 60

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base class
        """Write nothing: addresses hold references."""

    def do_GET(self) -> None:
        """Show a page or answer the API; changes nothing."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Do what a buyer or a shop asks."""
        self._answer(self._post)

    def _answer(self, route: Any) -> None:
        try:
            route(urlsplit(self.path))
        except CutLine:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        except Refused as refused:
            self._send_json({"error": {"code": refused.code}}, refused.status)
        except DeedRefused as refused:
            self._send(pages.plain(str(refused)), HTTPStatus.CONFLICT, "text/html; charset=utf-8")

    def _get(self, url: Any) -> None:
        parts = url.path.strip("/").split("/")
        match parts:
            case ["health"]:
                self._send(b"ok", HTTPStatus.OK, "text/plain")
            case ["bank.css"]:
                self._send(pages.CSS, HTTPStatus.OK, "text/css; charset=utf-8")
            case ["pay", payment_id]:
                self._show_page(payment_id)
            case ["api", "payments", *rest]:
                merchant = self._merchant()
                with self._fault("ask"):
                    self._send_payment(self._find(merchant, rest, parse_qs(url.query)))
            case _:
                raise Refused(HTTPStatus.NOT_FOUND, "not_found")

    def _post(self, url: Any) -> None:
        body = self._body()
        match url.path.strip("/").split("/"):
            case ["pay", payment_id]:
                self._act(payment_id, {key: values[0] for key, values in parse_qs(body.decode()).items()})
            case ["api", "faults"]:
                self._merchant()
                self.server.bank.faults.append(Fault(**json.loads(body)))
                self._send_json({}, HTTPStatus.CREATED)
            case ["api", "payments"]:
                merchant = self._merchant()
                with self._fault("open"):
                    self._open(merchant, json.loads(body))
            case ["api", "payments", payment_id, "cancel"]:
                merchant = self._merchant()
                with self._fault("close"):
                    self.server.bank.ledger.turn(self._find(merchant, [payment_id], {})["id"], "cancelled")
                    self._send_payment(self._find(merchant, [payment_id], {}))
            case ["api", "payments", payment_id, "refunds"]:
                merchant = self._merchant()
                with self._fault("refund"):
                    self._refund(merchant, payment_id, json.loads(body))
            case _:
                raise Refused(HTTPStatus.NOT_FOUND, "not_found")

    # The API

    def _merchant(self) -> str:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        name, _, secret = base64.b64decode(token).decode().partition(":") if kind == "Basic" else ("", "", "")
        if not (name and secret and self.server.bank.ledger.admit(name, secret)):
            raise Refused(HTTPStatus.UNAUTHORIZED, "merchant_unknown")
        return name

    def _find(self, merchant: str, path: list[str], query: dict[str, list[str]]) -> Any:
        ledger = self.server.bank.ledger
        reference = query.get("reference", [""])[0]
        found = ledger.payment(path[0]) if path else ledger.by_reference(merchant, reference)
        if found is None or found["merchant"] != merchant:
            raise Refused(HTTPStatus.NOT_FOUND, "payment_unknown")
        return found

    def _open(self, merchant: str, wish: dict[str, Any]) -> None:
        if not isinstance(wish.get("amount"), int) or not 0 < wish["amount"] <= 10**12:
            raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "amount_refused")
        names = ("reference", "currency", "order_number", "description", "method", "locale", "return_url")
        texts = {name: str(wish.get(name, "")) for name in (*names, "notify_url")}
        payment = self.server.bank.ledger.open(NewPayment(merchant=merchant, amount=wish["amount"], **texts))
        if (payment["amount"], payment["currency"]) != (wish["amount"], texts["currency"]):
            raise Refused(HTTPStatus.CONFLICT, "reference_used")
        self._send_payment(payment, HTTPStatus.CREATED)

    def _refund(self, merchant: str, payment_id: str, wish: dict[str, Any]) -> None:
        payment = self._find(merchant, [payment_id], {})
        refund = self.server.bank.refund(payment_id, str(wish.get("reference", "")), int(wish["amount"]))
        if refund is None:
            raise Refused(HTTPStatus.CONFLICT, "amount_refused")
        self._send_json(refund_fields(refund, payment["currency"]), HTTPStatus.CREATED)

    def _send_payment(self, payment: Any, status: int = HTTPStatus.OK) -> None:
        page = f"{self.server.origin}/pay/{payment['id']}"
        self._send_json({**payment_fields(payment), "page": page}, status)

    @contextmanager
    def _fault(self, call: str) -> Iterator[None]:
        """Let the call go wrong in the way that is next, before its effect or after it."""
        fault = self.server.bank.next_fault(call)
        self.fault = fault.kind if fault else ""
        if fault is not None and fault.kind in {"cut_before", "error_500"}:
            if self.fault == "cut_before":
                raise CutLine
            raise Refused(HTTPStatus.INTERNAL_SERVER_ERROR, "internal")
        if fault is not None and fault.kind == "slow":
            threading.Event().wait(fault.seconds)
        self.fault_seconds = fault.seconds if fault else 0.0
        yield

    fault = ""
    fault_seconds = 0.0

    def _send_json(self, content: dict[str, Any], status: int) -> None:
        kind, self.fault = self.fault, ""
        if kind == "cut_after":
            raise CutLine
        if kind == "hang":
            threading.Event().wait(self.fault_seconds)
            raise CutLine
        if kind == "html":
            self._send(b"<html><body>Bad gateway</body></html>", HTTPStatus.OK, "text/html")
            return
        if kind == "error_in_200":
            content, status = {"error": {"code": "amount_refused"}}, HTTPStatus.OK
        self._send(json.dumps(content).encode(), status, "application/json")

    # The page

    def _show_page(self, payment_id: str) -> None:
        payment = self.server.bank.ledger.payment(payment_id)
        if payment is None:
            raise Refused(HTTPStatus.NOT_FOUND, "payment_unknown")
        self._send(pages.payment_page(payment), HTTPStatus.OK, "text/html; charset=utf-8")

    def _act(self, payment_id: str, form: dict[str, str]) -> None:
        payment = self.server.bank.ledger.payment(payment_id)
        if payment is None:
            raise Refused(HTTPStatus.NOT_FOUND, "payment_unknown")
        deed = Deed(
            do=form.get("do", ""),
            reason=form.get("reason", ""),
            amount=int(form["amount"]) if "amount" in form else None,
            currency=form.get("currency", ""),
            after=float(form["after"]) if "after" in form else None,
        )
        self.server.bank.act(payment_id, deed)
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", payment["return_url"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= LARGEST_BODY:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        return self.rfile.read(length)

    def _send(self, content: bytes, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", pages.POLICY)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running(*, port: int = 0, ledger: str = ":memory:", caller: Caller = call_shop) -> Iterator[BankServer]:
    """Run the bank in threads of this process for the length of a block."""
    books = Ledger(ledger)
    bank = Bank(books, caller)
    server = BankServer(port, bank)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="demobank", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        bank.close()
        server.server_close()
        thread.join()
        books.close()


def main(arguments: list[str] | None = None) -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="demobank", description="A bank that takes no money.")
    parser.add_argument("--port", type=int, default=9100)
    parser.add_argument("--ledger", default=":memory:", help="file of the bank's books")
    chosen = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with running(port=chosen.port, ledger=chosen.ledger) as server:
        sys.stdout.write(f"{server.origin}\n")
        sys.stdout.flush()
        stop.wait()


if __name__ == "__main__":
    main()
