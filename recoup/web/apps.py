"""Registration of this part with Django."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Names the part."""

    name = "recoup.web"
    label = "web"
