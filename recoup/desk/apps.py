"""Registration of this part with Django."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    """Names the part."""

    name = "recoup.desk"
    label = "desk"
