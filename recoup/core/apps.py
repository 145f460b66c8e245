"""Registration of this part with Django."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Names the part."""

    name = "recoup.core"
    label = "core"
