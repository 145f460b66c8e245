"""Signatures of the demo bank's calls: Standard Webhooks, HMAC-SHA256 over id, instant and raw body."""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"


def signature(secret: str, call_id: str, instant: int, raw: bytes) -> str:
    """Return the value of `webhook-signature`."""
    signed = f"{call_id}.{instant}.".encode() + raw
    digest = hmac.digest(_key(secret), signed, hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def signed_headers(secret: str, call_id: str, instant: int, raw: bytes) -> dict[str, str]:
    """Return the headers of a signed call."""
    return {
        "content-type": "application/json",
        "webhook-id": call_id,
        "webhook-timestamp": str(instant),
        "webhook-signature": signature(secret, call_id, instant, raw),
    }


def fits(given: str, expected: str) -> bool:
    """Tell whether one of the signatures given fits: several stand there while a secret is changed."""
    wanted = expected.encode()
    return any(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in given.split(" "))


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()
