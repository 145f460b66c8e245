"""How the demo's shop tells its news: bodies of its webhook, kept in the inbox as if they had come over the wire."""

import json
from datetime import datetime
from typing import Any

from recoup.core import inbox
from recoup.integrations.generic.adapter import Generic
from recoup.shops.models import Source
from recoup.shops.snapshots import CartSnapshot, LineSnapshot, OrderSnapshot, PersonSnapshot


def report(source: Source, kind: str, told: dict[str, Any], *, at: datetime) -> None:
    """Keep one event; the worker reads it."""
    raw = json.dumps({"type": kind, "timestamp": at.isoformat(), "data": told}, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "webhook-id": f"demo_{kind}_{told['id']}"}
    peek = Generic().peek(raw, headers)
    inbox.keep(
        inbox.Call(
            shop_id=source.shop_id,
            source_kind=inbox.SHOP,
            source_id=source.pk,
            event_id=peek.event_id,
            raw=raw,
            topic=peek.topic,
            headers=headers,
            subject_kind=peek.subject_kind,
            subject_refs=peek.subject_refs,
            received_at=at,
        )
    )


def order_as_told(order: OrderSnapshot) -> dict[str, Any]:
    """Return an order as the webhook tells it."""
    return {
        "id": order.ref,
        "number": order.number,
        "status": order.state.value,
        "currency": order.currency,
        "total": str(order.total),
        "placed_at": order.placed_at.isoformat(),
        "updated_at": order.version_at.isoformat(),
        "customer": _person(order.person),
        "items": [_line(line) for line in order.lines],
        "payment_method": order.method,
        "payment_method_title": order.method_title,
        "is_offline_payment": order.is_offline_method,
        "locale": order.locale,
        **_particulars(order),
    }


def cart_as_told(cart: CartSnapshot) -> dict[str, Any]:
    """Return a cart as the webhook tells it."""
    return {
        "id": cart.ref,
        "currency": cart.currency,
        "total": str(cart.total),
        "updated_at": cart.version_at.isoformat(),
        "customer": _person(cart.person),
        "items": [_line(line) for line in cart.lines],
        "locale": cart.locale,
        **_particulars(cart),
    }


def _particulars(told: OrderSnapshot | CartSnapshot) -> dict[str, Any]:
    """Return delivery and invoice as the webhook tells them."""
    found: dict[str, Any] = {}
    if told.shipping_total is not None:
        found["shipping_total"] = str(told.shipping_total)
    if (delivery := told.delivery) is not None:
        point = delivery.point
        found["delivery"] = {
            "method": delivery.method,
            "title": delivery.title,
            "point": {"id": point.ref, "name": point.name, "address": point.address},
            "name": delivery.name,
            "address": delivery.address,
        }
    if (invoice := told.invoice) is not None:
        found["invoice"] = {"wanted": invoice.is_wanted, "company": invoice.company, "tax_id": invoice.tax_id}
    return found


def _person(person: PersonSnapshot) -> dict[str, Any]:
    told: dict[str, Any] = {
        "email": person.email,
        "name": person.name,
        "country": person.country,
        "locale": person.locale,
        "time_zone": person.time_zone,
        "address": person.address,
    }
    if person.marketing_consent is not None and person.marketing_consent_at is not None:
        told["marketing"] = {
            "consent": person.marketing_consent,
            "at": person.marketing_consent_at.isoformat(),
            "text": person.marketing_consent_text,
        }
    return told


def _line(line: LineSnapshot) -> dict[str, Any]:
    return {
        "product_id": line.product_ref,
        "name": line.name,
        "quantity": str(line.quantity),
        "unit_price": str(line.unit_price),
    }
