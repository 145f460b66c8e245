"""Visits: through the links of messages, machines among them, and to the pages of buyers, people alone."""

from django.db import models
from django.db.models import Q

from recoup.customers.models import Contact
from recoup.shops.models import ShopOwned


class MessageVisit(ShopOwned):
    """A visit through a link of a message; a machine's visit is kept and does not count."""

    message = models.ForeignKey(
        "messaging.Message", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    purpose = models.CharField(max_length=24)
    # What the page was about, where that is not what the message is about: an order made of the cart. Empty: the same.
    subject_kind = models.CharField(max_length=8, default="", db_default="")
    subject_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    is_machine = models.BooleanField()
    noted_at = models.DateTimeField(null=True)  # looked at together with its neighbours: a person's, or not

    class Meta:
        indexes = [
            # Reader: the noting of clicks, across shops on purpose.
            models.Index(fields=["at"], name="messaging_visit_new", condition=Q(noted_at=None)),
            # Readers: a message's page; the neighbours of a visit.
            models.Index(fields=["message", "at"], name="messaging_visit_of_message"),
        ]


class PageVisit(ShopOwned):
    """A person came to a page about an order, a cart or themselves, by whichever message or straight.

    What looks like a machine by itself leaves none. Of visits of the same page within a short time the first and the last
    are kept, because a process may begin to ask between them: `slot` numbers the times, below zero of who came straight.
    """

    subject_kind = models.SmallIntegerField()  # 1 order, 2 cart, 3 person
    subject_id = models.BigIntegerField()
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    page = models.CharField(max_length=24)  # the purpose of the link
    slot = models.BigIntegerField()
    at = models.DateTimeField()
    last_at = models.DateTimeField(null=True)  # of the last one in the slot, where there is more than one
    source_id = models.BigIntegerField(
        null=True
    )  # of the message that led there; empty of one who came straight
    noted_at = models.DateTimeField(
        null=True
    )  # weighed with its neighbours; before that it counts for nothing
    is_machine = models.BooleanField(default=False, db_default=False)  # every page at once: found out later

    class Meta:
        constraints = [
            # Readers: the facts of processes, conditions.
            models.UniqueConstraint(
                fields=["subject_kind", "subject_id", "page", "slot"], name="messaging_pagevisit_once"
            )
        ]
        indexes = [
            # Readers: the facts of processes about a person, merging.
            models.Index(fields=["contact", "at"], name="messaging_pagevisit_of_contact"),
            # Reader: the noting of those who came straight, across shops on purpose.
            models.Index(fields=["at"], name="messaging_pagevisit_new", condition=Q(noted_at=None)),
        ]
