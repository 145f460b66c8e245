"""The name of a process."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from recoup.processes.graph.editing import Raw
from recoup.web.forms.blocks.base import GrowingForm, Part


class NameForm(GrowingForm):
    """What the process is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("For you and your colleagues; customers never see it."),
    )

    def read(self, raw: Raw) -> dict[str, Any]:
        """Return the name of a document."""
        return {"name": raw["name"]}

    def parts(self) -> list[Part]:
        """Return the name."""
        return [Part("", [self.line("name")])]
