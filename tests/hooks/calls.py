"""Signed calls for tests, as a shop would send them."""

import json
from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.test import Client

from recoup.integrations.generic import webhook
from recoup.integrations.woocommerce import webhook as woo_webhook
from recoup.shops.models import Source
from tests.factories.moments import NOW

_numbers = iter(range(1, 10**9))


def body_of(kind: str, /, **data: Any) -> bytes:
    """Return the body of an event of the generic contract."""
    return json.dumps({"type": kind, "timestamp": "2026-11-02T12:00:00Z", "data": data}).encode()


def order_data(ref: str = "A1", **values: Any) -> dict[str, Any]:
    """Return an unpaid order of 149.00 EUR as the generic contract tells it."""
    return {
        "id": ref,
        "status": "pending",
        "currency": "EUR",
        "total": "149.00",
        "placed_at": "2026-11-02T09:00:00+01:00",
        "updated_at": "2026-11-02T09:00:00+01:00",
        "customer": {"email": "anna@example.com", "name": "Anna Nowak"},
        "items": [{"product_id": "cream", "name": "Cream", "quantity": 1, "unit_price": "149.00"}],
        **values,
    }


def send(
    client: Client,
    source: Source,
    raw: bytes,
    *,
    event_id: str = "",
    at: datetime | None = None,
    secret: str = "",
    **headers: str,
) -> HttpResponse:
    """Send a call signed by Standard Webhooks; `headers` replace what was signed."""
    signed = webhook.sign(
        secret or source.secret, event_id or f"evt-{next(_numbers)}", at or datetime.now(UTC), raw
    )
    wanted = {**signed, **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer: HttpResponse = client.post(  # type: ignore[assignment]
        f"/hooks/{source.key}",
        data=raw,
        content_type=wanted.pop("content-type", "application/json"),
        headers={name: value for name, value in wanted.items() if value != "absent"},
    )
    return answer


def send_woo(
    client: Client, source: Source, raw: bytes, topic: str, *, secret: str = "", **headers: str
) -> HttpResponse:
    """Send a call as WooCommerce does."""
    answer: HttpResponse = client.post(  # type: ignore[assignment]
        f"/hooks/{source.key}",
        data=raw,
        content_type="application/json",
        headers={
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-signature": woo_webhook.sign(secret or source.secret, raw),
            "x-wc-webhook-delivery-id": "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
            **headers,
        },
    )
    return answer


__all__ = ["NOW", "body_of", "order_data", "send", "send_woo"]
