"""Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, in constant time, with rotation (T1-T10)."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime

from recoup.shops.base_platform import MIN_SECRET_BYTES
from recoup.shops.ports import CallUnreadable, SignatureRefused

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300
MOST_SIGNATURES = 10  # a sender in rotation signs with two; more is an attack on our processor (T9)
_HEADER_LENGTH = 2048
_ID = re.compile(r"[A-Za-z0-9_:-]{1,255}")  # no point: it parts the signed text
_TIMESTAMP = re.compile(r"\d{1,11}")


def check_signature(
    secrets_in_use: tuple[str, ...], raw: bytes, headers: Mapping[str, str], *, now: datetime
) -> None:
    """Check a call against the secrets in use; `now` is real time.

    :raises SignatureRefused: if no signature fits, or the call is too old or too new.
    :raises CallUnreadable: if its id or its list of signatures is malformed.
    """
    listed = headers.get("webhook-signature", "")
    if not listed.strip():
        raise SignatureRefused
    event_id = headers.get("webhook-id", "")
    if not _ID.fullmatch(event_id):
        raise CallUnreadable
    stamp = headers.get("webhook-timestamp", "")
    if not _TIMESTAMP.fullmatch(stamp) or abs(int(stamp) - now.timestamp()) > TOLERANCE_SECONDS:
        raise SignatureRefused
    signatures = _signatures(listed)
    signed = f"{event_id}.{stamp}.".encode() + raw
    wanted = [hmac.digest(key, signed, hashlib.sha256) for key in _keys(secrets_in_use)]
    # Every pair is compared, so that the time taken says nothing of which one fits.
    fits = [hmac.compare_digest(given, own) for given in signatures for own in wanted]
    if not any(fits):
        raise SignatureRefused


def _signatures(listed: str) -> list[bytes]:
    if len(listed) > _HEADER_LENGTH:
        raise CallUnreadable
    found = []
    parts = listed.split()
    if len(parts) > MOST_SIGNATURES:
        raise CallUnreadable
    for part in parts:
        version, _, encoded = part.partition(",")
        if version != "v1":  # `v1a` is another scheme; `v0` never was one of ours
            continue
        try:
            found.append(base64.b64decode(encoded, validate=True))
        except (binascii.Error, ValueError):
            continue
    return found


def _keys(secrets_in_use: tuple[str, ...]) -> Iterator[bytes]:
    for secret in secrets_in_use:
        key = secret_key(secret)
        if key is not None:
            yield key


def secret_key(secret: str) -> bytes | None:
    """Return the key of a secret such as `whsec_...`, or `None` if it is not one of at least 24 bytes (T2)."""
    encoded = secret.strip().removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) >= MIN_SECRET_BYTES else None


def new_secret() -> str:
    """Return a fresh secret of 32 bytes in the form of Standard Webhooks."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, event_id: str, at: datetime, raw: bytes) -> dict[str, str]:
    """Return the headers of a signed call; what the demo shop and the tests send with.

    :raises ValueError: if the secret is not one.
    """
    key = secret_key(secret)
    if key is None:
        raise ValueError("a webhook secret is at least 24 bytes in base64")
    stamp = str(int(at.timestamp()))
    digest = hmac.digest(key, f"{event_id}.{stamp}.".encode() + raw, hashlib.sha256)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
