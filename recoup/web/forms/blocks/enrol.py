"""Enrol: another process that the person goes through as well."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import process_choices


class EnrolForm(BlockForm):
    """Another process."""

    kind = "enrol"
    help = gettext_lazy(
        "The person goes on here and begins there at once, whatever that process begins with. How often it lets somebody "
        "in, and its exclusive group, count all the same; the history says who was not let in."
    )

    process = forms.ChoiceField(
        label=gettext_lazy("Which process"), error_messages={"required": gettext_lazy("Choose a process.")}
    )

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        return {"process": str(raw.get("process", ""))}

    def build(self) -> None:
        """Offer the other processes."""
        super().build()
        around = self.around
        others = process_choices(around.shop, around.doc["name"], self.raw_before.get("process"))
        field = self.fields["process"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("Choose…")), *others]

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the process."""
        return {"process": int(self.cleaned_data["process"])}

    def own_parts(self) -> list[Part]:
        """Return the process."""
        return [Part("", [self.line("process")])]
