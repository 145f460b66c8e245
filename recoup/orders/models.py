"""Carts and orders with their lines, states and facts.

Facts (`CartFact`, `OrderFact`) are append-only rows with when they became true and when we learnt them; the columns of
`Cart` and `Order` are their projection.
"""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import CharField, F, Func, Q, Value
from django.db.models.lookups import Exact
from django.utils.translation import gettext_lazy as _

from recoup.core.fields import AmountField
from recoup.customers.models import Contact
from recoup.shops.models import ShopOwned, Source


def _particulars() -> Any:
    """Return a column of personal data: an object that `orders.particulars` alone writes and reads.

    It is never searched, listed or logged, and shown to buyers masked.
    """
    return models.JSONField(default=dict, db_default=Value({}, models.JSONField()))


def _is_object(column: str) -> Exact:
    return Exact(Func(F(column), function="jsonb_typeof", output_field=CharField()), Value("object"))


class Cart(ShopOwned):
    """A cart that a source reports, frozen in locale at capture. Its lines and sums are in one currency, the last told."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ABANDONED = "abandoned", _("Left")
        CONVERTED = "converted", _("Became an order")
        EMPTIED = "emptied", _("Emptied")
        EXPIRED = "expired", _("Expired")

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    ref = models.TextField()
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    currency = models.CharField(max_length=3)
    locale = models.CharField(max_length=8)
    total = AmountField()
    lines: models.JSONField[Any, Any] = models.JSONField(default=list)  # LineSnapshot as plain values
    product_refs = ArrayField(models.TextField(), default=list)
    url = models.TextField(default="", blank=True)
    coupon = models.TextField(default="", blank=True)
    shipping_total = AmountField(null=True)
    buyer: models.JSONField[Any, Any] = _particulars()  # names and address as given
    delivery: models.JSONField[Any, Any] = _particulars()
    invoice: models.JSONField[Any, Any] = _particulars()
    started_at = models.DateTimeField()
    last_activity_at = models.DateTimeField()
    learnt_at = models.DateTimeField()
    version_at = models.DateTimeField()
    version_key = models.CharField(max_length=80, default="", blank=True)
    check_at = models.DateTimeField(null=True)  # when to look at it as abandoned
    abandoned_at = models.DateTimeField(null=True)
    converted_at = models.DateTimeField(null=True)
    order_ref = models.TextField(default="", blank=True)
    is_backfill = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "source", "ref"], name="orders_cart_once"),
            models.CheckConstraint(condition=_is_object("delivery"), name="orders_cart_delivery_object"),
            models.CheckConstraint(condition=_is_object("invoice"), name="orders_cart_invoice_object"),
        ]
        indexes = [
            models.Index(
                fields=["check_at"], name="orders_cart_due", condition=Q(check_at__isnull=False)
            ),  # Reader: sweep.
            models.Index(
                fields=["shop", "contact", "-last_activity_at"], name="orders_cart_of_contact"
            ),  # Reader: card.
        ]


class CartFact(ShopOwned):
    """A change of a cart."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)  # started, changed, emptied, converted, abandoned
    details: models.JSONField[Any, Any] = models.JSONField(default=dict)
    became_true_at = models.DateTimeField()
    learnt_at = models.DateTimeField()


# The plug-in of the type checker cannot see through scoped managers to `lines` and `attempts`.
class Order(ShopOwned):  # type: ignore[django-manager-missing]  # see above
    """An order. `payment_state` is derived from its attempts by `settle_order`; `status` is worked by people."""

    class Status(models.TextChoices):
        NEW = "new", _("New")
        IN_WORK = "in_work", _("In work")
        NOT_CONFIRMED = "not_confirmed", _("Not confirmed")
        AWAITING_PAYMENT = "awaiting_payment", _("Awaiting payment")
        UNPAID = "unpaid", _("Unpaid")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        FALSE = "false", _("False")

    class PaymentState(models.TextChoices):
        OWED = "owed", _("Not paid")
        ON_HOLD = "on_hold", _("Payment awaited")
        FAILED = "failed", _("Payment failed")
        AUTHORIZED = "authorized", _("Authorised")
        PARTLY_PAID = "partly_paid", _("Partly paid")
        PAID = "paid", _("Paid")
        PARTLY_REFUNDED = "partly_refunded", _("Partly refunded")
        REFUNDED = "refunded", _("Refunded")
        DISPUTED = "disputed", _("Disputed")
        NOTHING_DUE = "nothing_due", _("Nothing to pay")

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="+")
    ref = models.TextField()
    number = models.TextField()
    contact = models.ForeignKey(Contact, on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=16, choices=Status, default=Status.NEW)
    payment_state = models.CharField(max_length=16, choices=PaymentState, default=PaymentState.OWED)
    currency = models.CharField(max_length=3)
    total = AmountField()
    captured = AmountField(default=0)
    refunded = AmountField(default=0)
    discount_given = AmountField(default=0, db_default=0)  # by an offer of ours, with which it was paid
    discount_total = AmountField(null=True)
    shipping_total = AmountField(null=True)
    tax_total = AmountField(null=True)
    # snapshots.CouponSnapshot as plain values; their discounts are off `total` already.
    coupons: models.JSONField[Any, Any] = models.JSONField(default=list, db_default=[])
    locale = models.CharField(max_length=8)
    origin = models.CharField(max_length=24, default="checkout")
    method = models.CharField(max_length=60, default="", blank=True)
    method_title = models.TextField(default="", blank=True)
    is_offline_method = models.BooleanField(default=False)
    pay_url = models.TextField(default="", blank=True)
    cart_ref = models.TextField(default="", blank=True)
    # Frozen at capture, for the filled cart: names and address of the bill, delivery, and to whom the invoice goes.
    buyer: models.JSONField[Any, Any] = models.JSONField(default=dict)
    delivery: models.JSONField[Any, Any] = _particulars()
    invoice: models.JSONField[Any, Any] = _particulars()
    product_refs = ArrayField(models.TextField(), default=list)  # "ref" of each line, for sibling look-ups
    search = ArrayField(models.TextField(), default=list)
    shop_state = models.CharField(max_length=12, default="pending")  # snapshots.ShopState
    raw_state = models.TextField(default="", blank=True)
    placed_at = models.DateTimeField()
    learnt_at = models.DateTimeField()
    version_at = models.DateTimeField()
    version_key = models.CharField(max_length=80, default="", blank=True)  # ranks snapshots of one instant
    version_learnt_at = models.DateTimeField(
        null=True
    )  # by our clock, which a deletion without an instant is held to
    paid_at = models.DateTimeField(null=True)  # when it became true
    paid_learnt_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancel_reason = models.TextField(default="", blank=True)
    failed_at = models.DateTimeField(null=True)
    failure_class = models.CharField(max_length=12, default="", blank=True)
    failure_code = models.TextField(default="", blank=True)
    terms_version = models.CharField(max_length=40, default="", blank=True)
    # Detection. Null when there is nothing to look at: paid, closed, zero total, backfilled.
    check_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)  # when the source was last asked whether it is paid
    ask_failures = models.SmallIntegerField(default=0)
    # Asking moves `check_at`; while it stands where that put it, at `ask_at`, the order has been due since `due_at`.
    ask_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    reminder_ask_at = models.DateTimeField(null=True)  # not asked again before, while a reminder waits for it
    unpaid_at = models.DateTimeField(null=True)
    superseded_by = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    superseded_at = models.DateTimeField(null=True)
    duplicate_of = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    # What its buyer placed it instead of, by a link of ours: it is the same goods, whatever they are called and cost here.
    replaces = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    promised_at = models.DateTimeField(null=True)  # the buyer's word: no reminder before (E12)
    paused_at = models.DateTimeField(null=True)  # a person holds the reminders
    claimed_by = models.BigIntegerField(null=True)
    claimed_until = models.DateTimeField(null=True)
    lock_version = models.IntegerField(default=0)  # two managers: the second gets a conflict (E5)
    is_backfill = models.BooleanField(default=False)
    is_test = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "source", "ref"], name="orders_order_once"),
            models.CheckConstraint(
                condition=Q(refunded__lte=F("captured")), name="orders_refunded_le_captured"
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="orders_total_not_negative"),
            models.CheckConstraint(condition=_is_object("delivery"), name="orders_delivery_object"),
            models.CheckConstraint(condition=_is_object("invoice"), name="orders_invoice_object"),
        ]
        indexes = [
            # Reader: the detection sweep, across shops on purpose.
            models.Index(
                fields=["check_at", "id"], name="orders_order_due", condition=Q(check_at__isnull=False)
            ),
            # Reader: a cart that is told after the order it became.
            models.Index(
                fields=["source", "cart_ref"], name="orders_order_of_cart", condition=~Q(cart_ref="")
            ),
            # Reader: siblings of a person (newer paid order), the customer card.
            models.Index(fields=["shop", "contact", "-placed_at"], name="orders_order_of_contact"),
            # Readers: the orders list, all and by status.
            models.Index(fields=["shop", "-placed_at", "-id"], name="orders_order_list"),
            models.Index(fields=["shop", "status", "-placed_at", "-id"], name="orders_order_by_status"),
            models.Index(
                fields=["shop", "payment_state", "-placed_at", "-id"], name="orders_order_by_payment"
            ),
            GinIndex(fields=["search"], name="orders_order_search"),  # Reader: the search box.
            # Readers: what an order replaced; the check of a foreign key.
            models.Index(
                fields=["superseded_by"],
                name="orders_order_superseded",
                condition=Q(superseded_by__isnull=False),
            ),
            models.Index(
                fields=["duplicate_of"],
                name="orders_order_duplicates",
                condition=Q(duplicate_of__isnull=False),
            ),
            # Readers: what was placed instead of an order; the check of a foreign key.
            models.Index(
                fields=["replaces"],
                name="orders_order_replacements",
                condition=Q(replaces__isnull=False),
            ),
        ]


class OrderLine(ShopOwned):
    """One line of an order, prices frozen at capture."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", db_index=False)
    position = models.SmallIntegerField()
    product_ref = models.TextField(default="", blank=True)
    variant_ref = models.TextField(default="", blank=True)
    sku = models.TextField(default="", blank=True)
    name = models.TextField()
    quantity = models.DecimalField(max_digits=12, decimal_places=3)
    unit_price = AmountField()
    total = AmountField()
    options: models.JSONField[Any, Any] = models.JSONField(default=dict)
    url = models.TextField(default="", blank=True)
    image_url = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="orders_line_once")]


class OrderFact(ShopOwned):
    """What became true of an order: placed, changed, paid, failed, cancelled, refunded, superseded, marked unpaid ..."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=24)
    details: models.JSONField[Any, Any] = models.JSONField(default=dict)
    became_true_at = models.DateTimeField()
    learnt_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["order", "id"], name="orders_fact_of_order")
        ]  # Reader: timeline, back-tests.


class StatusChange(ShopOwned):
    """One move of an order's status: who, when, from, to, why. Never changed (E7); migration 0007 has the trigger."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+", db_index=False)
    from_status = models.CharField(max_length=16, default="", blank=True)
    to_status = models.CharField(max_length=16)
    reason = models.TextField(default="", blank=True)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["order", "id"], name="orders_statuschange_of_order")
        ]  # Reader: history.


class OrderNote(ShopOwned):
    """What a person noted about an order, for colleagues; never shown to the buyer, never changed."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+", db_index=False)
    text = models.TextField()
    author_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["order", "id"], name="orders_note_of_order")]  # Reader: timeline.


class TwinsKept(ShopOwned):
    """That a person kept one of each of several groups of unpaid orders for the same products, so that it can be undone."""

    made_by = models.BigIntegerField(null=True)
    made_at = models.DateTimeField()
    dropped: models.JSONField[Any, Any] = models.JSONField(
        default=list
    )  # [[order, kept order, status before]]
    undone_at = models.DateTimeField(null=True)
    undone_by = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["shop", "id"], name="orders_twinskept_last")
        ]  # Reader: `twins.last_run`.


class CancelReason(ShopOwned):
    """A reason that can be chosen when an order is cancelled (E11, G1)."""

    label = models.CharField(max_length=120)
    position = models.SmallIntegerField(default=0)
    is_archived = models.BooleanField(default=False)
