"""Offers as they were granted, what they were used for, what they may cost, and what a shop must keep."""

from decimal import Decimal
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recoup.core.fields import AmountField
from recoup.customers.models import Contact
from recoup.orders.models import Cart, Order
from recoup.shops.models import ShopOwned, Source


def _share(label: Any, *, default: Any = Decimal(0), most: int = 100, **options: Any) -> Any:
    return models.DecimalField(
        label,
        max_digits=5,
        decimal_places=2,
        default=default,
        validators=[MinValueValidator(0), MaxValueValidator(most)],
        **options,
    )


class OfferSettings(ShopOwned):
    """What a shop must keep of a sale, and who gets no more discounts; a shop without a row has these defaults."""

    default_cost: models.DecimalField[Any, Any] = _share(
        _("What goods cost you, unless a product says it"), default=None, null=True, blank=True
    )
    fee: models.DecimalField[Any, Any] = _share(_("Payment fee"), most=50)
    fixed_fee = AmountField(
        verbose_name=_("Fixed fee for a payment"), default=0, validators=[MinValueValidator(0)]
    )
    tax: models.DecimalField[Any, Any] = _share(
        _("Tax on top of your net prices"), default=None, null=True, blank=True
    )
    returns: models.DecimalField[Any, Any] = _share(_("Sales that come back"), most=95)
    floor: models.DecimalField[Any, Any] = _share(_("Least margin after a discount"), most=95)
    most_discounts = models.PositiveSmallIntegerField(
        _("Discounts for one person"), default=1, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    most_left = models.PositiveSmallIntegerField(
        _("Orders and carts left unpaid"),
        default=4,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    memory_days = models.PositiveSmallIntegerField(
        _("Days that are looked back"), default=90, validators=[MinValueValidator(1), MaxValueValidator(730)]
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop"], name="offers_settings_once")]


class Budget(ShopOwned):
    """What the offers of one definition have cost in one period: reserved when granted, given back when not used.

    Changed by one conditional statement alone, which decides whether the next offer may still be granted (K6).
    """

    key = models.CharField(max_length=80)  # of the definition: process and block
    currency = models.CharField(max_length=3)
    period_start = models.DateTimeField()
    spent = AmountField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "key", "currency", "period_start"], name="offers_budget_once"
            ),
            models.CheckConstraint(condition=Q(spent__gte=0), name="offers_budget_not_negative"),
        ]


class Offer(ShopOwned):  # type: ignore[django-manager-missing]  # as `orders.models.Order`
    """One offer to one person, or the refusal of one. Its terms never change once it was granted."""

    class State(models.TextChoices):
        ASKED = "asked", _("Being made in the shop")
        GRANTED = "granted", _("In force")
        REDEEMED = "redeemed", _("Used")
        EXPIRED = "expired", pgettext_lazy("offer", "Expired")
        VOID = "void", _("Withdrawn")
        REFUSED = "refused", _("Not granted")

    class Kind(models.TextChoices):
        PERCENT = "percent", _("Percentage")
        AMOUNT = "amount", _("Amount")
        DELIVERY = "delivery", _("Free delivery")
        GIFT = "gift", _("Gift")

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    cart = models.ForeignKey(Cart, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    process_id = models.BigIntegerField(null=True)
    enrolment_id = models.BigIntegerField(null=True)
    step_no = models.IntegerField(null=True)
    node = models.SmallIntegerField(null=True)
    code = models.CharField(max_length=12, default="", blank=True)  # empty of one that was refused
    kind = models.CharField(max_length=8, choices=Kind)
    terms: models.JSONField[Any, Any] = models.JSONField()  # terms.Terms
    currency = models.CharField(max_length=3)
    expected = AmountField(default=0)  # what it costs the shop if it is used on what it was granted for
    expected_discount = AmountField(default=0)
    new_total = AmountField(null=True)  # of what it was granted for
    # What some goods cost was not known, and the share that the shop set stood in for it (K7, O5).
    is_guessed = models.BooleanField(default=False, db_default=False)
    is_for_person = models.BooleanField(default=False, db_default=False)  # for whatever they order next
    decided_at = models.DateTimeField(null=True)  # when the shop had answered; else at once
    granted_at = models.DateTimeField()  # the clock of its validity starts here
    granted_by = models.BigIntegerField(null=True)  # of one granted by hand
    valid_until = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State)
    reason = models.CharField(max_length=40, default="", blank=True)  # reasons.Reason, of an end or a refusal
    note = models.TextField(default="", blank=True)  # what a person wrote when withdrawing it
    ended_at = models.DateTimeField(null=True)
    is_test = models.BooleanField(default=False)
    budget_key = models.CharField(max_length=80, default="", blank=True)
    budget_start = models.DateTimeField(null=True)
    budget_limit = AmountField(null=True)  # how much the budget may cost: asked again if the cost grows
    # Of one that the shop itself applies: where its coupon is made, and what is known of it there.
    maker = models.ForeignKey(Source, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    remote_ref = models.TextField(default="", blank=True)
    remote_url = models.TextField(
        default="", db_default="", blank=True
    )  # a checkout of the shop with goods and coupon
    remote_trouble = models.TextField(
        default="", db_default="", blank=True
    )  # why the last call about it failed
    remote_next_at = models.DateTimeField(null=True)  # real; when to call the shop about it
    remote_tries = models.SmallIntegerField(default=0)

    class Meta:
        constraints = [
            # One step of one person grants once.
            models.UniqueConstraint(
                fields=["enrolment_id", "step_no"],
                condition=Q(enrolment_id__isnull=False),
                name="offers_offer_step_once",
            ),
            models.UniqueConstraint(fields=["shop", "code"], condition=~Q(code=""), name="offers_code_once"),
            # One coupon of ours at a time for an order or a cart, whoever grants it.
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(maker__isnull=False, state__in=["asked", "granted"]),
                name="offers_coupon_of_order_once",
            ),
            models.UniqueConstraint(
                fields=["cart"],
                condition=Q(maker__isnull=False, state__in=["asked", "granted"]),
                name="offers_coupon_of_cart_once",
            ),
        ]
        indexes = [
            # Readers: the offers list, all and by state.
            models.Index(fields=["shop", "-granted_at", "-id"], name="offers_offer_list"),
            models.Index(fields=["shop", "state", "-granted_at", "-id"], name="offers_offer_by_state"),
            # Reader: what the offers of a period cost and brought; what was refused is most of the table.
            models.Index(
                fields=["shop", "-granted_at"],
                name="offers_offer_earned",
                condition=Q(is_test=False) & ~Q(state="refused"),
            ),
            # Readers: a person's offers: pay page, limits, card.
            models.Index(fields=["shop", "contact", "-id"], name="offers_offer_of_contact"),
            # Readers: what a payment or cancellation ends; the order's page.
            models.Index(fields=["order"], name="offers_offer_of_order", condition=Q(order__isnull=False)),
            models.Index(fields=["cart"], name="offers_offer_of_cart", condition=Q(cart__isnull=False)),
            # Reader: the sweep of what has expired, across shops on purpose.
            models.Index(
                fields=["valid_until"],
                name="offers_offer_expiry",
                condition=Q(state__in=["granted", "asked"]),
            ),
            # Reader: the check of a foreign key.
            models.Index(fields=["maker"], name="offers_offer_maker", condition=Q(maker__isnull=False)),
            # Reader: the loop that calls shops about coupons, across shops on purpose.
            models.Index(
                fields=["remote_next_at"],
                name="offers_offer_remote",
                condition=Q(remote_next_at__isnull=False),
            ),
        ]


class Redemption(ShopOwned):
    """A use of an offer for an order. The unique row decides who of many is first; a payment that ends frees it, once."""

    offer = models.ForeignKey(Offer, on_delete=models.CASCADE, related_name="redemptions", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+", db_index=False)
    discount = AmountField()
    cost = AmountField()
    by_line: models.JSONField[Any, Any] = models.JSONField(default=list)  # per line of the order, by position
    made_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)
    freed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["offer"], condition=Q(freed_at__isnull=True), name="offers_redemption_once"
            )
        ]
        indexes = [
            models.Index(fields=["order"], name="offers_redemption_of_order")
        ]  # Reader: payments, pages.
