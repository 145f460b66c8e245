"""A shop's account with a provider of short messages, and what it has spent (R25)."""

import secrets
from decimal import Decimal
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from recoup.core.fields import EncryptedTextField
from recoup.shops.models import Shop, ShopOwned


def hook_key() -> str:
    """Return the secret part of the address that a provider calls: 128 bits."""
    return secrets.token_hex(16)


class SmsAccount(ShopOwned):
    """How a shop sends short messages; one for a shop."""

    class Provider(models.TextChoices):
        SMSAPI = "smsapi", "SMSAPI"
        TWILIO = "twilio", "Twilio"

    provider = models.CharField(_("Provider"), max_length=8, choices=Provider, default=Provider.SMSAPI)
    account_ref = models.CharField(_("Account SID"), max_length=64, default="", blank=True)  # Twilio's
    secret = EncryptedTextField(_("Token"), default="", blank=True)
    sender = models.CharField(_("Sender"), max_length=34, default="", blank=True)
    base_url = models.URLField(_("Address of the API"), default="", blank=True)  # empty: the provider's own
    hook_key = models.CharField(max_length=32, unique=True, default=hook_key)
    is_without_diacritics = models.BooleanField(_("Write without diacritics"), default=False)
    countries = ArrayField(models.CharField(max_length=2), default=list, blank=True)  # empty: the shop's own
    per_number_day = models.PositiveSmallIntegerField(
        _("Messages to one number a day"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
    )
    price_per_part = models.DecimalField(
        _("Price of one part"),
        max_digits=10,
        decimal_places=4,
        default=Decimal("0.20"),
        validators=[MinValueValidator(Decimal("0.0001"))],
    )
    prices: models.JSONField[Any, Any] = models.JSONField(default=dict, blank=True)  # country -> price
    currency = models.CharField(_("Currency of the prices"), max_length=3, default="PLN")
    daily_cap = models.DecimalField(
        _("Most to spend in a day"),
        max_digits=10,
        decimal_places=2,
        default=Decimal("20.00"),
        validators=[MinValueValidator(Decimal("0.01"))],
    )
    balance = models.CharField(max_length=40, default="", blank=True)  # as the provider says it
    balance_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop"], name="messaging_smsaccount_once")]

    @property
    def adapter(self) -> str:
        """The kind of channel that serves it."""
        return self.provider

    @property
    def is_set_up(self) -> bool:
        """Whether everything is filled in that sending needs."""
        return bool(self.secret and self.sender and (self.account_ref or self.provider != "twilio"))

    @property
    def has_number(self) -> bool:
        """Whether people can answer: a sender that is a name takes no answers."""
        return self.sender.startswith(("+", "MG")) or self.sender.isdigit()

    def price_in(self, country: str) -> Decimal:
        """Return what a part costs in a country."""
        own = self.prices.get(country)
        return Decimal(str(own)) if own else Decimal(self.price_per_part)

    def allowed_countries(self, of_shop: str) -> frozenset[str]:
        """Return the countries whose numbers are written to; by default the shop's own alone."""
        return frozenset(self.countries) or frozenset({of_shop} - {""})


class SmsDay(models.Model):
    """What a shop has spent on short messages in a day: taken before a message leaves, by a conditional update."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()  # in the shop's zone
    spent = models.DecimalField(max_digits=14, decimal_places=4, default=Decimal(0))
    messages = models.IntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "day"], name="messaging_smsday_once")]


class SmsNumberDay(models.Model):
    """How many messages went to one number in a day, known by keyed hash."""

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField()
    day = models.DateField()
    number_hash = models.BinaryField(max_length=32)
    messages = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "day", "number_hash"], name="messaging_smsnumberday_once"
            )
        ]


class SmsRangeDay(models.Model):
    """How many numbers of a range got messages in a day (`sender.ranges`); those who have paid are counted apart."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()  # in the shop's zone
    prefix = models.CharField(max_length=16)
    is_known = models.BooleanField()
    numbers = models.IntegerField(default=0)
    allowed = models.IntegerField(null=True)  # how many may, once they are looked up; before, the least
    held_at = models.DateTimeField(null=True)  # trade; when it first held a message up
    released_at = models.DateTimeField(null=True)  # trade; a person let its messages go, for this day
    released_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "day", "prefix", "is_known"], name="messaging_smsrangeday_once"
            )
        ]
