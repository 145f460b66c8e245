"""Registration of this part with Django."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Names the part."""

    name = "recoup.accounts"
    label = "accounts"
