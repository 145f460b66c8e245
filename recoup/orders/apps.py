"""Registration of this part with Django."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Names the part."""

    name = "recoup.orders"
    label = "orders"
