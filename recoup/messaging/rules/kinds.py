"""What a message says, and what its reader is to the shop: two of the three things that the rules ask for."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Content(models.TextChoices):
    """What a text is about, computed from what it says."""

    CONTRACT = "contract", _("About an order that was placed")
    CART = "cart", _("Reminder of a cart")
    ADVERTISING = "advertising", _("Advertising: an offer, a discount, an invitation to buy")


class Relation(models.TextChoices):
    """What the reader is to the shop, as far as it matters for this message."""

    ORDER = "order", _("has an order that the message is about")
    CUSTOMER = "customer", _("bought before, and may refuse such mails")
    NEITHER = "neither", _("neither")
