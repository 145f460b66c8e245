"""Registration of this part with Django."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Names the part."""

    name = "recoup.messaging"
    label = "messaging"
