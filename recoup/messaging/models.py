"""Templates and their versions, how a shop sends, and the messages with their one end each."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.core.fields import EncryptedTextField
from recoup.customers.models import Contact
from recoup.messaging.rules.models import SendingRule
from recoup.messaging.sms.models import SmsAccount, SmsDay, SmsNumberDay, SmsRangeDay
from recoup.messaging.visit_models import MessageVisit, PageVisit
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop, ShopOwned

__all__ = [
    "MessageVisit",
    "PageVisit",
    "SendingRule",
    "SmsAccount",
    "SmsDay",
    "SmsNumberDay",
    "SmsRangeDay",
]  # Django looks for models here


class ChannelKind(models.TextChoices):
    """The ways to reach people."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class MailAccount(ShopOwned):
    """The SMTP server and the sender of a shop (D12); one for a shop."""

    class Security(models.TextChoices):
        STARTTLS = "starttls", _("STARTTLS (usually port 587)")
        TLS = "tls", _("TLS (usually port 465)")
        PLAIN = "plain", _("None (only for a server on this machine)")

    host = models.CharField(_("Server"), max_length=255, default="", blank=True)
    port = models.PositiveIntegerField(_("Port"), default=587)
    security = models.CharField(_("Encryption"), max_length=10, choices=Security, default=Security.STARTTLS)
    username = models.CharField(_("User name"), max_length=255, default="", blank=True)
    password = EncryptedTextField(_("Password"), default="", blank=True)
    from_name = models.CharField(_("Sender's name"), max_length=120, default="", blank=True)
    from_email = models.EmailField(_("Sender's address"), default="", blank=True)
    reply_to = models.EmailField(_("Answers go to"), default="", blank=True)
    dkim_selectors = models.CharField(max_length=200, default="", blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    check_result: models.JSONField[Any, Any] = models.JSONField(default=dict)  # SPF, DKIM, DMARC as last seen

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop"], name="messaging_mailaccount_once")]

    @property
    def adapter(self) -> str:
        """The kind of channel that serves it."""
        return ChannelKind.EMAIL.value


class Template(ShopOwned):
    """A text that messages are made from; its published versions never change."""

    class Kind(models.TextChoices):
        ORDER = "order", _("about an order")
        CART = "cart", _("about a cart")
        CUSTOMER = "customer", _("about a person, without an order")

    key = models.CharField(max_length=60)  # stable name that processes use
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=8, choices=Kind)
    channel = models.CharField(max_length=8, choices=ChannelKind, default=ChannelKind.EMAIL)
    current_version = models.ForeignKey(
        "TemplateVersion", on_delete=models.SET_NULL, null=True, related_name="+"
    )
    draft: models.JSONField[Any, Any] = models.JSONField(
        default=dict
    )  # locale -> {subject, preheader, body, text}
    draft_lock = models.IntegerField(default=0)
    is_shipped = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="messaging_template_once")]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(ShopOwned):
    """A published version: sources and compiled texts by locale."""

    template = models.ForeignKey(Template, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    # locale -> {subject, preheader, body (MJML + Liquid), text, html (compiled MJML, Liquid intact)}
    texts: models.JSONField[Any, Any] = models.JSONField()
    has_offer = models.BooleanField(
        default=False, db_default=False
    )  # a text in it speaks of an offer: advertising, and only while the offer is in force
    published_at = models.DateTimeField()
    published_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="messaging_templateversion_once")
        ]


class MessageSource(ShopOwned):
    """What messages come from (a process), and whether it may send: set by `processes` calling down."""

    class State(models.TextChoices):
        LIVE = "live", _("Running")
        PAUSED = "paused", _("Paused")
        STOPPED = "stopped", _("Stopped")

    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State, default=State.STOPPED)
    # The process with the higher one gets the place where a person can take only one message more.
    priority = models.SmallIntegerField(default=0, db_default=0)


class Lane(models.Model):
    """The road of a shop's messages over one channel: its pace, its brake and its way of handing over."""

    class Way(models.TextChoices):
        BATCH = "batch", _("Batch")
        SINGLE = "single", _("Single")

    id = models.BigAutoField(primary_key=True)
    shop = models.ForeignKey(Shop, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=8, default="email")
    way = models.CharField(max_length=8, choices=Way, default=Way.BATCH)
    rate = models.FloatField(default=10.0)  # messages a second, real time
    burst = models.FloatField(default=100.0)
    tokens = models.FloatField(default=100.0)
    refilled_at = models.DateTimeField(null=True)  # real
    next_at = models.DateTimeField(null=True)  # real; not before
    due_mark = models.DateTimeField(
        null=True
    )  # trade; the claim looks from here on while a backlog is drained
    mark_opened_at = models.DateTimeField(null=True)  # real; when the claim last looked at everything due
    in_trouble_since = models.DateTimeField(null=True)  # real; connect, TLS or AUTH fails
    trouble = models.TextField(default="", blank=True)
    backoff_seconds = models.IntegerField(default=0)
    answer_ms = models.FloatField(default=0)  # moving mean of the server's answers, chooses the way
    daily_quota = models.PositiveIntegerField(
        null=True, blank=True
    )  # messages a day; empty: as many as the rate
    max_in_flight = models.PositiveIntegerField(null=True, blank=True)  # claimed and not ended at once
    warmup = ArrayField(
        models.PositiveIntegerField(), default=list, db_default=[], blank=True
    )  # quota of day 1, 2, ...
    warmup_since = models.DateField(null=True, blank=True)  # day 1, in the shop's zone
    taken = models.IntegerField(default=0, db_default=0)  # of the quota, on the day below
    taken_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "channel"], name="messaging_lane_once")]


class SendingLimits(ShopOwned):
    """How often a person may be reminded; a shop without a row has these defaults."""

    per_day = models.PositiveSmallIntegerField(
        _("Reminders in 24 hours"), default=2, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    per_week = models.PositiveSmallIntegerField(
        _("Reminders in 7 days"), default=5, validators=[MinValueValidator(1), MaxValueValidator(16)]
    )
    per_order = models.PositiveSmallIntegerField(
        _("Reminders about one order"), default=3, validators=[MinValueValidator(1), MaxValueValidator(15)]
    )
    sms_per_day = models.PositiveSmallIntegerField(
        _("Of these by SMS in 24 hours"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
    )
    sms_per_week = models.PositiveSmallIntegerField(
        _("Of these by SMS in 7 days"),
        default=2,
        db_default=2,
        validators=[MinValueValidator(1), MaxValueValidator(16)],
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop"], name="messaging_limits_once")]


class Message(ShopOwned):
    """One message to one person, with exactly one end (R10)."""

    class Purpose(models.TextChoices):
        REMINDER = "reminder", _("Reminder")  # guarded: never once its order is paid
        THANKS = "thanks", _("Thanks")

    class State(models.TextChoices):
        DUE = "due", _("Waiting")
        CLAIMED = "claimed", _("Being prepared")
        HANDING = "handing", _("Being handed over")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Not sent")
        UNCERTAIN = "uncertain", _("Uncertain")

    class Delivery(models.TextChoices):
        ACCEPTED = "accepted", _("Taken by the provider")
        DELIVERED = "delivered", _("Arrived on the phone")
        UNDELIVERED = "undelivered", _("Did not arrive")

    class MessageClass(models.TextChoices):
        CONTRACT = "contract", _("about the contract")
        SOFT_OPT_IN = "soft_opt_in", _("advertising to customers")
        NEEDS_CONSENT = "needs_consent", _("needs consent")
        FORBIDDEN = "forbidden", _("not allowed at all")

    source = models.ForeignKey(
        MessageSource, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    enrolment_id = models.BigIntegerField(null=True)
    step_no = models.IntegerField(null=True)
    node = models.CharField(max_length=40, default="", blank=True)
    case_id = models.BigIntegerField(null=True)
    manual_key = models.CharField(max_length=64, null=True)  # idempotency key of a message sent by hand
    channel = models.CharField(max_length=8, choices=ChannelKind, default=ChannelKind.EMAIL)
    lane = models.ForeignKey(Lane, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    template = models.ForeignKey(
        Template, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    template_version = models.ForeignKey(
        TemplateVersion, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    locale = models.CharField(max_length=8)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.REMINDER)
    message_class = models.CharField(max_length=16, choices=MessageClass)
    # What the class was computed from: the rules may change before it is handed over. Empty in messages of older versions.
    content = models.CharField(max_length=12, default="", db_default="", blank=True)  # rules.kinds.Content
    relation = models.CharField(max_length=10, default="", db_default="", blank=True)  # rules.kinds.Relation
    country = models.CharField(max_length=2, default="", db_default="", blank=True)
    is_asked_for = models.BooleanField(default=False)  # the buyer asked: resent once when uncertain
    is_resent = models.BooleanField(default=False)  # what was asked for was sent a second time
    is_test = models.BooleanField(default=False)  # made in test mode: never leaves, never counts
    recipient = models.CharField(max_length=254)
    prio = models.SmallIntegerField(default=1)
    state = models.CharField(max_length=10, choices=State, default=State.DUE)
    queued_at = models.DateTimeField()  # trade
    due_at = models.DateTimeField()  # trade
    not_after = models.DateTimeField()  # trade; later it is skipped as expired
    day_ends_at = models.DateTimeField(
        null=True
    )  # trade; what it says is false from then on, whoever sends it again
    attempt = models.SmallIntegerField(default=0)
    deferrals = models.SmallIntegerField(default=0)
    lease_owner = models.BigIntegerField(null=True)
    lease_until = models.DateTimeField(null=True)  # real
    message_ref = models.CharField(max_length=120)  # Message-ID without brackets, fixed at queueing
    cancel_requested_at = models.DateTimeField(null=True)  # trade
    handed_at = models.DateTimeField(null=True)  # trade; DATA began
    settled_at = models.DateTimeField(null=True)  # trade
    reason = models.CharField(
        max_length=40, default="", blank=True
    )  # code of the end; words in messaging.reasons
    answer = models.TextField(default="", blank=True)  # of the server, cut at 500 characters
    offer_id = models.BigIntegerField(
        null=True
    )  # that its text speaks of; it goes out only while that is in force
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    # Other channels to try in this order, each with its text: [{"channel", "template", "class"}]; null is none.
    fallback: models.JSONField[Any, Any] = models.JSONField(null=True)
    passed_over: models.JSONField[Any, Any] = models.JSONField(null=True)  # [[channel, reason]] so far
    # What a channel that takes HTTP knows of it.
    provider_ref = models.CharField(max_length=64, default="", db_default="", blank=True)
    parts = models.SmallIntegerField(null=True)
    price = models.DecimalField(max_digits=10, decimal_places=4, null=True)
    price_currency = models.CharField(max_length=3, default="", db_default="", blank=True)
    gap_ms = models.IntegerField(null=True)  # from the last look to the first byte of the request
    delivery = models.CharField(max_length=11, choices=Delivery, default="", db_default="", blank=True)
    delivery_at = models.DateTimeField(null=True)  # when the provider said so
    delivery_code = models.CharField(max_length=40, default="", db_default="", blank=True)

    class Meta:
        constraints = [
            # One person, one step, one cycle: at most one message.
            models.UniqueConstraint(
                fields=["enrolment_id", "step_no", "channel"],
                condition=Q(enrolment_id__isnull=False),
                name="messaging_message_once",
            ),
            models.UniqueConstraint(
                fields=["shop", "manual_key"],
                condition=Q(manual_key__isnull=False),
                name="messaging_message_by_hand_once",
            ),
        ]
        indexes = [
            # Reader: the claim of a lane.
            models.Index(
                fields=["lane", "prio", "due_at", "id"],
                name="messaging_message_due",
                condition=Q(state="due"),
            ),
            # Reader: reports of a provider, which name the message by its reference.
            models.Index(
                fields=["shop", "message_ref"], name="messaging_message_by_ref", condition=~Q(channel="email")
            ),
            # Reader: the sweep of leases, across shops on purpose.
            models.Index(
                fields=["lease_until"],
                name="messaging_message_lease",
                condition=Q(state__in=("claimed", "handing")),
            ),
            models.Index(
                fields=["shop", "-id"], name="messaging_message_list"
            ),  # Reader: the messages screen.
            models.Index(
                fields=["shop", "state", "-id"], name="messaging_message_by_state"
            ),  # Reader: the same, filtered.
            models.Index(
                fields=["order", "-id"], name="messaging_message_of_order", condition=Q(order__isnull=False)
            ),
            # Reader: the asking of shops before a first reminder, across shops on purpose.
            models.Index(
                fields=["order"], name="messaging_unheard", condition=Q(state="due", reason="source_silent")
            ),
            # Readers: timelines, merging.
            models.Index(fields=["contact", "-id"], name="messaging_message_of_contact"),
            models.Index(
                fields=["case_id", "id"], name="messaging_message_of_case", condition=Q(case_id__isnull=False)
            ),
            # Reader: what was handed over in a period, for Home and the report.
            models.Index(
                fields=["shop", "-handed_at", "-id"],
                name="messaging_message_handed",
                condition=Q(state__in=("sent", "uncertain"), is_test=False),
            ),
        ]


class MessageCopy(models.Model):
    """What was sent, with its tokens blanked."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="copy")
    shop_id = models.BigIntegerField()
    subject = models.TextField()
    # UTF-8, deflated with the compiled text of this version and language as dictionary: a tenth of its size.
    html = models.BinaryField()
    text = models.BinaryField()
    version_id = models.BigIntegerField(default=0)
    locale = models.CharField(max_length=8, default="")


class QuietHours(ShopOwned):
    """Hours in which a channel stays silent, in the person's zone."""

    channel = models.CharField(max_length=8, default="email")
    starts = models.TimeField()
    ends = models.TimeField()
    weekdays = ArrayField(
        models.SmallIntegerField(), default=list, blank=True
    )  # 0 is Monday; empty is every day
    keeps_holidays = models.BooleanField(
        default=False, db_default=False
    )  # silent on public holidays, all day
