"""Codes of offers: nobody can guess one, everybody can read one out (T70)."""

import secrets

# No vowels, so that no words come about; nothing that looks like something else: no 0 O, 1 I L, 5 S, 8 B, 2 Z, U V.
ALPHABET = "34679CDFGHJKMNPQRTWXY"
LENGTH = 12  # 52 bits: at ten guesses a minute and a million codes in force, centuries to a hit
_GROUP = 4
_GAPS = str.maketrans("", "", " -\t\r\n")


def new_code() -> str:
    """Return a fresh code as it is stored."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """Return a code as people read it: in groups."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def folded(text: str) -> str:
    """Return what a person typed as it would be stored; nothing if it can be no code.

    Case, spaces and hyphens do not matter. A letter of another alphabet that only looks right makes no code, nor does
    anything invisible: such a text is not what we wrote.
    """
    text = text.strip(" \t\r\n")
    if not text.isascii() or len(text) > 4 * LENGTH:
        return ""
    code = text.translate(_GAPS).upper()
    return code if len(code) == LENGTH and not set(code) - set(ALPHABET) else ""
