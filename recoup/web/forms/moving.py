"""The form that says what becomes of those inside when a process gets a new version."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.processes.moving.plan import Choice, Plan, also_blocks, also_of, to_block

_FIELD, _ALSO = "at_", "also_"


def initial_of(plan: Plan) -> dict[str, Any]:
    """Return what a form shows for a plan that was chosen before."""
    if not plan.moves_somebody:
        return {}
    found: dict[str, Any] = {"how": "move", "due": "recompute" if plan.recomputes else "keep"}
    for name, choice in plan.choices.items():
        also = also_of(choice)
        found[_FIELD + name] = Choice.SAME.value if also else choice
        found |= {_ALSO + one: True for one in also}
    return found


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
        passed: Mapping[str, Sequence[str]] | None = None,
        is_moving: bool = False,
        **kwargs: Any,
    ) -> None:
        """Take the titles of the blocks at which people stand, and those of the blocks of the new version.

        `passed` names for each block the added ones whose place those who stand there have passed.
        """
        super().__init__(*args, **kwargs)
        self._blocks = tuple(blocks)
        self._passed = passed or {}
        if is_moving:
            del self.fields["how"]
        for name in dict.fromkeys(one for added in self._passed.values() for one in added):
            self.fields[_ALSO + name] = forms.BooleanField(
                label=_("also for those who passed: %(step)s") % {"step": targets.get(name, name)},
                required=False,
                widget=forms.CheckboxInput(attrs={"class": "checkbox checkbox-sm"}),
            )
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

    def also(self) -> Sequence[forms.BoundField]:
        """Return the fields of the added blocks."""
        return [self[name] for name in self.fields if name.startswith(_ALSO)]

    def clean(self) -> dict[str, Any]:
        """See that nobody is to do an added step and stay on a version that has not got it."""
        told: dict[str, Any] = super().clean() or {}
        if told.get("how") == "stay" and any(told.get(field.name) for field in self.also()):
            self.add_error("how", _("Whoever also does an added step has to be moved to the new version."))
        return told

    def plan(self, defaults: Mapping[str, str]) -> Plan:
        """Return what was chosen; `defaults` is for blocks that nobody stood at when the page was made."""
        told = self.cleaned_data
        if told.get("how", "move") != "move":
            return Plan()
        chosen = {**defaults}
        chosen |= {name: told[_FIELD + name] for name in self._blocks if told.get(_FIELD + name)}
        for name, added in self._passed.items():
            asked = [one for one in added if told.get(_ALSO + one)]
            if asked and chosen.get(name) == Choice.SAME:
                chosen[name] = also_blocks(asked)
        return Plan(chosen, recomputes=told["due"] == "recompute")
