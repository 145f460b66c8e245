"""One address, never two: what people typed, and what goes over the wire."""

import re
from functools import lru_cache

import idna

_LONGEST_LOCAL = 64
_LONGEST_ADDRESS = 254
_ATOM = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+)*"
)
_NAMED = re.compile(r'\s*(?:"((?:[^"\\\r\n]|\\[^\r\n])*)"|([^"<>,;:@\r\n]*))\s*<([^<>]+)>\s*')


class AddressRefused(ValueError):
    """The text is not one deliverable address."""


def check_address(text: str) -> str:
    """Return the address without blanks around it, its domain in lower case.

    :raises AddressRefused: for lists, names, control characters, blanks inside, and whatever else is not one address.
    """
    address = text.strip(" ")
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or len(address) > _LONGEST_ADDRESS:
        raise AddressRefused("not an address")
    if not address.isprintable():
        raise AddressRefused("a control character or an invisible sign")
    if len(local.encode()) > _LONGEST_LOCAL or not _ATOM.fullmatch(local):
        raise AddressRefused("the part before @ is not readable")
    return f"{local}@{_check_domain(domain)}"


def parse_recipient(text: str) -> tuple[str, str]:
    """Return name and address of `"A, B" <a@b.c>`, `A <a@b.c>` or `a@b.c`.

    :raises AddressRefused: if there is more than one address, or none.
    """
    if not text.isprintable():
        raise AddressRefused("a control character or an invisible sign")
    named = _NAMED.fullmatch(text)
    if named is None:
        return "", check_address(text)
    name = re.sub(r"\\(.)", r"\1", named[1]) if named[1] is not None else named[2].strip()
    return name, check_address(named[3])


@lru_cache(maxsize=1024)
def wire_address(address: str) -> str:
    """Return the address as it is sent: its domain as punycode, so that any server takes `d@é.pl`.

    :raises AddressRefused: if it is no address.
    """
    local, _, domain = check_address(address).rpartition("@")
    return f"{local}@{_punycode(domain)}"


def is_address(text: str) -> bool:
    """Tell whether a text is one address."""
    try:
        check_address(text)
    except AddressRefused:
        return False
    return True


def needs_smtputf8(address: str) -> bool:
    """Tell whether only a server with SMTPUTF8 can take the address: its part before @ is not ASCII."""
    return not address.rpartition("@")[0].isascii()


def _check_domain(domain: str) -> str:
    _punycode(domain)
    return domain.lower()


@lru_cache(maxsize=4096)
def _punycode(domain: str) -> str:
    if domain.startswith("[") or "." not in domain.strip("."):
        if domain.lower() == "localhost":
            return "localhost"
        raise AddressRefused("the part after @ is not a domain")
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressRefused("the part after @ is not a domain") from error
