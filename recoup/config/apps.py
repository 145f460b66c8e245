"""Wiring at start: who hears which news, which adapter serves which channel, who asks sources for buyers' pages."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class ConfigConfig(AppConfig):
    """Comes last, when every part is loaded."""

    name = "recoup.config"
    label = "config"

    def ready(self) -> None:
        """Wire the parts together."""
        from recoup import flow  # local: django
        from recoup.config import adapters, safety  # local: django
        from recoup.core import outbox  # local: django
        from recoup.hooks import ask  # local: django
        from recoup.messaging import channels  # local: django
        from recoup.storefront import controls  # local: django

        register(safety.check_safety, Tags.security, deploy=True)
        outbox.set_routes(flow.ROUTES)
        channels.register(adapters.CHANNELS)
        controls.set_asker(ask.ask_source)
