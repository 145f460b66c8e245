"""The frames between a sender and its render child: JSON there, lengths and raw bytes back.

Nothing that a child sends is ever executed: it may have been taken over by what it rendered.
"""

import json
import struct
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

_LENGTH = struct.Struct("!I")
ANSWER = struct.Struct("!BIII")
"""Kind, then the lengths of up to three parts that follow."""

MAIL, PROBLEM, DOCUMENT, READY = range(4)
LEAVING = 16
"""Added to the kind by a child that ends after this answer, since its memory is spent."""

LARGEST_PART = 64 * 1024 * 1024


def encode_request(request: Mapping[str, Any]) -> bytes:
    """Return the frame for a request; amounts become pairs, moments ISO 8601."""
    body = json.dumps(request, default=_plain, separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def read_request(stream: BinaryIO) -> dict[str, Any] | None:
    """Return the next request, or nothing once the parent is gone."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    body = stream.read(_LENGTH.unpack(head)[0])
    request: dict[str, Any] = json.loads(body)
    return request


def encode_answer(kind: int, *parts: bytes) -> bytes:
    """Return the frame for an answer of up to three parts."""
    first, second, third = (*parts, b"", b"", b"")[:3]
    return ANSWER.pack(kind, len(first), len(second), len(third)) + first + second + third


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    amount, currency = getattr(value, "amount", None), getattr(value, "currency", None)
    if amount is not None and isinstance(currency, str):
        return [str(amount), currency]
    return str(value)  # lazy translations, UUIDs
