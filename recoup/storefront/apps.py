"""Registration of this part with Django."""

from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    """Names the part and its links."""

    name = "recoup.storefront"
    label = "storefront"

    def ready(self) -> None:
        """Register the purposes of buyers' links."""
        from recoup.storefront import purposes  # local: django

        purposes.register()
