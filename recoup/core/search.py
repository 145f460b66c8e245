"""Our own search tokens: the embedded server has no `unaccent`, `pg_trgm` or ICU."""

import re
import unicodedata

_WORD = re.compile(r"[\w@.+-]+", re.UNICODE)
_EXTRA = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ё": "е"})


def normalise(text: str) -> str:
    """Return the text in lower case without diacritics."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_EXTRA))
    return "".join(sign for sign in folded if not unicodedata.combining(sign))


def tokens(*texts: str) -> list[str]:
    """Return the words of the texts and their prefixes from 2 signs on, to be kept in a GIN array."""
    found: set[str] = set()
    for text in texts:
        for word in _WORD.findall(normalise(text)):
            found.update(word[:length] for length in range(2, min(len(word), 15) + 1))
            found.add(word[:60])
    return sorted(found)[:400]


def query_tokens(text: str) -> list[str]:
    """Return what a search must contain, each cut to the longest prefix kept unless it is a whole word."""
    return [
        word if len(word) <= 15 else word[:60] for word in _WORD.findall(normalise(text)) if len(word) >= 2
    ][:8]
