"""What somebody of the staff has to do."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recoup.accounts.roles import Role
from recoup.customers.models import Contact
from recoup.orders.models import Cart, Order
from recoup.shops.models import ShopOwned


class Task(ShopOwned):
    """One thing to do about an order, a cart or a customer. What has ended never changes."""

    class State(models.TextChoices):
        OPEN = "open", _("To do")
        DONE = "done", _("Done")
        CANCELLED = "cancelled", _("Called off")

    class Priority(models.IntegerChoices):
        HIGH = 0, _("Urgent")
        NORMAL = 1, _("Ordinary")
        LOW = 2, _("When there is time")

    title = models.CharField(max_length=200)
    note = models.TextField(default="", blank=True)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False
    )
    order = models.ForeignKey(Order, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    priority = models.SmallIntegerField(choices=Priority, default=Priority.NORMAL)
    role = models.CharField(max_length=12, choices=Role, default="", blank=True)  # who of them takes it first
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    due_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    result = models.TextField(default="", blank=True)  # what came of it, in the words of who did it
    reason = models.CharField(max_length=24, default="", blank=True)  # why it was called off, a code
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.BigIntegerField(null=True)
    # What asked for it; a task made by hand has none.
    process_id = models.BigIntegerField(null=True)
    enrolment_id = models.BigIntegerField(null=True)
    step_no = models.IntegerField(null=True)
    node = models.SmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["enrolment_id", "step_no"], name="desk_task_once"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at=None) | (~Q(state="open") & Q(closed_at__isnull=False)),
                name="desk_task_closed_or_open",
            ),
        ]
        indexes = [
            # Readers: the list of what is to do, and Home's count of it.
            models.Index(fields=["shop", "due_at", "id"], name="desk_task_open", condition=Q(state="open")),
            # Readers: the pages of an order and of a customer; a payment that ends what was to be done.
            models.Index(fields=["order"], name="desk_task_order", condition=Q(order__isnull=False)),
            models.Index(fields=["contact", "-id"], name="desk_task_contact"),
        ]

    def __str__(self) -> str:
        return self.title
