"""The form of a segment: its name, and whom or what it holds."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.editing import Raw
from recoup.web.forms.blocks.base import Part
from recoup.web.forms.blocks.conditions import ConditionForm


class SegmentForm(ConditionForm):
    """A named condition. `raw` has `name`, `about` and `condition`."""

    needed = ("name",)
    takes_segments = False
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        error_messages={"required": gettext_lazy("Give it a name.")},
    )

    def read(self, raw: Raw) -> dict[str, Any]:
        """Return the name."""
        return {"name": raw.get("name", "")}

    def condition_before(self) -> Raw | None:
        """Return the condition."""
        found: Raw | None = self.raw_before.get("condition")
        return found

    def condition_subject(self) -> int:
        """Return what the segment is about."""
        return int(self.raw_before["about"])

    def parts(self) -> list[Part]:
        """Return the name and the questions."""
        return [Part("", [self.line("name")]), self.condition_part(_("Who or what belongs to it"))]
