"""Registration of this part with Django."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """Names the part."""

    name = "recoup.analytics"
    label = "analytics"
