"""Cleaning of text that strangers wrote, before it is stored or shown."""

import re
import unicodedata

# Direction overrides and isolates turn a name into another one on the screen (T18).
_BIDI = dict.fromkeys([0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SPACES = re.compile(r"\s+")

NAME_LENGTH = 200
TEXT_LENGTH = 2000


def storable(text: str) -> str:
    """Return the text without what PostgreSQL refuses: NUL and lone surrogates (M14)."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text


def clean_line(text: str, *, length: int = NAME_LENGTH) -> str:
    """Return one line of visible text: no controls, no direction overrides, single spaces, cut at `length`."""
    text = storable(text[: length * 8])
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()[:length]
    text = _CONTROLS.sub(" ", text).translate(_BIDI)
    return unicodedata.normalize("NFC", _SPACES.sub(" ", text).strip())[:length]


def clean_text(text: str, *, length: int = TEXT_LENGTH) -> str:
    """Return text of several lines without controls and direction overrides, cut at `length`."""
    text = storable(text[: length * 8]).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text).translate(_BIDI).strip()[:length]
