"""Webhook: a signed call to an address of the merchant."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.call_models import WebhookEndpoint
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import SpanField


class WebhookForm(BlockForm):
    """A call."""

    kind = "webhook"
    needed = ("within",)
    help = gettext_lazy(
        "Addresses stand under Settings, Other programs. A call is repeated for more than a day until it is taken."
    )

    endpoint = forms.ChoiceField(
        label=gettext_lazy("Which program"), error_messages={"required": gettext_lazy("Choose a program.")}
    )
    tells = forms.MultipleChoiceField(
        label=gettext_lazy("What it is told"),
        choices=[
            ("order", gettext_lazy("the order")),
            ("cart", gettext_lazy("the cart")),
            ("customer", gettext_lazy("name, e-mail and phone of the customer")),
        ],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Tell no more than the other program needs."),
    )
    waits = forms.BooleanField(
        label=gettext_lazy("Wait until it is taken"),
        required=False,
        help_text=gettext_lazy("Else the process goes on at once."),
    )
    within = SpanField(label=gettext_lazy("But not longer than"), required=False)

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        return {
            "endpoint": str(raw.get("endpoint", "")),
            "tells": raw.get("tells", ["order"]),
            "waits": raw.get("within") is not None,
            "within": raw.get("within", ""),
        }

    def build(self) -> None:
        """Offer the addresses of the shop."""
        super().build()
        known = WebhookEndpoint.objects.filter(shop=self.around.shop).defer("secret").order_by("name")
        choices = [(str(one.pk), one.name) for one in known]
        before = self.raw_before.get("endpoint")
        if before and str(before) not in dict(choices):
            choices.append((str(before), _("a program that is not there (%(number)s)") % {"number": before}))
        field = self.fields["endpoint"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose…")), *choices]

    def offers_more(self) -> bool:
        """Leave the way of what is not taken to the tick."""
        return self.raw_before.get("within") is not None

    def words_without(self) -> str:
        """Return what happens without a way for what is not taken."""
        return _("the process does not wait")

    def clean(self) -> dict[str, Any]:
        """Ask for the time of waiting."""
        cleaned = super().clean() or {}
        if cleaned.get("waits") and not cleaned.get("within"):
            self.add_error("within", _("Say how long it is waited for."))
        return cleaned

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the call."""
        typed, before = self.cleaned_data, self.raw_before.get("within")
        raw: dict[str, Any] = {"endpoint": int(typed["endpoint"]), "tells": typed["tells"]}
        if typed["waits"]:
            raw["within"] = before if before and "within" not in self.changed_data else typed["within"]
        return raw

    def ways(self) -> dict[str, str | None]:
        """Let the way of what is not taken come and go with the tick."""
        found = super().ways()
        if not self.cleaned_data["waits"]:
            return {**found, "failed": None}
        return {"failed": "", **{port: target for port, target in found.items() if target is not None}}

    def own_parts(self) -> list[Part]:
        """Return who is told what, and whether it is waited for."""
        return [
            Part("", [self.line("endpoint"), self.line("tells")]),
            Part(_("And then"), [self.line("waits"), self.line("within", css="when-waits")]),
        ]
