"""A person masked: enough for them to know themselves, too little for anybody else (C4, T57)."""

import re
from collections.abc import Mapping

from recoup.shops.snapshots import DeliverySnapshot, PointSnapshot

_DOTS = "•••"
_PLACES = re.compile(r"(?<=:\s)\S.*|\b[A-Z]{2,5}-?\d\w*\b|\b\d{4,}\b")
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


def masked_place(address: Mapping[str, str]) -> str:
    """Return the masked town of an address, and nothing of its street: "K•••w" for ul. Lipowa 1, Kraków."""
    town = address.get("city") or address.get("town") or ""
    return masked_name(town) or (_DOTS if any(address.values()) else "")


def masked_point(point: PointSnapshot) -> str:
    """Return "K•••M" for KRA01M, and nothing of where it is."""
    word = point.ref or (point.name.split() or [""])[0]
    return masked_name(word.split()[0]) if word.split() else ""


def masked_title(delivery: DeliverySnapshot) -> str:
    """Return what a way of delivery is called, without the point or place that some shops write into it.

    A code of letters and numbers, and what stands behind a colon, is taken for one, whether or not it was told apart.
    """
    title, point = delivery.title, delivery.point
    for told in (
        point.address,
        point.name,
        point.ref,
        *delivery.address.values(),
        delivery.name,
        delivery.company,
    ):
        if len(told) > 2:
            title = re.sub(re.escape(told), _DOTS, title, flags=re.IGNORECASE)
    return _PLACES.sub(_DOTS, title)


def masked_number(number: str) -> str:
    """Return "•••81" for a tax number."""
    return f"{_DOTS}{number[-2:]}" if len(number) > 5 else (_DOTS if number else "")
