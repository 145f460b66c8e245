"""Attempts to pay, money given back, and the operators that take payments."""

import secrets
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.core.fields import AmountField, EncryptedTextField
from recoup.orders.models import Order
from recoup.shops.models import ShopOwned, public_key


def session_key() -> str:
    """Return a fresh key under which an operator is called, in signs that every operator takes."""
    return secrets.token_hex(16)


class OperatorAccount(ShopOwned):
    """A payment operator as a shop uses it."""

    class Role(models.TextChoices):
        OBSERVER = "observer", _("tells what the shop took")
        INITIATOR = "initiator", _("takes payments for our pay page")

    kind = models.CharField(max_length=24)
    name = models.CharField(max_length=120)
    key = models.CharField(max_length=40, unique=True, default=public_key)
    role = models.CharField(max_length=10, choices=Role)
    base_url = models.URLField(default="", blank=True)
    secret = EncryptedTextField(default="", blank=True)
    options: models.JSONField[Any, Any] = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)
    position = models.SmallIntegerField(default=0)


class Attempt(ShopOwned):
    """One attempt to pay an order: by the shop's own checkout, or opened by our pay page."""

    class State(models.TextChoices):
        CREATED = "created", _("Created")
        PENDING = "pending", _("Waiting")
        REQUIRES_ACTION = "requires_action", _("Waiting for the buyer")
        AUTHORIZED = "authorized", _("Authorised")
        SUCCEEDED = "succeeded", _("Paid")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        EXPIRED = "expired", _("Expired")
        REFUNDED = "refunded", _("Refunded")
        DISPUTED = "disputed", _("Disputed")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="attempts")
    operator_account = models.ForeignKey(
        OperatorAccount, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    ref = models.TextField()  # the source's or operator's id; ours until the operator gave one
    operator = models.CharField(max_length=40, default="", blank=True)
    method = models.CharField(max_length=60, default="", blank=True)
    state = models.CharField(max_length=16, choices=State)
    amount = AmountField()
    currency = models.CharField(max_length=3)
    # What an offer took off the order, agreed with the buyer when the session was opened; counts once it is paid.
    discount = AmountField(default=0, db_default=0)
    failure_class = models.CharField(max_length=12, default="", blank=True)
    failure_code = models.TextField(default="", blank=True)
    redirect_url = models.TextField(default="", blank=True)
    created_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)  # when it became so
    learnt_at = models.DateTimeField()
    message_id = models.BigIntegerField(null=True)  # the message whose link opened it
    is_open_session = models.BooleanField(default=False)  # opened by our pay page and not settled
    next_ask_at = models.DateTimeField(null=True)  # an unknown outcome is asked again (R31)
    # Of a session that our pay page opened: stored before the operator is called, repeated with every call (R31).
    key = models.CharField(max_length=40, default="", db_default="", blank=True)
    expires_at = models.DateTimeField(null=True)  # trade; later the operator takes nothing through it
    asks = models.SmallIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "operator", "ref"], name="payments_attempt_once"),
            # One pay session of ours may be open for an order (T72).
            models.UniqueConstraint(
                fields=["order"], condition=Q(is_open_session=True), name="payments_one_open_session"
            ),
            # Reader: operators' hooks, which repeat our key.
            models.UniqueConstraint(fields=["key"], condition=~Q(key=""), name="payments_attempt_key_once"),
        ]
        indexes = [
            models.Index(
                fields=["next_ask_at"], name="payments_attempt_ask", condition=Q(next_ask_at__isnull=False)
            ),
            models.Index(
                fields=["shop", "operator", "ref"], name="payments_attempt_by_ref"
            ),  # Reader: operators' hooks.
        ]


class AttemptChange(ShopOwned):
    """One reported state of an attempt, also those that changed nothing (a late failure is history)."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=16)
    was_applied = models.BooleanField()
    failure_code = models.TextField(default="", blank=True)
    became_true_at = models.DateTimeField()
    learnt_at = models.DateTimeField()


class Refund(ShopOwned):
    """Money given back for an order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")
    attempt = models.ForeignKey(Attempt, on_delete=models.SET_NULL, null=True, related_name="+")
    ref = models.TextField()
    amount = AmountField()
    currency = models.CharField(max_length=3)
    reason = models.TextField(default="", blank=True)
    became_true_at = models.DateTimeField()
    learnt_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "ref"], name="payments_refund_once")]


class RefundCall(ShopOwned):
    """A refund that we ask an operator for; its key is stored before the call (R31, T76)."""

    class State(models.TextChoices):
        ASKED = "asked", _("Asked for")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        UNKNOWN = "unknown", _("Not known yet")

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=40, unique=True)
    amount = AmountField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    asked_by = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    answer = models.TextField(default="", blank=True)  # the refund's ref, or the operator's word

    class Meta:
        constraints = [
            # Two people press the button: the second finds the first one's call (T76).
            models.UniqueConstraint(
                fields=["attempt"],
                condition=Q(state__in=("asked", "unknown")),
                name="payments_one_refund_underway",
            )
        ]
