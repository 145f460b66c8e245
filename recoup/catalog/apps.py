"""Registration of this part with Django."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Names the part."""

    name = "recoup.catalog"
    label = "catalog"
