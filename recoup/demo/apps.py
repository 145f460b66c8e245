"""Registration of this part with Django."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Names the part."""

    name = "recoup.demo"
    label = "demo"
