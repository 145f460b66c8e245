"""Bulk adds and the rows that they skipped."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.shops.models import ShopOwned


class BulkAdd(ShopOwned):
    """Many people put into a process at once: asked for by a person, done by the worker chunk by chunk."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Ended early")

    process = models.ForeignKey(
        "processes.Process", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    about = models.SmallIntegerField()  # `segments.facts.Subject`
    condition: models.JSONField[Any, Any] = models.JSONField(null=True)  # as it was when it was asked for
    keys = ArrayField(models.BigIntegerField(), default=list)  # a selection instead
    per_hour = models.IntegerField(default=0)  # 0 is all at once
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    cursor = models.BigIntegerField(default=0)  # key of the last row that was looked at
    last_key = models.BigIntegerField(
        null=True
    )  # the newest row when it was asked for: later ones are not meant
    whole = models.IntegerField(default=0)
    done = models.IntegerField(default=0)
    added = models.IntegerField(default=0)
    reasons: models.JSONField[Any, Any] = models.JSONField(default=dict)  # how many were skipped, by reason
    trouble = models.CharField(max_length=40, default="", blank=True)
    made_by = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()  # trade
    started_at = models.DateTimeField(null=True)  # trade
    next_at = models.DateTimeField(null=True)  # trade; before it the pace lets nobody in
    looked_at = models.DateTimeField(null=True)  # real; whose turn it is
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Readers: the bulk adds of a process, newest first.
            models.Index(fields=["shop", "process", "-id"], name="processes_bulkadd_list"),
            # Reader: the worker's loop, across shops on purpose.
            models.Index(
                fields=["looked_at", "id"],
                name="processes_bulkadd_open",
                condition=Q(state__in=["waiting", "running"]),
            ),
        ]


class BulkSkip(ShopOwned):
    """One row of a bulk add that did not come in, and why."""

    bulk = models.ForeignKey(BulkAdd, on_delete=models.CASCADE, related_name="+", db_index=False)
    subject_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=16)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bulk", "subject_id"], name="processes_bulkskip_once")]
