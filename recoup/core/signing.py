"""Signing what we send by Standard Webhooks: an id, an instant, and a signature over both and the body."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

PREFIX = "whsec_"


def new_secret() -> str:
    """Return a fresh secret of 32 bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, call_id: str, at: datetime, raw: bytes) -> dict[str, str]:
    """Return the headers of a signed call."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    stamp = str(int(at.timestamp()))
    digest = hmac.digest(key, f"{call_id}.{stamp}.".encode() + raw, hashlib.sha256)
    return {
        "webhook-id": call_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
