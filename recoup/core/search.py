"""Our own search tokens: the embedded server has no `unaccent`, `pg_trgm` or ICU."""

import re
import unicodedata

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

_WORD = re.compile(r"[\w@.+-]+", re.UNICODE)
_PARTS = re.compile(r"[.+-]+")
_PHONE = re.compile(r"\+[0-9]{8,15}")
_EDGES = "@.+-"
_PREFIXES = range(2, 25)  # most addresses and all numbers of orders are shorter, so that they are found alone
LONGEST, MOST = 60, 400
_EXTRA = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ё": "е"})


def normalise(text: str) -> str:
    """Return the text in lower case without diacritics."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_EXTRA))
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


def tokens(*texts: str) -> list[str]:
    """Return the words of the texts and their prefixes from 2 signs on, to be kept in a GIN array.

    What comes first is kept first: a long list of goods never pushes the buyer's name out.
    """
    found: dict[str, None] = {}
    for text in texts:
        for word in _words(text):
            found.update(
                dict.fromkeys([*(word[:length] for length in _PREFIXES if length < len(word)), word])
            )
            if len(found) >= MOST:
                return sorted(list(found)[:MOST])
    return sorted(found)


def _words(text: str) -> list[str]:
    """Return the words of a text as they stand, and the parts of double names and of what stands before an @.

    A phone is found without its country's code, which nobody says aloud. Domains are left out: half the buyers share one.
    """
    words: list[str] = []
    for whole in _WORD.findall(normalise(text)):
        word = whole.strip(_EDGES)[:LONGEST]
        words += [word, *_PARTS.split(word.partition("@")[0])[1:]]
        if _PHONE.fullmatch(whole):
            codes = (code for code in (1, 2, 3) if int(word[:code]) in COUNTRY_CODE_TO_REGION_CODE)
            words += [whole, word[next(codes, 0) :]]
    return [word for word in words if len(word) >= 2]


def query_tokens(text: str) -> list[str]:
    """Return what a search must contain. Of a long word that is not typed to its end, the longest prefix kept."""
    found = [word.strip(_EDGES) or word for word in _WORD.findall(normalise(text))]
    return [word[: _PREFIXES[-1]] for word in found if len(word) >= 2][:8]
