"""A shop's own changes of its sending rules."""

from django.db import models

from recoup.shops.models import ShopOwned


class SendingRule(ShopOwned):
    """A change of a shop's sending rules: never overwritten, the youngest of a place of the table is in force.

    With `content` "ground" it says whether buyers are told at the checkout that they may refuse advertising.
    """

    GROUND, TOLD, NOT_TOLD = "ground", "told", "not_told"

    country = models.CharField(max_length=2, default="", blank=True)  # empty: every country that is not named
    content = models.CharField(max_length=12)  # rules.kinds.Content
    relation = models.CharField(max_length=10, default="", blank=True)  # rules.kinds.Relation
    verdict = models.CharField(max_length=16)  # Message.MessageClass
    was = models.CharField(max_length=16)
    note = models.TextField(default="", blank=True)  # why, in the words of whoever changed it
    changed_at = models.DateTimeField()  # trade
    changed_by = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["shop", "id"], name="messaging_rules_of_shop")  # Reader: `rules.book`.
        ]
