"""Sums of the decision ledger: how many went through a block."""

from django.db import models

from recoup.shops.models import ShopOwned


class WentThrough(ShopOwned):
    """How many went through a block for the first time on a day (UTC): the ledger's lines, added up in the background."""

    process_id = models.BigIntegerField()
    node = models.SmallIntegerField()
    day = models.DateField()
    number = models.IntegerField()

    class Meta:
        db_table = "processes_went_through"
        constraints = [
            # Reader: the numbers on the canvas.
            models.UniqueConstraint(fields=["process_id", "day", "node"], name="processes_went_through_once")
        ]


class WentThroughMark(models.Model):
    """Up to when the lines of the ledger are added up; one row."""

    upto = models.DateTimeField()  # trade; of `StepLog.done_at`

    class Meta:
        db_table = "processes_went_through_mark"
