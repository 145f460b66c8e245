"""Wiring at start: who hears which news, and which adapter serves which channel."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Comes last, when every part is loaded."""

    name = "recoup.config"
    label = "config"

    def ready(self) -> None:
        """Wire the parts together."""
        from recoup import flow  # local: django
        from recoup.config import adapters  # local: django
        from recoup.core import outbox  # local: django
        from recoup.messaging import channels  # local: django

        outbox.set_routes(flow.ROUTES)
        channels.register(adapters.CHANNELS)
