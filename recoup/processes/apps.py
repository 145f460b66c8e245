"""Registration of this part with Django."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    """Names the part."""

    name = "recoup.processes"
    label = "processes"
