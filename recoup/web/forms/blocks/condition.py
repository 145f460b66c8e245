"""If: a question about what is known now."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.editing import Raw
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.conditions import ConditionForm


class IfForm(ConditionForm, BlockForm):
    """A fork that does not wait."""

    kind = "if"
    needed = ("match", "new_fact")
    help = gettext_lazy("Looks once, at the moment somebody comes here, and does not wait.")

    def condition_before(self) -> Raw | None:
        """Return the condition of the block."""
        found: Raw | None = self.raw_before.get("if")
        return found

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the condition."""
        condition = self.condition_to_raw()
        return {"if": condition, **self.segment_to_raw(condition)}

    def own_parts(self) -> list[Part]:
        """Return the builder."""
        return [self.condition_part(_("What is asked"))]
