"""Registration of this part with Django."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Names the part."""

    name = "recoup.integrations"
    label = "integrations"
