"""Registration of this part with Django."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Names the part."""

    name = "recoup.customers"
    label = "customers"
