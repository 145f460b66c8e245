"""Model fields of our own: amounts and encrypted text."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class SecretUnreadable(Exception):
    """A stored secret cannot be decrypted: the key file belongs to another installation; put the right one back."""


def cipher() -> MultiFernet:
    """Return the cipher over all keys of `SECRETS_KEYS`; the first encrypts, all decrypt (rotation)."""
    return MultiFernet([Fernet(key) for key in settings.SECRETS_KEYS])


class EncryptedTextField(models.TextField[Any, Any]):
    """Text that is encrypted at rest with a key kept outside the database (R45)."""

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt; the empty text stays empty so that "not set" can be asked."""
        return cipher().encrypt(str(value).encode()).decode() if value else ""

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> str:
        """Decrypt.

        :raises SecretUnreadable: if no key fits.
        """
        if not value:
            return ""
        try:
            return cipher().decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise SecretUnreadable(self.name) from error


class AmountField(models.DecimalField[Any, Any]):
    """An amount in the major unit of the row's currency; four places hold every ISO 4217 exponent."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("max_digits", 16)
        options.setdefault("decimal_places", 4)
        super().__init__(**options)
