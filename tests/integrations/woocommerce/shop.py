"""A WooCommerce shop in miniature: its REST API over HTTP on this machine, as far as we use it."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.integrations.woocommerce.coupon_desk import answer_coupons, put_order

KEY, SECRET = "ck_1234567890", "cs_0987654321"


@dataclass
class Shop:
    """What the shop holds, how it answers, and what it was asked."""

    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    webhooks: dict[int, dict[str, Any]] = field(default_factory=dict)
    coupons: dict[int, dict[str, Any]] = field(default_factory=dict)
    now: datetime = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
    # down, busy, html, redirect, read_only, forbidden, no_api; lost: what was asked is done, and the answer gets lost
    fault: str = ""
    takes_coupons: bool = True
    version: str = "10.3.1"
    zone: tzinfo = timezone(timedelta(hours=2))  # of the shop, for dates that do not say theirs
    meddles: dict[str, Any] = field(default_factory=dict)  # what a plugin makes of every coupon
    surcharge: Decimal = Decimal(0)  # what a plugin adds whenever an order is reckoned anew
    asked: list[str] = field(default_factory=list)
    url: str = ""
    vanish_after_page: int = 0  # an order that is deleted while a list is read
    till: threading.Lock = field(default_factory=threading.Lock)
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
            "coupon_lines": [],
            "prices_include_tax": True,
            "discount_total": "0.00",
            "shipping_total": "0.00",
            "meta_data": [],
            "payment_url": f"{self.url}/checkout/order-pay/{number}/?pay_for_order=true&key=wc_order_x",
            **values,
        }
        for line in order["line_items"]:  # before discounts; nothing is taken off yet
            line.setdefault("subtotal", line["total"])
            line.setdefault("subtotal_tax", line["total_tax"])
        self.orders[number] = order
        return order

    def next_number(self) -> int:
        """Return a fresh id."""
        return next(self._numbers)

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
        if failed := self._failed(method, path):
            return failed
        stage, _, number = path.removeprefix("/wp-json/wc/v3/").partition("/")
        desks: dict[str, Callable[[], tuple[int, Any]]] = {
            "webhooks": lambda: self._webhooks(method, number, query, body),
            "coupons": lambda: answer_coupons(self, method, number, query, body),
            "settings": lambda: (200, {"id": number.rpartition("/")[2], "value": self._coupons_setting()}),
            "system_status": lambda: (200, {"environment": {"version": self.version}}),
        }
        return desks[stage]() if stage in desks else self._rows(stage, method, number, query, body)

    def _coupons_setting(self) -> str:
        return "yes" if self.takes_coupons else "no"

    def _failed(self, method: str, path: str) -> tuple[int, Any] | None:
        if not path.startswith("/wp-json/wc/v3/") or self.fault == "no_api":
            return 404, {"code": "rest_no_route", "message": "No route was found"}
        if self.fault == "read_only" and method != "GET":
            return 401, {"code": "woocommerce_rest_cannot_create", "message": "Sorry"}
        answers = {
            "down": (503, {"code": "unavailable", "message": "Down for maintenance"}),
            "busy": (429, {"code": "too_many", "message": "Too many requests"}),
            "forbidden": (403, {"code": "woocommerce_rest_cannot_view", "message": "Sorry"}),
        }
        return answers.get(self.fault)

    def _rows(
        self, stage: str, method: str, number: str, query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        rows = self.orders if stage == "orders" else self.products
        if not number:
            return 200, self._list(list(rows.values()), query)
        row = rows.get(int(number))
        if row is None:
            return 404, {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."}
        return put_order(self, row, body) if method == "PUT" else (200, row)

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
            with shop.till:  # as the database of a shop lets one change after the other
                status, answer = shop.answer(self.command, parts.path, query, body)
            if shop.fault == "lost" and self.command != "GET":
                self.close_connection = True
                return
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

        do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that the server looks for

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
