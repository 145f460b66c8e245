"""Registration of this part with Django."""

from django.apps import AppConfig


class OffersConfig(AppConfig):
    """Names the part."""

    name = "recoup.offers"
    label = "offers"
