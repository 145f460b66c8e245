"""The copy of a mail that is kept for people to read: without the tokens that would let the reader act as the buyer."""

import re
from collections.abc import Iterable

BLANK = "•••"
_LINK_TAIL = re.compile(r"(https?://[^\s\"'<>]*?/)[A-Za-z0-9_-]{20,}")


def blank_tokens(text: str, secrets: Iterable[str]) -> str:
    """Return the text with each secret (the token of a link, or the whole address) replaced by dots.

    What looks like the token of a link is blanked even if it was not named: a kept copy opens nothing.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if secret:
            text = text.replace(secret, BLANK)
    return _LINK_TAIL.sub(rf"\g<1>{BLANK}", text)
