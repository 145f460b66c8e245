"""WooCommerce's webhooks: signature over the raw body, and what can be named of a call without trusting it."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping

from recoup.shops.base_platform import MIN_SECRET_BYTES
from recoup.shops.ports import CallUnreadable, Peek, SignatureRefused

_PING = re.compile(rb"webhook_id=\d{1,20}")
_SIGNATURE_LENGTH = 200
# WordPress turns these back before it signs (`wp_specialchars_decode` with quotes), so a secret typed with one signs so.
_ENTITIES = re.compile(
    r"&(amp|#0*38|#x0*26|lt|#0*60|#x0*3c|gt|#0*62|#x0*3e|quot|#0*34|#x0*22|#0*39|#x0*27);", re.I
)
_SIGNS = {"amp": "&", "lt": "<", "gt": ">", "quot": '"'}


def decoded_secret(secret: str) -> str:
    """Return a secret as WordPress signs with it."""

    def sign(match: re.Match[str]) -> str:
        name = match[1].lower()
        if name in _SIGNS:
            return _SIGNS[name]
        return chr(int(name[2:], 16) if name.startswith("#x") else int(name[1:]))

    return _ENTITIES.sub(sign, secret)


def check_signature(secrets_in_use: tuple[str, ...], raw: bytes, headers: Mapping[str, str]) -> None:
    """Check base64 of HMAC-SHA256 over the raw body against the secrets in use.

    :raises SignatureRefused: if it is absent or fits none. :raises CallUnreadable: if it is far too long.
    """
    given = headers.get("x-wc-webhook-signature", "").strip()
    if not given:
        raise SignatureRefused
    if len(given) > _SIGNATURE_LENGTH:
        raise CallUnreadable
    try:
        signature = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureRefused from error
    keys = [decoded_secret(secret).encode() for secret in secrets_in_use]
    wanted = [hmac.digest(key, raw, hashlib.sha256) for key in keys if len(key) >= MIN_SECRET_BYTES]
    fits = [hmac.compare_digest(signature, own) for own in wanted]
    if not any(fits):
        raise SignatureRefused


def sign(secret: str, raw: bytes) -> str:
    """Return the signature that WooCommerce sends with a body; what the tests sign with."""
    return base64.b64encode(hmac.digest(decoded_secret(secret).encode(), raw, hashlib.sha256)).decode()


def is_ping(raw: bytes, headers: Mapping[str, str]) -> bool:
    """Tell whether this is the unsigned call that WooCommerce makes when a webhook is saved."""
    is_form = "x-www-form-urlencoded" in headers.get("content-type", "")
    return is_form and _PING.fullmatch(raw.strip()) is not None


def peek(raw: bytes, headers: Mapping[str, str]) -> Peek:
    """Name topic and ids.

    The event is the topic and the body. The delivery id is no key: two deliveries of one second share it. But a deletion
    tells the id of what is gone and nothing else, so the second one of the same order differs in its delivery alone.
    """
    topic = headers.get("x-wc-webhook-topic", "").strip().lower()[:100]
    event_id = f"{topic}:{hashlib.sha256(raw).hexdigest()}"
    if topic.endswith(".deleted"):
        event_id = f"{event_id}:{headers.get('x-wc-webhook-delivery-id', '').strip()[:64]}"
    if is_ping(raw, headers):
        return Peek(event_id=event_id, topic="ping", is_ping=True)
    kind = topic.partition(".")[0]
    if kind not in {"order", "product"}:
        return Peek(event_id=event_id, topic=topic)
    try:
        body = json.loads(raw)
        named = [body.get("id"), body.get("transaction_id"), body.get("parent_id")]
    except (ValueError, AttributeError, RecursionError):
        return Peek(event_id=event_id, topic=topic, failed=True)
    refs = dict.fromkeys(str(ref)[:200] for ref in named if isinstance(ref, (int, str)) and ref)
    return Peek(
        event_id=event_id,
        topic=topic,
        subject_kind=kind,
        subject_refs=tuple(refs) if kind == "order" else (),
        failed=not refs,
    )
