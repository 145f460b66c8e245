"""The signature of Twilio's calls: HMAC-SHA1 over the exact public address and the form's values, sorted by their names.

As "Secure webhooks" has it: https://www.twilio.com/docs/usage/webhooks/webhooks-security. An account that has made a rule
with a shared key for our address signs otherwise and is refused; `docs/connect/twilio.md` says so.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

_PORTS = {"https": 443, "http": 80}


def sign(token: str, url: str, form: Mapping[str, Sequence[str]]) -> str:
    """Return the signature of a call."""
    text = url + "".join(f"{name}{value}" for name in sorted(form) for value in sorted(set(form[name])))
    digest = hmac.digest(token.encode(), text.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


def is_signed(token: str, url: str, form: Mapping[str, Sequence[str]], given: str) -> bool:
    """Tell whether a call is signed with this token; Twilio writes the usual port into the address or leaves it out."""
    if not token or not given:
        return False
    return any(hmac.compare_digest(sign(token, one, form), given) for one in _spellings(url))


def _spellings(url: str) -> list[str]:
    parts = urlsplit(url)
    host, usual = parts.hostname or "", _PORTS.get(parts.scheme)
    if parts.port not in {None, usual} or usual is None:
        return [url]
    return [urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{usual}")]
