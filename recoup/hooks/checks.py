"""A check at start: no source is left with a webhook secret that can be guessed (T2)."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import DatabaseError
from django_scopes import scopes_disabled

from recoup.core.fields import SecretUnreadable
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.models import Source


def check_secrets(
    app_configs: Any = None,  # noqa: ARG001 - Django hands it in
    databases: Sequence[str] | None = None,
    **_options: Any,
) -> list[CheckMessage]:
    """Return an error for each source whose secret is weaker than its platform demands; asks the database only when told."""
    if not databases:
        return []
    try:
        with scopes_disabled():
            return [_error(source) for source in Source.objects.all() if _is_weak(source)]
    except SecretUnreadable:
        return [Error("Stored secrets cannot be read: the key file is another one.", id="hooks.E002")]
    except DatabaseError:
        return []  # not migrated yet


def _is_weak(source: Source) -> bool:
    try:
        adapter = platform(source.kind)
    except PlatformUnknown:
        return False
    return adapter.capabilities.webhooks and bool(adapter.secret_trouble(source.secret))


def _error(source: Source) -> CheckMessage:
    return Error(
        f"The webhook secret of source {source.pk} is shorter than 24 bytes; its calls are refused.",
        hint="Make a new secret on the page of the source and enter it in the shop.",
        id="hooks.E001",
    )
