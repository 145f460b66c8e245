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

    ORDER = "order", _("People whose order it is about")
    CUSTOMER = "customer", _("Customers who bought before and may refuse")
    NEITHER = "neither", _("Everybody else")
