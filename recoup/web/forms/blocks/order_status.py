"""Order status: another status for the order."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.orders.models import Order
from recoup.web.forms.blocks.base import BlockForm, Part

_OFFERED = ("in_work", "not_confirmed", "awaiting_payment", "unpaid", "cancelled", "false")


class OrderStatusForm(BlockForm):
    """A new status. Completed is left to payments."""

    kind = "order_status"
    help = gettext_lazy("“Completed” is missing here on purpose: only a payment completes an order.")

    to = forms.ChoiceField(
        label=gettext_lazy("New status"), choices=[(code, Order.Status(code).label) for code in _OFFERED]
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Stands in the history of the order. Cancelling needs one."),
    )

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        return {"to": raw.get("to", ""), "reason": raw.get("reason", "")}

    def clean(self) -> dict[str, Any]:
        """Ask for the reason of a cancellation."""
        cleaned = super().clean() or {}
        if cleaned.get("to") == "cancelled" and not cleaned.get("reason"):
            self.add_error("reason", _("Say why the order is cancelled."))
        return cleaned

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the status."""
        return {"to": self.cleaned_data["to"], "reason": self.cleaned_data["reason"]}

    def own_parts(self) -> list[Part]:
        """Return status and reason."""
        return [Part("", [self.line("to"), self.line("reason")])]
