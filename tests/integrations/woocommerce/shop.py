"""A WooCommerce shop in miniature: its REST API over HTTP on this machine, as far as we use it."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY, SECRET = "ck_1234567890", "cs_0987654321"


@dataclass
class Shop:
    """What the shop holds, how it answers, and what it was asked."""

    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    webhooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    now: datetime = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    fault: str = ""  # down, html, redirect, read_only, no_api, slow
    asked: list[str] = field(default_factory=list)
    url: str = ""
    vanish_after_page: int = 0  # an order that is deleted while a list is read
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**6)))

    def add_order(self, number: int, **values: Any) -> dict[str, Any]:
        """Add an order placed and changed now."""
        moment = self.now.strftime("%Y-%m-%dT%H:%M:%S")
        order = {
            "id": number,
            "number": str(number),
            "status": "pending",
            "currency": "EUR",
            "total": "149.00",
            "date_created_gmt": moment,
            "date_modified_gmt": moment,
            "date_paid_gmt": None,
            "payment_method": "stripe",
            "payment_method_title": "Card",
            "transaction_id": "",
            "customer_id": 0,
            "billing": {"first_name": "Anna", "last_name": "Nowak", "email": f"anna{number}@example.com"},
            "line_items": [
                {
                    "id": 1,
                    "product_id": 5,
                    "name": "Cream",
                    "quantity": 1,
                    "total": "149.00",
                    "total_tax": "0.00",
                }
            ],
            "refunds": [],
            "meta_data": [],
            "payment_url": f"{self.url}/checkout/order-pay/{number}/?pay_for_order=true&key=wc_order_x",
            **values,
        }
        self.orders[number] = order
        return order

    def change_order(self, number: int, **values: Any) -> None:
        """Change an order now."""
        self.orders[number] |= {"date_modified_gmt": self.now.strftime("%Y-%m-%dT%H:%M:%S"), **values}

    def add_product(self, number: int, **values: Any) -> None:
        """Add a product."""
        moment = self.now.strftime("%Y-%m-%dT%H:%M:%S")
        self.products[number] = {
            "id": number,
            "name": f"Product {number}",
            "price": "49.00",
            "status": "publish",
            "stock_status": "instock",
            "date_modified_gmt": moment,
            "permalink": f"https://shop.example/{number}",
            **values,
        }

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Answer a call as WooCommerce does."""
        self.asked.append(f"{method} {path}?" + "&".join(f"{k}={v}" for k, v in sorted(query.items())))
        if self.fault == "down":
            return 503, {"code": "unavailable", "message": "Down for maintenance"}
        if not path.startswith("/wp-json/wc/v3/") or self.fault == "no_api":
            return 404, {"code": "rest_no_route", "message": "No route was found"}
        if self.fault == "read_only" and method != "GET":
            return 401, {"code": "woocommerce_rest_cannot_create", "message": "Sorry"}
        stage, _, number = path.removeprefix("/wp-json/wc/v3/").partition("/")
        if stage == "webhooks":
            return self._webhooks(method, number, query, body)
        rows = self.orders if stage == "orders" else self.products
        if number:
            row = rows.get(int(number))
            missing = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."}
            return (200, row) if row else (404, missing)
        return 200, self._list(list(rows.values()), query)

    def _list(self, rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        if "modified_after" in query:
            rows = [row for row in rows if row["date_modified_gmt"] > query["modified_after"]]
        if "after" in query:
            rows = [row for row in rows if row["date_created_gmt"] > query["after"]]
        assert query.get("orderby", "id") == "id"
        rows = sorted(rows, key=lambda row: int(row["id"]))
        start, size = int(query.get("offset", 0)), int(query.get("per_page", 10))
        page = rows[start : start + size]
        if self.vanish_after_page and len(page) == size:
            self.orders.pop(self.vanish_after_page, None)
        return page

    def _webhooks(self, method: str, number: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if method == "GET":
            start = (int(query.get("page", 1)) - 1) * int(query["per_page"])
            return 200, list(self.webhooks.values())[start : start + int(query["per_page"])]
        if method == "POST":
            row = {**body, "id": next(self._numbers)}
            self.webhooks[row["id"]] = row
            return 201, row
        self.webhooks[int(number)] |= body
        return 200, self.webhooks[int(number)]


@contextmanager
def serving(shop: Shop) -> Iterator[Shop]:
    """Serve a shop on 127.0.0.1 while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = "Basic " + base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = shop.answer(self.command, parts.path, query, body)
            if self.headers.get("authorization") != wanted:
                status, answer = 401, {"code": "woocommerce_rest_cannot_view", "message": "Sorry"}
            raw = json.dumps(answer).encode()
            if shop.fault == "html":
                status, raw = 200, b"<br />\n<b>Notice</b>: Undefined index" + raw
            self.send_response_only(302 if shop.fault == "redirect" else status)
            if shop.fault == "redirect":
                self.send_header("location", "https://www.shop.example/")
            self.send_header("date", format_datetime(shop.now, usegmt=True))
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_POST = do_PUT = do_GET  # noqa: N815 - the names that the server looks for

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


MINUTE = timedelta(minutes=1)
