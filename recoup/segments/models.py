"""Saved segments."""

from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from recoup.shops.models import ShopOwned

NEVER = datetime(2000, 1, 1, tzinfo=UTC)


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
    # Kept by `counting`: how many rows there were, and when; nothing while nobody has counted, or if it takes too long.
    rows = models.IntegerField(null=True)
    is_capped = models.BooleanField(default=False, db_default=False)  # there are more
    rows_at = models.DateTimeField(null=True)  # trade
    looked_at = models.DateTimeField(default=NEVER, db_default=NEVER)  # real time of the last counting

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="segments_segment_name_once")]
        indexes = [
            # Reader: the worker that counts, across shops on purpose.
            models.Index(fields=["looked_at", "id"], name="segments_segment_to_count")
        ]

    def __str__(self) -> str:
        return self.name
