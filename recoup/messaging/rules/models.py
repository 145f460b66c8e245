"""A shop's own changes of its sending rules."""

from datetime import datetime

from django.db import models

from recoup.shops.models import ShopOwned


class SendingRule(ShopOwned):
    """A change of a shop's sending rules: never overwritten; of those that hold already at a place, the last to begin.

    An empty verdict takes the shop's own rule back: from then on what the product comes with is in force.

    With `content` "ground" it says whether buyers are told at the checkout that they may refuse advertising.
    """

    GROUND, TOLD, NOT_TOLD = "ground", "told", "not_told"

    country = models.CharField(max_length=2, default="", blank=True)  # empty: every country that is not named
    content = models.CharField(max_length=12)  # rules.kinds.Content
    relation = models.CharField(max_length=10, default="", blank=True)  # rules.kinds.Relation
    verdict = models.CharField(max_length=16, blank=True)  # Message.MessageClass
    was = models.CharField(max_length=16)
    note = models.TextField(default="", blank=True)  # why, in the words of whoever changed it
    changed_at = models.DateTimeField()  # trade
    changed_by = models.BigIntegerField(null=True)
    holds_from = models.DateTimeField(null=True)  # trade; since it was made, unless that is said
    withdrawn_at = models.DateTimeField(null=True)  # trade; taken back before it held
    withdrawn_by = models.BigIntegerField(null=True)

    @property
    def since(self) -> datetime:
        """Return from when on it is in force."""
        return self.holds_from or self.changed_at

    class Meta:
        indexes = [
            models.Index(fields=["shop", "id"], name="messaging_rules_of_shop")  # Reader: `rules.book`.
        ]
