"""Buyers, the identities they are recognised by, what they agreed to, and where nothing may be sent."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.shops.models import ShopOwned


class Contact(ShopOwned):
    """A person who bought or left a cart. Recognised by normalised e-mail, E.164 phone or account, per shop."""

    name = models.CharField(max_length=200, default="", blank=True)
    email = models.EmailField(max_length=254, default="", blank=True)  # as to be written to
    phone = models.CharField(max_length=20, default="", blank=True)  # E.164 or empty, never guessed
    locale = models.CharField(max_length=8, default="", blank=True)
    time_zone = models.CharField(max_length=64, default="", blank=True)
    country = models.CharField(max_length=2, default="", blank=True)
    company = models.CharField(max_length=200, default="", blank=True)
    search = ArrayField(models.TextField(), default=list)  # normalised tokens; see core.search
    sort_name = models.TextField(default="", blank=True)
    notes = models.TextField(default="", blank=True)
    merged_into = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    erased_at = models.DateTimeField(null=True, blank=True)
    first_seen_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Reader: the customers list.
            models.Index(
                fields=["shop", "-id"], name="customers_contact_list", condition=Q(merged_into=None)
            ),
            GinIndex(fields=["search"], name="customers_contact_search"),  # Reader: the search box.
        ]


class ContactIdentity(ShopOwned):
    """One thing that a contact is recognised by."""

    class Kind(models.TextChoices):
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        ACCOUNT = "account", _("Account in the shop")

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    value = models.TextField()
    look = models.TextField(db_default="", default="", blank=True)  # `normalise.email_look` of an address
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "kind", "value"], name="customers_identity_once")
        ]
        indexes = [
            # Reader: who may be the same person as somebody new.
            models.Index(fields=["shop", "look"], name="customers_identity_look", condition=~Q(look=""))
        ]


class ContactGate(models.Model):
    """The row that the sender locks for a person; every writer of consent or suppression updates it first."""

    contact = models.OneToOneField(Contact, on_delete=models.CASCADE, primary_key=True, related_name="gate")
    shop_id = models.BigIntegerField()
    recent = ArrayField(models.DateTimeField(), default=list)  # last 16 hand-overs, trade time, for caps
    changes = models.IntegerField(default=0)  # bumped by each writer: what the sender locks, the facts touch


class ConsentEvent(ShopOwned):
    """What a person agreed to or took back: append-only proof (R26, GDPR 7)."""

    class Purpose(models.TextChoices):
        MARKETING = "marketing", _("Offers and news")
        CART_REMINDER = "cart_reminder", _("Reminders of a cart")

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=16, choices=Purpose)
    channel = models.CharField(max_length=8, default="email")
    is_given = models.BooleanField()
    source = models.CharField(max_length=40)
    text = models.TextField(default="", blank=True)
    text_version = models.CharField(max_length=64, default="", blank=True)
    locale = models.CharField(max_length=8, default="", blank=True)
    address_class = models.CharField(max_length=40, default="", blank=True)  # truncated network address
    # The number that it was given for, by `queries.address_hash`; nothing of e-mail. Another number is another's ear.
    number_hash = models.BinaryField(max_length=32, null=True)
    became_true_at = models.DateTimeField()
    told_at = models.DateTimeField(
        null=True
    )  # by a source whose clock was ahead of ours: known by it when told again
    learnt_at = models.DateTimeField()

    class Meta:
        indexes = [
            # Reader: the consent in force at an instant.
            models.Index(
                fields=["shop", "contact", "purpose", "channel", "-id"], name="customers_consent_latest"
            )
        ]


class Suppression(models.Model):
    """An address that gets nothing of a scope, known by keyed hash so that it outlives erasure (R44)."""

    class Scope(models.TextChoices):
        ALL = "all", _("Nothing at all")
        REMINDERS = "reminders", _("No reminders")
        MARKETING = "marketing", _("No offers and news")

    class Reason(models.TextChoices):
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
        BOUNCED = "bounced", _("Address does not exist")
        COMPLAINED = "complained", _("Marked as spam")
        ERASED = "erased", _("Erased on request")
        BY_HAND = "by_hand", _("Set by staff")

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField()
    channel = models.CharField(max_length=8, default="email")
    address_hash = models.BinaryField(max_length=32)
    scope = models.CharField(max_length=10, choices=Scope)
    reason = models.CharField(max_length=12, choices=Reason)
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "channel", "address_hash", "scope"],
                condition=Q(lifted_at=None),
                name="customers_suppression_once",
            )
        ]


class MergeSuggestion(ShopOwned):
    """Two contacts that may be one person; a person decides (T42)."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        MERGED = "merged", _("Merged")
        REFUSED = "refused", _("Two people")

    first = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    why = models.CharField(max_length=24)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["first", "second"], name="customers_suggestion_once")]
        indexes = [
            # Readers: Home's count of them, and the list of customers with one.
            models.Index(
                fields=["shop", "first", "second"],
                name="customers_suggestion_open",
                condition=Q(state="open"),
            )
        ]


class Tag(ShopOwned):
    """A word by which a shop sorts its customers. Two spellings that differ in case alone are one."""

    name = models.CharField(max_length=40)
    key = models.TextField()  # `tagging.tag_key` of the name
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "key"], name="customers_tag_once")]

    def __str__(self) -> str:
        return self.name


class ContactTag(ShopOwned):
    """A tag that a person has, since when and set by whom."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+", db_index=False)
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, related_name="+", db_index=False)
    added_at = models.DateTimeField()
    added_kind = models.CharField(max_length=8)  # `core.activity.Actor`
    added_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "tag"], name="customers_contacttag_once")]
        indexes = [
            # Reader: the people of a tag, for segments.
            models.Index(fields=["tag", "contact"], name="customers_contacttag_people")
        ]
