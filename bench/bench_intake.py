"""Signed webhooks a second, kept and applied, against a minimal Django view with one INSERT.

Both are served by one granian with the options of `recoup web`, behind the same middlewares, to the same client: sixteen
kept-open connections, bodies of 2 KB, each with an id and an order of three goods of its own, signed
beforehand. Kept is what was
answered 200 and stands in the table. For what is applied a worker runs beside; its time ends when the last order stands.
"""

import hashlib
import hmac
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

from bench import harness, intake_twin
from recoup.cli.run import granian

PORT = 18_417
CONNECTIONS = 16
CALLS = 1_500  # of a round
APPLIED_CALLS = 160
SECRET = "whsec_" + "a2V5a2V5" * 4
WORKER = """
import django; django.setup()
from django_scopes import scopes_disabled
from recoup.hooks.apply import apply_waiting
import time
with scopes_disabled():
    while True:
        if not apply_waiting(200):
            time.sleep(0.02)
"""


def main() -> None:
    """Print both figures; exit 1 if a goal is missed or a call was lost."""
    with harness.database("intake"):
        key = make_source()
        server = start_server()
        try:
            answered = measure_answered(key)
            applied = measure_applied(key)
        finally:
            server.terminate()
            server.wait(20)
    raise SystemExit(not (answered and applied))


def make_source() -> str:
    """Make a shop with a generic source, and the twin's table; return the key."""
    from django.db import connection  # local: django

    from recoup.shops.models import Shop, Source  # local: django

    since = datetime(2026, 1, 1, tzinfo=UTC)
    shop = Shop(slug="bench", name="Bench", live_since=since)
    shop.save()
    source = Source(shop=shop, kind="generic", name="Bench", secret=SECRET, live_since=since)
    source.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute(intake_twin.TABLE)
    return source.key


def start_server() -> subprocess.Popen[bytes]:
    """Start the web server as `recoup web` does, with the twin beside the product."""
    server = subprocess.Popen(
        granian("127.0.0.1", PORT, 2, "bench.intake_twin:application"),
        env={**os.environ, "RECOUP_BENCH_SERVER": "1"},
        stdout=sys.stderr,
    )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", PORT), 1).close()
            time.sleep(0.5)
            return server
        except OSError:
            time.sleep(0.1)
    server.kill()
    raise RuntimeError("the web server did not start")


def measure_answered(key: str) -> bool:
    """Measure what is answered, and that nothing answered is missing."""
    calls = Calls(key)
    send(calls.ours(200))
    send(calls.theirs(200))
    rates: list[float] = []

    def ours() -> float:
        rates.append(CALLS / send(calls.ours(CALLS)))
        return rates[-1]

    ratio, rounds = harness.paired(ours, lambda: CALLS / send(calls.theirs(CALLS)))
    kept, twin = count("core_inbox"), count("bench_minimal")
    expected = 200 + CALLS * harness.ROUNDS
    assert (kept, twin) == (expected, expected), (kept, twin)
    return harness.report(
        "intake.answered.vs_minimal",
        ratio=ratio,
        goal=0.7,
        rounds=rounds,
        per_second=round(sorted(rates)[len(rates) // 2]),
    )


def measure_applied(key: str) -> bool:
    """Measure until all is applied, by one worker, against the twin's mere answers. No goal: the first honest figure."""
    empty("core_inbox")  # what the first measurement left would have to be applied first
    before = count("orders_order")  # some were applied at once
    calls = Calls(key)
    worker = subprocess.Popen([sys.executable, "-c", WORKER], env=os.environ)
    rates: list[float] = []
    try:
        send(calls.ours(20))
        wait_until_applied()

        def ours() -> float:
            began = time.perf_counter()
            send(calls.ours(APPLIED_CALLS))
            wait_until_applied()
            rates.append(APPLIED_CALLS / (time.perf_counter() - began))
            return rates[-1]

        ratio, rounds = harness.paired(ours, lambda: APPLIED_CALLS / send(calls.theirs(APPLIED_CALLS)))
    finally:
        worker.kill()
        worker.wait()
    assert count("core_inbox WHERE state <> 'applied'") == 0
    expected = 20 + APPLIED_CALLS * harness.ROUNDS
    assert (count("core_inbox"), count("orders_order") - before) == (expected, expected)
    assert count("orders_orderline") == 3 * count("orders_order")
    return harness.report(
        "intake.applied.vs_minimal",
        ratio=ratio,
        goal=0.0,
        rounds=rounds,
        per_second=round(sorted(rates)[len(rates) // 2], 1),
    )


def wait_until_applied() -> None:
    """Wait until nothing is left to apply."""
    deadline = time.monotonic() + 600
    while count("core_inbox WHERE state = 'new'"):
        assert time.monotonic() < deadline, "the worker does not finish"
        time.sleep(0.02)


def empty(table: str) -> None:
    """Empty a table."""
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")


def count(table: str) -> int:
    """Count rows."""
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        rows: int = cursor.fetchone()[0]
    return rows


class Calls:
    """Calls ready to be sent: never the same order or id twice."""

    number = 0

    def __init__(self, key: str) -> None:
        self._key = key

    def ours(self, wanted: int) -> list[bytes]:
        """Return calls signed by Standard Webhooks."""
        from recoup.integrations.generic import webhook  # local: django

        found = []
        for _ in range(wanted):
            raw = self._body()
            signed = webhook.sign(SECRET, f"evt-{Calls.number}", datetime.now(UTC), raw)
            found.append(_request(f"/hooks/{self._key}", raw, signed))
        return found

    def theirs(self, wanted: int) -> list[bytes]:
        """Return calls for the twin."""
        found = []
        for _ in range(wanted):
            raw = self._body()
            digest = hmac.new(intake_twin.SECRET, raw, hashlib.sha256).hexdigest()
            headers = {
                "webhook-id": f"evt-{Calls.number}",
                "webhook-timestamp": str(int(time.time())),
                "x-signature": digest,
            }
            found.append(_request("/hooks/minimal", raw, headers))
        return found

    def _body(self) -> bytes:
        Calls.number += 1
        number = Calls.number
        price = f"{number % 90 + 10}.00"
        items = [
            {
                "product_id": f"{name.lower()}-{number % 97}",
                "sku": f"SKU-{number * 7919 % 100_003}-{place}",
                "name": f"{name} no. {number * 31 % 1009}, handmade",
                "quantity": 1,
                "unit_price": price,
                "url": f"https://shop.example.com/products/{name.lower()}-{number * 13 % 7919}",
                "image_url": f"https://cdn.example.com/{hashlib.md5(f'{number}{place}'.encode()).hexdigest()}.jpg",
            }
            for place, name in enumerate(("Cream", "Soap", "Candle"))
        ]
        data: dict[str, Any] = {
            "id": f"A{number}",
            "number": f"2026/{number}",
            "status": "pending",
            "currency": "EUR",
            "total": f"{3 * (number % 90 + 10)}.00",
            "placed_at": "2026-11-02T09:00:00+01:00",
            "updated_at": "2026-11-02T09:00:00+01:00",
            "customer": {
                "email": f"anna{number}@example.com",
                "name": "Anna Nowak",
                "phone": f"+4860{number:07d}",
                "country": "PL",
                "address": {
                    "address_1": f"ul. Polna {number % 300}",
                    "postcode": "00-625",
                    "city": "Warszawa",
                },
            },
            "items": items,
            "payment_method": "card",
            "payment_method_title": "Card",
            "pay_url": f"https://shop.example.com/pay/{hashlib.sha256(str(number).encode()).hexdigest()}",
        }
        return json.dumps({"type": "order.created", "data": data}).encode()


def _request(path: str, raw: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
    lines += [f"content-length: {len(raw)}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + raw


def send(requests: list[bytes]) -> float:
    """Send calls over sixteen kept-open connections, each next one when the one before is answered; return the seconds."""
    waiting = iter(requests)
    selector = selectors.DefaultSelector()
    began = time.perf_counter()
    open_ones = 0
    for _ in range(CONNECTIONS):
        first = next(waiting, None)
        if first is None:
            break
        fresh = socket.create_connection(("127.0.0.1", PORT), 10)
        fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fresh.sendall(first)
        selector.register(fresh, selectors.EVENT_READ, fresh)
        open_ones += 1
    while open_ones:
        for event, _ in selector.select(30):
            connection: socket.socket = event.data
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
            while not answer.endswith(b"kept\n"):
                answer += connection.recv(65536)
            following = next(waiting, None)
            if following is not None:
                connection.sendall(following)
                continue
            selector.unregister(connection)
            connection.close()
            open_ones -= 1
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
