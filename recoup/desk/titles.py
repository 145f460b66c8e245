"""Words in the title of a task that stand for something of the customer or the order: a closed list, filled in once."""

import re
from collections.abc import Mapping

# What may stand in braces, and what is written where it is not known.
WORDS: dict[str, str] = {
    "customer": "",
    "first_name": "",
    "phone": "",
    "email": "",
    "order": "",
    "sum": "",
    "shop": "",
}
_BRACES = re.compile(r"\{\s*([a-z_]*)\s*\}")
LONGEST = 200


def unknown_words(title: str) -> list[str]:
    """Return the words in braces that mean nothing."""
    return [word for word in _BRACES.findall(title) if word not in WORDS]


def fill(title: str, values: Mapping[str, str]) -> str:
    """Return a title with its words filled in; what is not known leaves no gap behind."""
    filled = _BRACES.sub(lambda found: str(values.get(found[1], "")), title)
    return " ".join(filled.split())[:LONGEST].strip(" ,;:–-") or " ".join(title.split())[:LONGEST]
