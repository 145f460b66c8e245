"""Goal and end: where a way is over."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from recoup.processes.engine.happenings import SUBJECT_EVENTS
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.words import blocks as block_words


class GoalForm(BlockForm):
    """An end that counts as a goal."""

    kind = "goal"

    on = forms.ChoiceField(label=gettext_lazy("What was reached"))

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        return {"on": raw.get("on", "")}

    def build(self) -> None:
        """Offer the goals of this process."""
        super().build()
        subject, before = self.around.subject, self.raw_before.get("on")
        field = self.fields["on"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (name, block_words.EVENTS[name])
            for name, one in SUBJECT_EVENTS.items()
            if subject in one.subjects or name == before
        ]

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the goal."""
        return {"on": self.cleaned_data["on"]}

    def own_parts(self) -> list[Part]:
        """Return the goal."""
        return [Part("", [self.line("on")])]


class EndForm(BlockForm):
    """The end of a way."""

    kind = "end"
