"""The form that says what becomes of those inside when a process gets a new version."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.processes.moving.plan import Choice, Plan, to_block

_FIELD = "at_"


class MovingForm(forms.Form):
    """Whether people are moved, where to from each block, and what becomes of their instants."""

    how = forms.ChoiceField(
        label=_("People who are inside now"),
        choices=[
            ("stay", _("stay on their version until they have finished")),
            ("move", _("are moved to the new version")),
        ],
        initial="stay",
        widget=forms.RadioSelect,
    )
    due = forms.ChoiceField(
        label=_("Waits that have begun"),
        choices=[
            ("keep", _("end when they were going to end")),
            ("recompute", _("are worked out again from when they began, so some may be over at once")),
        ],
        initial="keep",
        widget=forms.RadioSelect,
    )

    def __init__(
        self,
        *args: Any,
        blocks: Mapping[str, str],
        targets: Mapping[str, str],
        is_moving: bool = False,
        **kwargs: Any,
    ) -> None:
        """Take the titles of the blocks at which people stand, and those of the blocks of the new version."""
        super().__init__(*args, **kwargs)
        self._blocks = tuple(blocks)
        if is_moving:
            del self.fields["how"]
        others = [(to_block(name), _("to: %(step)s") % {"step": title}) for name, title in targets.items()]
        for name, title in blocks.items():
            same = [(Choice.SAME.value, _("to the same step"))] if name in targets else []
            self.fields[_FIELD + name] = forms.ChoiceField(
                label=title,
                choices=[
                    *same,
                    (Choice.STAY.value, _("stay on their version")),
                    (Choice.EXIT.value, _("end here, their planned messages called off")),
                    *[one for one in others if one[0] != to_block(name)],
                ],
                initial=(Choice.SAME if name in targets else Choice.STAY).value,
                required=False,
                widget=forms.Select(attrs={"class": "select"}),
            )

    def at_blocks(self) -> Sequence[forms.BoundField]:
        """Return the fields of the blocks."""
        return [self[_FIELD + name] for name in self._blocks]

    def plan(self, defaults: Mapping[str, str]) -> Plan:
        """Return what was chosen; `defaults` is for blocks that nobody stood at when the page was made."""
        told = self.cleaned_data
        if told.get("how", "move") != "move":
            return Plan()
        chosen = {
            name: told.get(_FIELD + name) or defaults.get(name, Choice.STAY.value) for name in self._blocks
        }
        return Plan({**defaults, **chosen}, recomputes=told["due"] == "recompute")
