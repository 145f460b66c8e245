"""Registration of this part with Django."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """Names the part."""

    name = "recoup.payments"
    label = "payments"
