"""The generic signed webhook: orders, carts, payments, refunds and products of any shop."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from recoup.core import strict_json
from recoup.core.strict_json import JsonRefused
from recoup.integrations import values
from recoup.integrations.forms_refused import refuse_form
from recoup.integrations.generic import contract, snapshots, webhook, words
from recoup.shops.base_platform import BasePlatform
from recoup.shops.models import Source
from recoup.shops.ports import BodyQuarantined, Capabilities, Peek, Reading
from recoup.shops.snapshots import OrderDeleted, Snapshot

_TEST_MODE = "test"  # options["mode"] of a source that takes test events only (T26)
_KINDS = {"order": "order", "cart": "cart", "payment": "payment", "refund": "payment", "product": "product"}


class Generic(BasePlatform):
    """Any shop that signs its calls as Standard Webhooks says."""

    kind = "generic"
    capabilities = Capabilities(webhooks=True, carts=True, pay_links=True)

    def check_call(self, source: Source, raw: bytes, headers: Mapping[str, str], *, now: datetime) -> None:
        """Check id, timestamp and signatures against the present and the previous secret."""
        in_use = tuple(secret for secret in (source.secret, source.previous_secret) if secret)
        webhook.check_signature(in_use, raw, headers, now=now)

    def peek(self, raw: bytes, headers: Mapping[str, str]) -> Peek:
        """Name the event by its header, and the order, cart and payments by their ids in the body."""
        event_id = headers.get("webhook-id") or hashlib.sha256(raw).hexdigest()
        try:
            body = json.loads(raw)
            topic, told = body["type"], body["data"]
            kind = _KINDS.get(topic.partition(".")[0], "")
            refs = _refs(told)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return Peek(event_id=event_id, topic="", failed=True)
        return Peek(event_id=event_id, topic=topic[:100], subject_kind=kind, subject_refs=refs)

    def read(
        self,
        source: Source,
        raw: bytes,
        headers: Mapping[str, str],
        *,
        received_at: datetime,  # noqa: ARG002 - the contract tells every instant itself
    ) -> Reading:
        """Understand a body by the contract; unknown types and test events are unused."""
        body = _body(raw, headers)
        kind = body.get("type")
        if not isinstance(kind, str):
            raise BodyQuarantined("field_missing", "type")
        model = contract.MODELS.get(kind)
        if model is None:
            return Reading(unused=f"unknown_topic: {values.shown(kind)}")
        event = _validated(model, body)
        wants_test = source.options.get("mode") == _TEST_MODE
        if event.test is not wants_test:
            return Reading(unused="test_event" if event.test else "live_event")
        return _reading(event, source)

    def new_secret(self) -> str:
        """Return a secret of 32 bytes, `whsec_...`."""
        return webhook.new_secret()

    def secret_trouble(self, secret: str) -> str:
        """Refuse what is not base64 of at least 24 bytes."""
        return "" if webhook.secret_key(secret) else "secret_short"


def _refs(told: Mapping[str, Any]) -> tuple[str, ...]:
    named = [told.get("id"), told.get("order_id"), told.get("cart_id"), told.get("payment_id")]
    named += [one.get("id") for one in told.get("payments") or ()]
    found = dict.fromkeys(str(ref)[:200] for ref in named if isinstance(ref, (str, int)) and ref)
    return tuple(found)[:50]


def _body(raw: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    try:
        body = strict_json.loads(raw)
    except JsonRefused as error:
        refuse_form(raw, headers)
        raise BodyQuarantined(error.code, error.details) from error
    if not isinstance(body, dict):
        raise BodyQuarantined("not_an_object")
    return body


def _validated(model: type[contract.Event], body: dict[str, Any]) -> contract.Event:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        if first["type"] == "missing":
            raise BodyQuarantined("field_missing", field) from error
        raise BodyQuarantined("bad_field", f"{field}: {first['msg']}") from error


def _reading(event: contract.Event, source: Source) -> Reading:
    if isinstance(event, contract.OrderEvent) and event.data.status.strip().lower() == words.DRAFT:
        return Reading(unused="draft")
    found = _snapshot(event, source)
    if found is None:
        return Reading(unused="unknown_status")
    return Reading(snapshots=(found,))


def _snapshot(event: contract.Event, source: Source) -> Snapshot | None:  # noqa: PLR0911 - one line a kind
    match event:
        case contract.OrderEvent():
            return snapshots.order(event.data, is_test=event.test)
        case contract.OrderGoneEvent():
            at = values.instant(event.data.deleted_at, "deleted_at")
            return OrderDeleted(ref=values.external_ref(event.data.id, "id"), at=at)
        case contract.CartEvent():
            return snapshots.cart(event.data)
        case contract.CartGoneEvent():
            return snapshots.cart_gone(event.data, currency=source.shop.currency)
        case contract.PaymentEvent():
            return snapshots.order_payment(event.data)
        case contract.RefundEvent():
            return snapshots.order_refund(event.data)
        case contract.ProductEvent():
            return snapshots.product(event.data)
        case contract.ProductGoneEvent():
            return snapshots.product_gone(event.data, currency=source.shop.currency)
        case contract.DeliveryMethodEvent() | contract.DeliveryPointEvent():
            return snapshots.delivery_option(event.data)
        case contract.DeliveryGoneEvent():
            return snapshots.delivery_gone(event.data, is_point=event.type.startswith("delivery_point"))
    return None
