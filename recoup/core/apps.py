"""Registration of this part with Django."""

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from recoup.core.instants import InstantLoader


class CoreConfig(AppConfig):
    """Names the part."""

    name = "recoup.core"
    label = "core"

    def ready(self) -> None:
        """Let every connection read instants by our loader."""
        connection_created.connect(_read_instants, dispatch_uid="recoup.core.instants")


def _read_instants(*, connection: Any, **_: object) -> None:
    connection.connection.adapters.register_loader("timestamptz", InstantLoader)
