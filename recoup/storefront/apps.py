"""Registration of this part with Django."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """Names the part."""

    name = "recoup.storefront"
    label = "storefront"
