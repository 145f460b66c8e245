"""Recovery cases."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.core.fields import AmountField
from recoup.customers.models import Contact
from recoup.messaging.models import Message
from recoup.orders.models import Cart, Order
from recoup.shops.models import ShopOwned


class RecoveryCase(ShopOwned):
    """An unpaid order or a cart left behind, from its opening to its one outcome."""

    class Kind(models.TextChoices):
        ORDER = "order", _("Unpaid order")
        CART = "cart", _("Cart left")

    class Cause(models.TextChoices):
        NO_PAYMENT = "no_payment", _("No payment was started")
        SOFT = "soft", _("Not enough funds or a passing refusal")
        HARD = "hard", _("Card refused for good")
        USER = "user", _("Given up or timed out")
        AUTH = "auth", _("Not confirmed with the bank")
        TECHNICAL = "technical", _("Technical failure")
        FRAUD = "fraud", _("Refused by the bank")
        CONFIG = "config", _("Method not possible")
        OFFLINE = "offline", _("Transfer not received")
        CART_LEFT = "cart_left", _("Cart left")
        UNKNOWN = "unknown", _("Unknown")

    class Outcome(models.TextChoices):
        RECOVERED = "recovered", _("Recovered")
        PAID_UNAIDED = "paid_unaided", _("Paid without a message")
        SUPERSEDED = "superseded", _("A newer order was paid")
        DUPLICATE = "duplicate", _("Duplicate")
        CANCELLED = "cancelled", _("Cancelled")
        LAPSED = "lapsed", _("Not recovered")
        BECAME_ORDER = "became_order", _("Became an unpaid order")
        FALSE = "false", _("False")

    kind = models.CharField(max_length=8, choices=Kind)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    cause = models.CharField(max_length=12, choices=Cause)
    amount = AmountField()
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField()
    lapses_at = models.DateTimeField()  # after this a payment is no longer ours
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome, default="", blank=True)
    first_message_at = models.DateTimeField(null=True)
    messages_sent = models.SmallIntegerField(default=0)
    credited_message = models.ForeignKey(
        Message, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    recovered_amount = AmountField(null=True)
    recovered_at = models.DateTimeField(null=True)  # when the money came; a late one restates
    refunded_amount = AmountField(default=0)  # of the recovered amount; the report subtracts it
    paid_order = (
        models.ForeignKey(  # that was paid: what a cart became, or what was placed instead of an order
            Order, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
        )
    )
    is_holdout = models.BooleanField(default=False)

    class Meta:
        constraints = [
            # Once an order, once a cart (entry once per subject).
            models.UniqueConstraint(
                fields=["order"], condition=Q(order__isnull=False), name="recovery_case_of_order_once"
            ),
            models.UniqueConstraint(
                fields=["cart"], condition=Q(cart__isnull=False), name="recovery_case_of_cart_once"
            ),
        ]
        indexes = [
            # Readers: the recovery list, all and by outcome; the report by period.
            models.Index(fields=["shop", "-opened_at", "-id"], name="recovery_case_list"),
            models.Index(fields=["shop", "outcome", "-opened_at", "-id"], name="recovery_case_by_outcome"),
            models.Index(
                fields=["shop", "-opened_at", "-id"], name="recovery_case_open", condition=Q(closed_at=None)
            ),
            # Reader: the recovery list, the largest sums first.
            models.Index(
                fields=["shop", "-amount", "-id"], name="recovery_case_largest", condition=Q(closed_at=None)
            ),
            # Reader: the report's money by week.
            models.Index(
                fields=["shop", "-recovered_at", "-id"],
                name="recovery_case_recovered",
                condition=Q(recovered_at__isnull=False),
            ),
            # Reader: the sweep of lapsed cases, across shops on purpose.
            models.Index(
                fields=["lapses_at", "id"], name="recovery_case_lapsing", condition=Q(closed_at=None)
            ),
            models.Index(
                fields=["shop", "contact", "-id"], name="recovery_case_of_contact"
            ),  # Reader: customer card.
        ]
