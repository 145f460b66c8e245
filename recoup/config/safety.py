"""Settings that would be dangerous with real buyers: `check --deploy` names them, and nothing starts with them (T154)."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 40
FEWEST_SIGNS = 12  # a random key of this length holds many more
KNOWN_KEYS = ("django-insecure", "changeme", "change-me", "change_me", "secret-key", "secret_key", "example")


def find_dangers() -> list[CheckMessage]:
    """Return what must be changed before real buyers are served; the demo and the tests stay on this machine."""
    found: list[CheckMessage] = []
    if settings.DEBUG:
        found.append(
            Error("DEBUG shows code and settings to strangers.", hint="Set it off.", id="recoup.E001")
        )
    if not (settings.IS_DEMO or settings.IS_TEST):
        found += _address_dangers(settings.PUBLIC_URL)
    for key in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]:
        if is_weak(str(key)):
            says = "The secret key can be guessed: whoever knows it can sign in as anybody."
            hint = "Delete the key file; a good one is made at the next start. Stored passwords must be typed anew."
            found.append(Error(says, hint=hint, id="recoup.E003"))
    if not settings.SECRETS_KEYS:
        found.append(Error("There is no key to encrypt stored passwords with.", id="recoup.E004"))
    if "*" in settings.ALLOWED_HOSTS:
        says = "Any Host header is answered to, so links could be built from a stranger's word."
        found.append(Error(says, id="recoup.E005"))
    return found


def _address_dangers(address: str) -> list[CheckMessage]:
    hint = "Set RECOUP_PUBLIC_URL to the address that buyers reach, for instance https://recoup.example.com"
    parts = urlsplit(address)
    if parts.scheme != "https" or not parts.hostname:
        return [Error("There is no public https address to build links from.", hint=hint, id="recoup.E002")]
    is_safe = settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE and settings.SECURE_SSL_REDIRECT
    if not is_safe:
        return [Error("Cookies would travel unencrypted.", id="recoup.E006")]
    return []


def is_weak(key: str) -> bool:
    """Tell whether a secret key is short, monotonous, or one that stands in examples."""
    plain = key.lower()
    return len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_SIGNS or plain.startswith(KNOWN_KEYS)


def check_safety(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001 - Django's shape
    """Name the dangers to `check --deploy`; registered by `apps`."""
    return find_dangers()


def refuse_unsafe() -> None:
    """Refuse to serve anybody with dangerous settings; what serves calls this when it starts.

    :raises ImproperlyConfigured: naming every danger and what to do.
    """
    found = find_dangers()
    if found:
        raise ImproperlyConfigured("\n".join(f"{one.msg} {one.hint or ''}".strip() for one in found))
