"""How long a short message is: GSM 03.38 where every letter allows it, else UCS-2, and the parts it is cut into. Pure."""

import unicodedata
from dataclasses import dataclass
from typing import Literal

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # an escape before each: two places
# Means the same, and would make the whole message UCS-2.
_TYPOGRAPHY = str.maketrans(
    {
        "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2007": " ", "\u2002": " ", "\u2003": " ", "\t": " ",
        "\u200b": None, "\ufeff": None, "\u00ad": None, "\u2060": None,
        "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
        "–": "-", "—": "-", "‐": "-", "\u2011": "-", "−": "-", "…": "...", "•": "-", "·": "-",
    }
)  # fmt: skip
# Letters that do not come apart into a plain one and its sign.
_PLAIN = str.maketrans(
    {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "ı": "i", "œ": "oe", "Œ": "OE", "þ": "th", "ð": "d"}
)
_ONE = {"gsm": 160, "ucs2": 70}
_OF_MANY = {"gsm": 153, "ucs2": 67}

Encoding = Literal["gsm", "ucs2"]
MOST_PARTS = 6
"""A text longer than this is refused when it is saved and not sent: it is a letter, and somebody pays for each part."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What a text takes. `units` are places: septets, or halves of UTF-16."""

    encoding: Encoding
    units: int
    parts: int
    room: int
    """Places left in the last part."""

    foreign: str = ""
    """The letters that make it UCS-2, each once, in their order."""


def tidy(text: str, *, is_without_diacritics: bool = False) -> str:
    """Return the text as it goes out: typographic signs as plain ones and, if wished, letters without their signs.

    Cyrillic and other scripts stay as they are: nobody reads them spelled out in Latin letters with pleasure.
    """
    text = unicodedata.normalize("NFC", text).translate(_TYPOGRAPHY)
    lines = [" ".join(line.split()) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    text = "\n".join(lines).strip()
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return without_diacritics(text) if is_without_diacritics else text


def without_diacritics(text: str) -> str:
    """Return the text with Latin letters plain where GSM 03.38 has not got them."""
    return "".join(sign if sign in _BASIC or sign in _EXTENDED else _plain(sign) for sign in text)


def _plain(sign: str) -> str:
    found = sign.translate(_PLAIN)
    apart = unicodedata.normalize("NFD", found)
    if len(found) == 1 and len(apart) > 1 and apart[0].isascii():
        return apart[0]
    return found


def measure(text: str) -> Measure:
    """Return how many parts a text is sent in. A sign of two places is never cut by the end of a part."""
    foreign = "".join(dict.fromkeys(sign for sign in text if sign not in _BASIC and sign not in _EXTENDED))
    encoding: Encoding = "ucs2" if foreign else "gsm"
    widths = [_width(sign, encoding) for sign in text]
    units = sum(widths)
    if units <= _ONE[encoding]:
        return Measure(encoding, units, 1 if units else 0, _ONE[encoding] - units, foreign)
    size, parts, filled = _OF_MANY[encoding], 1, 0
    for width in widths:
        if filled + width > size:
            parts, filled = parts + 1, 0
        filled += width
    return Measure(encoding, units, parts, size - filled, foreign)


def _width(sign: str, encoding: Encoding) -> int:
    if encoding == "ucs2":
        return 2 if ord(sign) > 0xFFFF else 1
    return 2 if sign in _EXTENDED else 1
