"""The frames between a sender and its render child: JSON there, lengths and raw bytes back.

Nothing that a child sends is ever executed: it may have been taken over by what it rendered.
"""

import json
import struct
from typing import Any, BinaryIO

LENGTH = struct.Struct("!I")
"""Of a request, which follows in JSON."""

ANSWER = struct.Struct("!BIII")
"""Kind, then the lengths of up to three parts that follow."""

MAIL, PROBLEM, DOCUMENT, READY = range(4)
LEAVING = 16
"""Added to the kind by a child that ends after this answer, since its memory is spent."""

LARGEST_PART = 64 * 1024 * 1024


def read_request(stream: BinaryIO) -> dict[str, Any] | None:
    """Return the next request, or nothing once the parent is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    body = stream.read(LENGTH.unpack(head)[0])
    request: dict[str, Any] = json.loads(body)
    return request


def encode_answer(kind: int, *parts: bytes) -> bytes:
    """Return the frame for an answer of up to three parts."""
    first, second, third = (*parts, b"", b"", b"")[:3]
    return ANSWER.pack(kind, len(first), len(second), len(third)) + first + second + third
