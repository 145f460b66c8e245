"""The demo bank as a program of its own, driven as buyers and the story drive it."""

import base64
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from recoup.integrations.demobank import texts
from recoup.integrations.demobank.words import DECLINES
from recoup.shops.snapshots import FailureClass

SECRET = "whsec_" + base64.b64encode(b"a secret of the demo bank").decode()
AUTH = ("shop-1", SECRET)


@contextmanager
def bank_program(ledger: Path) -> Iterator[httpx.Client]:
    """Run the bank's program and give a client of it."""
    program = subprocess.Popen(
        [sys.executable, "-m", "recoup.integrations.demobank.server", "--port", "0", "--ledger", str(ledger)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stdout is not None
        address = program.stdout.readline().strip()
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            yield client
    finally:
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=60)
        assert program.returncode == 0


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Return a client of a bank where each test has payments of its own."""
    with bank_program(tmp_path_factory.mktemp("bank") / "bank.sqlite") as client:
        yield client


@pytest.fixture
def heard() -> Iterator[list[tuple[dict[str, str], bytes]]]:
    """Return what the bank tells; an address that answers stands at its `address`."""
    calls: list[tuple[dict[str, str], bytes]] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(500 if len(calls) == 1 and self.path == "/busy" else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    Heard.address = f"http://127.0.0.1:{server.server_port}"
    yield calls
    server.shutdown()
    server.server_close()


class Heard:
    """Where the ear listens."""

    address = ""


def open_payment(bank: httpx.Client, reference: str = "r1", **wish: Any) -> dict[str, Any]:
    """Open a payment of 149.00 EUR."""
    body = {
        "reference": reference,
        "amount": 14900,
        "currency": "EUR",
        "order_number": "77",
        "description": "Order 77",
        "method": "card",
        "locale": "en",
        "return_url": "http://127.0.0.1:8000/pay/t?back=1",
        "notify_url": f"{Heard.address}/told",
        **wish,
    }
    answer = bank.post("/api/payments", json=body, auth=AUTH)
    return {"code": answer.status_code, **answer.json()}


def test_the_program_takes_a_payment_tells_the_shop_and_keeps_its_books(
    tmp_path: Path, heard: list[tuple[dict[str, str], bytes]]
) -> None:
    ledger = tmp_path / "bank.sqlite"
    with bank_program(ledger) as bank:
        payment = open_payment(bank)
        left = bank.post(f"/pay/{payment['id']}", data={"do": "pay"})
    with bank_program(ledger) as bank:
        kept = bank.get("/api/payments", params={"reference": "r1"}, auth=AUTH).json()

    assert (left.status_code, left.headers["location"]) == (303, "http://127.0.0.1:8000/pay/t?back=1")
    assert (kept["id"], kept["status"]) == (payment["id"], "paid")
    ((headers, body),) = heard
    told = Webhook(SECRET).verify(body, headers)
    assert (told["type"], told["payment"]["reference"], told["payment"]["amount"]) == (
        "payment.paid",
        "r1",
        14900,
    )


def test_every_mood_of_the_page_does_what_it_says(
    bank: httpx.Client, heard: list[tuple[dict[str, str], bytes]]
) -> None:
    moods = {
        "pay": ("paid", 1),
        "pay_silently": ("paid", 0),
        "pay_twice": ("paid", 2),
        "pay_other_sum": ("paid", 1),
        "give_up": ("waiting", 0),
        **{f"decline:{reason}": ("declined", 1) for reason in DECLINES},
    }
    seen = {}
    for mood in moods:
        payment = open_payment(bank, reference=mood)
        heard.clear()
        do, _, reason = mood.partition(":")
        bank.post(f"/pay/{payment['id']}", data={"do": do, "reason": reason})
        state = bank.get(f"/api/payments/{payment['id']}", auth=AUTH).json()
        seen[mood] = (state["status"], len(heard))
        assert state["reason"] == reason

    assert seen == moods


def test_a_late_payment_comes_after_the_session_was_cancelled(
    bank: httpx.Client, heard: list[tuple[dict[str, str], bytes]]
) -> None:
    payment = open_payment(bank, "late")
    bank.post(f"/pay/{payment['id']}", data={"do": "pay_late", "after": "0.3"})
    bank.post(f"/api/payments/{payment['id']}/cancel", auth=AUTH)
    deadline = time.monotonic() + 60
    while not heard and time.monotonic() < deadline:
        time.sleep(0.05)
    state = bank.get(f"/api/payments/{payment['id']}", auth=AUTH).json()["status"]

    assert (state, [json.loads(body)["type"] for _, body in heard]) == ("paid", ["payment.paid"])


def test_a_hanging_bank_answers_late_and_leaves_the_payment_open(bank: httpx.Client) -> None:
    payment = open_payment(bank, "hanging", notify_url="")
    begun = time.monotonic()
    bank.post(f"/pay/{payment['id']}", data={"do": "hang", "after": "0.5"})

    assert time.monotonic() - begun >= 0.5
    assert bank.get(f"/api/payments/{payment['id']}", auth=AUTH).json()["status"] == "processing"


def test_a_call_that_was_not_answered_is_repeated(
    bank: httpx.Client, heard: list[tuple[dict[str, str], bytes]]
) -> None:
    payment = open_payment(bank, "repeated", notify_url=f"{Heard.address}/busy")
    bank.post(f"/pay/{payment['id']}", data={"do": "pay"})
    deadline = time.monotonic() + 60
    while len(heard) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert [headers["webhook-id"] for headers, _ in heard] == [heard[0][0]["webhook-id"]] * 2


def test_strangers_learn_nothing_and_a_payment_ends_once(bank: httpx.Client) -> None:
    payment = open_payment(bank, "strange", notify_url="")
    path = f"/api/payments/{payment['id']}"
    assert bank.get(path).status_code == 401
    assert bank.get(path, auth=("shop-1", "whsec_wrong")).status_code == 401
    assert bank.get(path, auth=("shop-2", SECRET)).status_code == 404
    assert open_payment(bank, "strange", amount=1)["code"] == 409
    assert open_payment(bank, "strange")["id"] == payment["id"]
    bank.post(f"/pay/{payment['id']}", data={"do": "pay"})

    again = [bank.post(f"/pay/{payment['id']}", data={"do": deed}) for deed in ("pay", "decline", "fly")]

    assert [answer.status_code for answer in again] == [409, 409, 409]
    assert bank.get("/pay/db_nobody").status_code == 404
    assert bank.get(path, auth=AUTH).json()["status"] == "paid"


@pytest.mark.parametrize(
    ("locale", "sum_"),
    [("en", "€149.00"), ("pl", "149,00 €"), ("ru", "149,00 €"), ("de-AT", "149,00 €"), ("fr", "€149.00")],
)
def test_the_page_speaks_the_buyers_language(bank: httpx.Client, locale: str, sum_: str) -> None:
    payment = open_payment(bank, locale, locale=locale, description="<b>Order</b>")
    page = bank.get(f"/pay/{payment['id']}")

    assert sum_ in page.text.replace("\xa0", " ")
    assert "<b>" not in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_the_words_are_whole_in_every_language_and_every_class_can_be_declined() -> None:
    assert [set(words) ^ set(texts.LANGUAGES["en"]) for words in texts.LANGUAGES.values()] == [set()] * 4
    assert set(DECLINES.values()) == set(FailureClass)
    russian = "".join(value for key, value in texts.LANGUAGES["ru"].items() if key != "method.blik")
    assert re.findall(r"[A-Za-z]+", russian) == []
