"""Saved segments."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from recoup.shops.models import ShopOwned


class Segment(ShopOwned):
    """A named condition over people, orders or carts. Who uses it takes its condition along, as it is then."""

    class About(models.IntegerChoices):
        ORDER = 1, _("Orders")
        CART = 2, _("Carts")
        PERSON = 3, _("Customers")

    name = models.CharField(max_length=80)
    about = models.SmallIntegerField(choices=About)
    condition: models.JSONField[Any, Any] = models.JSONField()  # `segments.tree`
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="segments_segment_name_once")]

    def __str__(self) -> str:
        return self.name
