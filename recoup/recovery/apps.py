"""Registration of this part with Django."""

from django.apps import AppConfig


class RecoveryConfig(AppConfig):
    """Names the part."""

    name = "recoup.recovery"
    label = "recovery"
