"""What analytics keeps for itself: numbers of cases, kept up by the database."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class CaseTally(models.Model):
    """A change of a number of cases at an instant; the number is the sum of its changes (rule 10).

    Triggers on the table of cases write these rows in the transaction that changes a case, whoever changes it, so the
    numbers never differ from the rows (`docs/decisions/0002`). Only inserted, so that nobody waits; folded together
    later, old ones by month. Instants are cut to a quarter of an hour: every zone's midnight is one.
    """

    class Figure(models.TextChoices):
        OPEN = "open", _("Open cases")  # +1 when opened, -1 when closed
        WAITING = "waiting", _("Money that waits")  # what is due of the open ones
        MESSAGED = "messaged", _("Cases that got a message")  # at their opening
        RECOVERED = "recovered", _("Recovered cases")  # at their opening
        MONEY = "money", _("Recovered money")  # without what was given back, at the payment

    id = models.BigAutoField(primary_key=True)
    shop_id = models.BigIntegerField()
    figure = models.CharField(max_length=10, choices=Figure)
    kind = models.CharField(max_length=8)  # of the case: order or cart
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=20, decimal_places=4)
    is_folded = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["shop_id", "figure", "kind", "currency", "at"],
                condition=Q(is_folded=True),
                name="analytics_casetally_folded",
            )
        ]
        indexes = [
            # Reader: Home.
            models.Index(
                fields=["shop_id", "figure", "at"],
                include=["kind", "currency", "value"],
                name="analytics_casetally_read",
            ),
            # Readers: the folding of new rows and of old ones, across shops on purpose.
            models.Index(fields=["id"], name="analytics_casetally_loose", condition=Q(is_folded=False)),
            models.Index(fields=["at"], name="analytics_casetally_old", condition=Q(is_folded=True)),
        ]
