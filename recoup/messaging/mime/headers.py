"""Header fields: cleaned, encoded by RFC 2047 where they must be, folded by RFC 5322."""

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache

_LONGEST_LINE = 76
_ENCODED_BYTES = 45
"""In base64 60 characters: with `=?utf-8?b?` and `?=` an encoded word of 72, below the 75 allowed."""

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def clean_line(text: str) -> str:
    """Return the text as one line without control characters and signs that turn the direction of writing."""
    if text.isprintable():
        return text
    kept = (
        character
        if character.isprintable() or character in _JOINERS
        else " "
        if _separates(character)
        else ""
        for character in text
    )
    return " ".join("".join(kept).split())


def _separates(character: str) -> bool:
    return character.isspace() or character < " " or character == "\x7f"


def unstructured(name: str, text: str) -> bytes:
    """Return a whole field of free text, such as `Subject`, with its line end."""
    text = clean_line(text).strip()
    if text.isascii() and "=?" not in text:
        if len(name) + 2 + len(text) <= _LONGEST_LINE:
            return f"{name}: {text}\r\n".encode()
        if all(len(word) < _LONGEST_LINE - len(name) for word in text.split(" ")):
            return f"{_fold(f'{name}: {text}')}\r\n".encode()
    return f"{name}: {_encoded(text, len(name) + 2)}\r\n".encode()


def mailbox(name: str, address: str) -> str:
    """Return a mailbox for `From`, `To` or `Reply-To`: the name quoted or encoded, never able to end the field."""
    name = clean_line(name).strip()[:200]
    if not name:
        return address
    return f"{_phrase(name)} <{address}>"


@lru_cache(maxsize=1024)
def _phrase(name: str) -> str:
    if _PLAIN_PHRASE.fullmatch(name) and "=?" not in name and len(name) < 60:
        return name
    if name.isascii() and "=?" not in name and len(name) < 60:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return _encoded(name, len("Reply-To: "))


def address_field(name: str, value: str) -> bytes:
    """Return a field made of one mailbox; the address moves to a line of its own where the line would be long."""
    line = f"{name}: {value}"
    if max(len(part) for part in line.split("\r\n")) > _LONGEST_LINE and " <" in line:
        phrase, _, address = line.rpartition(" <")
        line = f"{phrase}\r\n <{address}"
    return f"{line}\r\n".encode()


def _fold(line: str) -> str:
    """Break a line at its blanks."""
    lines, current = [], ""
    for word in line.split(" "):
        if current and len(current) + 1 + len(word) > _LONGEST_LINE:
            lines.append(current)
            current = f" {word}"
        else:
            current = f"{current} {word}" if current or lines else word
    return "\r\n".join([*lines, current])


def _encoded(text: str, used: int) -> str:
    """Return the text as encoded words, one a line; no character is split between two."""
    words = [
        f"=?utf-8?b?{b64encode(piece).decode()}?=" for piece in _pieces(text.encode("utf-8", "replace"), used)
    ]
    return "\r\n ".join(words)


def _pieces(encoded: bytes, used: int) -> Iterator[bytes]:
    room = min(_ENCODED_BYTES, max((_LONGEST_LINE - used - len("=?utf-8?b??=")) // 4 * 3, 12))
    while encoded:
        end = min(room, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
            end -= 1
        yield encoded[:end]
        encoded, room = encoded[end:], _ENCODED_BYTES
