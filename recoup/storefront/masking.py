"""A person masked: enough for them to know themselves, too little for anybody else (C4, T57)."""

_DOTS = "•••"
_MOST_WORDS = 4


def masked_name(name: str) -> str:
    """Return "A•••a K•••i" for "Anna Kowalski"; a word of up to three letters keeps its first alone."""
    return " ".join(_masked_word(word) for word in name.split()[:_MOST_WORDS])


def _masked_word(word: str) -> str:
    return f"{word[0]}{_DOTS}{word[-1]}" if len(word) > 3 else f"{word[0]}{_DOTS}"


def masked_email(email: str) -> str:
    """Return "a•••@m•••.pl" for "anna@mail.pl"."""
    local, _, domain = email.rpartition("@")
    if not local or not domain:
        return ""
    host, _, ending = domain.rpartition(".")
    return f"{local[0]}{_DOTS}@{(host or ending)[0]}{_DOTS}" + (f".{ending}" if host else "")


def masked_phone(number: str) -> str:
    """Return "+48•••02" for "+48601000002"."""
    return f"{number[:3]}{_DOTS}{number[-2:]}" if number.startswith("+") and len(number) > 7 else ""
