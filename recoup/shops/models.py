"""Shops, who works in them, how long they wait, and the sources that report orders."""

import secrets
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_scopes import ScopedManager

from recoup.accounts.roles import Role
from recoup.core.fields import EncryptedTextField

OWN_KIND = "own"  # of the built-in source: orders placed at our side
FILE_KIND = "csvfile"  # of the source that files are imported into
RESERVED_SLUGS = ("admin", "new", "static", "health", "hooks", "accounts", "api")


def public_key() -> str:
    """Return a fresh random key for an address that strangers call."""
    return secrets.token_urlsafe(16)


class Shop(models.Model):
    """A shop (a brand with its own buyers, sender and settings): the wall that nothing crosses."""

    class SupersedeScope(models.TextChoices):
        PRODUCT = "product", _("the same product")
        PERSON = "person", _("anything by the same person")

    id = models.BigAutoField(primary_key=True)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("Name"), max_length=120)
    currency = models.CharField(_("Currency"), max_length=3, default="EUR")
    locale = models.CharField(_("Language of messages"), max_length=8, default="en")
    # Languages besides this one in which buyers are written to: every text that is used must have them.
    more_locales = ArrayField(models.CharField(max_length=8), default=list, db_default=[], blank=True)
    country = models.CharField(_("Country"), max_length=2, default="", blank=True)
    time_zone = models.CharField(_("Time zone"), max_length=64, default="UTC")
    phone = models.CharField(_("Phone"), max_length=40, default="", blank=True)
    email = models.EmailField(_("E-mail for buyers"), default="", blank=True)
    address = models.TextField(_("Postal address"), default="", blank=True)
    colour = models.CharField(
        _("Colour"), max_length=7, default="#1f6f50", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")]
    )
    logo_url = models.URLField(_("Logo"), default="", blank=True)
    terms_url = models.URLField(_("Terms of sale"), default="", blank=True)
    terms_version = models.CharField(_("Version of the terms"), max_length=40, default="1")
    # Minutes after placing before an order is looked at as unpaid (B2); a method may have its own in WaitingTime.
    unpaid_after_minutes = models.PositiveIntegerField(
        default=24 * 60, validators=[MinValueValidator(1), MaxValueValidator(90 * 24 * 60)]
    )
    cart_after_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(1), MaxValueValidator(90 * 24 * 60)]
    )
    supersede_scope = models.CharField(max_length=8, choices=SupersedeScope, default=SupersedeScope.PRODUCT)
    # Older orders never open a case (B6).
    max_age_days = models.PositiveIntegerField(
        default=14, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    claim_hours = models.PositiveIntegerField(
        default=8, validators=[MinValueValidator(1), MaxValueValidator(720)]
    )
    # Null is test mode: everything runs, nothing leaves. Orders placed before this instant never get a message (B6).
    live_since = models.DateTimeField(null=True, blank=True)
    collects_carts = models.BooleanField(default=True)
    # Mails carry a picture that tells of their opening: readers have to agree to that in much of Europe.
    counts_opens = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name

    @property
    def message_locales(self) -> tuple[str, ...]:
        """Return the languages in which its messages go out, its own first: each text that is used must have them."""
        return (self.locale, *(one for one in self.more_locales if one != self.locale))


class ShopOwned(models.Model):
    """A row that belongs to one shop; a query outside `django_scopes.scope(shop=...)` raises."""

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+", db_index=False)

    objects: ClassVar[models.Manager[Self]] = ScopedManager(shop="shop")

    class Meta:
        abstract = True


class Membership(ShopOwned):
    """What a person is in a shop."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=12, choices=Role)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "user"], name="shops_membership_once")]


class Invitation(ShopOwned):
    """An invitation of a new colleague by e-mail; its link is minted in `core.links`."""

    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "email"], condition=Q(accepted_at=None), name="shops_invitation_once"
            )
        ]


class WaitingTime(ShopOwned):
    """How long to wait before an order paid by this method counts as unpaid."""

    method = models.CharField(max_length=60)
    minutes = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(90 * 24 * 60)])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "method"], name="shops_waitingtime_once")]


class Source(ShopOwned):
    """Where orders come from: a connected shop platform, the generic webhook, or files."""

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        BROKEN = "broken", _("Needs attention")

    kind = models.CharField(max_length=24)
    name = models.CharField(max_length=120)
    key = models.CharField(max_length=40, unique=True, default=public_key)  # in the hook's address
    base_url = models.URLField(default="", blank=True)
    # `shops.addresses.site_of` the base URL.
    site = models.CharField(max_length=200, default="", db_default="", blank=True)
    secret = EncryptedTextField(default="", blank=True)  # webhook secret, at least 24 bytes
    previous_secret = EncryptedTextField(default="", blank=True)  # accepted while a secret is rotated
    credentials = EncryptedTextField(default="", blank=True)  # JSON, as the adapter's form keeps it
    options: models.JSONField[Any, Any] = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    trouble = models.TextField(default="", blank=True)
    cursor: models.JSONField[Any, Any] = models.JSONField(default=dict)  # of the poller
    last_news_at = models.DateTimeField(null=True, blank=True)
    last_polled_at = models.DateTimeField(null=True, blank=True)
    # Orders placed before were imported and never get a message (B6, connectors backfill silently).
    live_since = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # A shop that is connected twice would have each of its orders twice, and each buyer reminded twice.
            models.UniqueConstraint(
                fields=["shop", "kind", "site"], condition=~Q(site=""), name="shops_source_one_of_a_site"
            )
        ]
        indexes = [models.Index(fields=["shop"], name="shops_source_of_shop")]  # Reader: settings, Home.

    def __str__(self) -> str:
        return self.name


class ImportRun(ShopOwned):  # type: ignore[django-manager-missing]  # as `orders.models.Order`
    """One import of a file: what it holds, how far it is, and what came of it. Progress commits with each order."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    file_name = models.TextField()
    file_path = models.TextField()  # the kept copy, below MEDIA_ROOT, or the file that the command line named
    file_hash = models.CharField(max_length=64)
    plan: models.JSONField[Any, Any] = models.JSONField(default=dict)  # encoding, delimiter, columns, words
    is_dry_run = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    trouble = models.TextField(default="", blank=True)
    rows = models.IntegerField(default=0)  # lines read and settled; a resumed run goes on behind them
    created = models.IntegerField(default=0)  # orders that were new
    known = models.IntegerField(default=0)  # orders that were there before
    refused = models.IntegerField(default=0)  # orders that could not be used
    started_by = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    beat_at = models.DateTimeField(
        null=True
    )  # real time of the last progress; an old one lets another worker go on
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # One file is imported into a source once at a time; a second start goes on with the first.
            models.UniqueConstraint(
                fields=["source", "file_hash"],
                condition=Q(state__in=["waiting", "running"], is_dry_run=False),
                name="shops_importrun_one_at_a_time",
            )
        ]
        indexes = [
            models.Index(fields=["shop", "-id"], name="shops_importrun_list")
        ]  # Reader: the imports screen.


class ImportRefusal(ShopOwned):
    """A line that could not be imported, and why; the good lines around it were."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="refusals")
    row_no = models.IntegerField()  # as a spreadsheet numbers it: the header is 1
    ref = models.TextField(default="", blank=True)
    reason = models.TextField()  # a code with details, see `shops.reasons`

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "row_no"], name="shops_importrefusal_once")]
