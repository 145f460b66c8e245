"""Registration of this part with Django."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class HooksConfig(AppConfig):
    """Names the part and registers its check."""

    name = "recoup.hooks"
    label = "hooks"

    def ready(self) -> None:
        """Register the check of secrets, which asks the database."""
        from recoup.hooks.checks import check_secrets  # local: django

        register(Tags.database)(check_secrets)
