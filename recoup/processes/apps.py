"""Registration of this part with Django."""

from django.apps import AppConfig


class ProcessesConfig(AppConfig):
    """Names the part and what it hears at once."""

    name = "recoup.processes"
    label = "processes"

    def ready(self) -> None:
        """Ask to be told of merges."""
        from recoup.processes import merged  # local: django

        merged.register()
