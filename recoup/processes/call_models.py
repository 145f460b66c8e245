"""Addresses of other programs, and the calls that processes make to them."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.core.fields import EncryptedTextField
from recoup.shops.models import ShopOwned


class WebhookEndpoint(ShopOwned):
    """An address of the merchant that processes may call, with the secret by which it knows that it is us."""

    name = models.CharField(max_length=60)
    url = models.CharField(max_length=500)
    secret = EncryptedTextField()
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "name"], name="processes_endpoint_name_once")]

    def __str__(self) -> str:
        return self.name


class WebhookCall(ShopOwned):
    """A call that a step asks for: claimed with a lease, repeated until it is taken or given up."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Taken")
        DEAD = "dead", _("Given up")

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="+", db_index=False)
    process_id = models.BigIntegerField()
    enrolment_id = models.BigIntegerField()
    step_no = models.IntegerField()
    seq = models.SmallIntegerField(default=0)
    node = models.SmallIntegerField()
    payload: models.JSONField[Any, Any] = (
        models.JSONField()
    )  # fixed when the step asked: a repetition says the same
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempt = models.SmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)  # real; null once it has ended
    lease_until = models.DateTimeField(null=True)  # real
    status = models.SmallIntegerField(null=True)  # of the last answer
    trouble = models.CharField(max_length=120, default="", blank=True)
    created_at = models.DateTimeField()  # trade
    answered_at = models.DateTimeField(null=True)  # trade
    emptied_at = models.DateTimeField(
        null=True
    )  # trade; what it told is forgotten, and it cannot be made again

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment_id", "step_no", "seq"], name="processes_call_once")
        ]
        indexes = [
            # Reader: the worker's loop, across shops on purpose.
            models.Index(fields=["due_at"], name="processes_call_due", condition=Q(state="waiting")),
            # Reader: the worker's loop that forgets, across shops on purpose.
            models.Index(
                fields=["answered_at"],
                name="processes_call_to_empty",
                condition=Q(state__in=["done", "dead"], emptied_at__isnull=True),
            ),
            # Reader: the page of the addresses, which shows what is open; what was taken is most of the table.
            models.Index(
                fields=["shop", "endpoint", "-id"], name="processes_call_open", condition=~Q(state="done")
            ),
        ]
