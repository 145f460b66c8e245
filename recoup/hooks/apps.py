"""Registration of this part with Django."""

from django.apps import AppConfig


class HooksConfig(AppConfig):
    """Names the part."""

    name = "recoup.hooks"
    label = "hooks"
