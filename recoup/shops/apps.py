"""Registration of this part with Django."""

from django.apps import AppConfig


class ShopsConfig(AppConfig):
    """Names the part."""

    name = "recoup.shops"
    label = "shops"
