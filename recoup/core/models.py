"""Tables of the ground: installation, outbox, inbox, links, activity, attention, heartbeats, rate limits."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Installation(models.Model):
    """The one row that says who this installation is, what its clock adds, and whether it may send."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    instance_id = models.UUIDField(default=uuid.uuid4)
    # Where this database was last allowed to send from; another place silences the installation (R19).
    place = models.TextField(default="", blank=True)
    silenced_at = models.DateTimeField(null=True, blank=True)
    silenced_reason = models.TextField(default="", blank=True)
    trade_offset = models.DurationField(default=timedelta(0))  # only the demo's clock is ever moved
    # Real time of its last move: since then alone can anything have waited in earnest.
    trade_moved_at = models.DateTimeField(null=True, blank=True)
    is_demo = models.BooleanField(default=False)
    public_url = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="core_installation_is_one_row")]


class OutboxEvent(models.Model):
    """News on its way to its handlers; written in the transaction that made it true, deleted when handled."""

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField()
    kind = models.TextField()
    payload = models.JSONField()
    made_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "core_outbox"


class DeadLetter(models.Model):
    """Work that failed by itself and waits for a person: retry, or put aside."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        RETRIED = "retried", _("Retried")
        PUT_ASIDE = "put_aside", _("Put aside")

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField(null=True)
    what = models.TextField()
    payload = models.JSONField()
    error = models.TextField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.IntegerField(default=1)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)

    class Meta:
        indexes = [
            # Reader: the Home screen and the quarantine screen.
            models.Index(
                fields=["shop_id", "-last_at"], name="core_deadletter_open", condition=Q(state="open")
            ),
        ]


class InboxItem(models.Model):
    """One call from a source, kept raw before anything is understood (R1). Bytes as they came (M14)."""

    class State(models.TextChoices):
        NEW = "new", _("Waiting")
        APPLIED = "applied", _("Applied")
        QUARANTINED = "quarantined", _("Quarantined")
        UNUSED = "unused", _("Not used")
        CONFLICT = "conflict", _("Same id, other body")
        PUT_ASIDE = "put_aside", _("Put aside")

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField()
    source_id = (
        models.BigIntegerField()
    )  # shops.Source or payments.OperatorAccount, told apart by source_kind
    source_kind = models.CharField(max_length=16)  # "shop" or "operator"
    event_id = models.TextField()
    topic = models.TextField(default="", blank=True)
    raw = models.BinaryField()
    headers = models.JSONField(default=dict)
    body_hash = models.BinaryField(max_length=32)
    # What `peek` could name; the sender's last check reads these while the item is not applied.
    subject_kind = models.CharField(
        max_length=12, default="", blank=True
    )  # order, cart, payment, product, ""
    subject_refs = models.JSONField(default=list)  # external ids named by the body, as text
    peek_failed = models.BooleanField(default=False)
    received_at = models.DateTimeField()  # trade time: when we learnt it
    state = models.CharField(max_length=12, choices=State, default=State.NEW)
    reason = models.TextField(default="", blank=True)
    tries = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)  # trade time
    waits_for = models.TextField(
        db_default="", default="", blank=True
    )  # ref of the order it came before (T23)
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "core_inbox"
        constraints = [
            models.UniqueConstraint(
                fields=["source_kind", "source_id", "event_id"],
                condition=~Q(state="conflict"),
                name="core_inbox_once",
            )
        ]
        indexes = [
            # Readers: the worker that applies what came, and what is due again; across shops on purpose. Two, so that a call
            # that comes in touches one of them.
            models.Index(
                fields=["id"], name="core_inbox_fresh", condition=Q(state="new", next_try_at__isnull=True)
            ),
            models.Index(
                fields=["next_try_at", "id"],
                name="core_inbox_again",
                condition=Q(state="new", next_try_at__isnull=False),
            ),
            # Reader: the sender's last check (unapplied news of a source).
            models.Index(
                fields=["source_kind", "source_id"], name="core_inbox_unapplied", condition=Q(state="new")
            ),
            # Reader: the arrival of an order, which wakes what came before it.
            models.Index(
                fields=["source_id", "waits_for"],
                name="core_inbox_waits_for",
                condition=Q(state="new") & ~Q(waits_for=""),
            ),
            # Reader: the quarantine screen.
            models.Index(
                fields=["shop_id", "state", "-id"],
                name="core_inbox_screen",
                condition=Q(state__in=["quarantined", "unused", "conflict", "put_aside"]),
            ),
        ]


class Link(models.Model):
    """A link for one purpose on one object; only the hash of its 128 random bits is kept (T46, T47)."""

    id = models.BigAutoField(primary_key=True)
    token_hash = models.BinaryField(max_length=32, unique=True)
    purpose = models.CharField(max_length=24)
    shop_id = models.BigIntegerField()
    subject_kind = models.CharField(max_length=12)
    subject_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)
    message_id = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    minted_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Reader: revoking the links of an object.
            models.Index(fields=["shop_id", "subject_kind", "subject_id"], name="core_link_subject"),
        ]


class Activity(models.Model):
    """Who did what to which object, when: the line a person reads in a history. Never changed."""

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField()
    verb = models.TextField()
    subject_kind = models.CharField(max_length=16)
    subject_id = models.BigIntegerField()
    actor_kind = models.CharField(max_length=12)  # system, person, process, source, buyer
    actor_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "core_activity"
        indexes = [
            # Reader: the timeline of an object.
            models.Index(
                fields=["shop_id", "subject_kind", "subject_id", "-id"], name="core_activity_subject"
            ),
        ]


class AttentionItem(models.Model):
    """Something that needs a person's eye, shown on Home until settled."""

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField()
    kind = models.TextField()
    key = models.TextField()  # one open item for a kind and key
    subject_kind = models.CharField(max_length=16, default="", blank=True)
    subject_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by = models.BigIntegerField(null=True)

    class Meta:
        db_table = "core_attention"
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "kind", "key"],
                condition=Q(settled_at=None),
                name="core_attention_once_open",
            )
        ]
        indexes = [
            # Reader: Home.
            models.Index(fields=["shop_id", "-id"], name="core_attention_open", condition=Q(settled_at=None)),
            # Reader: whether something was ever asked.
            models.Index(fields=["shop_id", "kind", "key"], name="core_attention_ever"),
        ]


class Heartbeat(models.Model):
    """The last beat of a loop, in real time; an old one turns `/health` red."""

    name = models.CharField(max_length=60, primary_key=True)
    beat_at = models.DateTimeField()
    details = models.JSONField(default=dict)


class RateBucket(models.Model):
    """A counter of calls in a window, bumped by one statement."""

    key = models.CharField(max_length=200, primary_key=True)
    window_at = models.DateTimeField()
    hits = models.IntegerField()

    class Meta:
        db_table = "core_rate_bucket"
