"""Split: ways that are tried against each other."""

from string import ascii_lowercase
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.engine.nodes.split import MOST_ARMS
from recoup.web.forms.blocks.base import BlockForm, Part

_NEW = [{"id": "a", "w": 50}, {"id": "b", "w": 50}]


class SplitForm(BlockForm):
    """Two or more ways, each with its share."""

    kind = "split"
    help = gettext_lazy("Each person is given one of the ways by chance, and the same one every time.")

    def build(self) -> None:
        """Add a row for each way."""
        self.arms: list[dict[str, Any]] = self.raw_before.get("arms", _NEW)
        super().build()
        ids = [arm["id"] for arm in self.arms]
        if self.is_bound:
            ids = [name for name in self.typed.getlist("arm") if name.isalnum() and len(name) < 9][:MOST_ARMS]
        self.is_grown = self.is_bound and "more" in self.typed and len(ids) < MOST_ARMS
        if self.is_grown:
            used = {*ids, *(arm["id"] for arm in self.arms)}
            ids.append(next(letter for letter in ascii_lowercase if letter not in used))
        self.ids = list(dict.fromkeys(ids))
        before = {arm["id"]: arm for arm in self.arms}
        for number, name in enumerate(self.ids, 1):
            arm = before.get(name, {"w": 50})
            self.fields[f"name_{name}"] = forms.CharField(
                label=_("Name of way %(number)d") % {"number": number},
                max_length=40,
                required=False,
                widget=forms.TextInput(attrs={"placeholder": name.upper()}),
            )
            self.fields[f"weight_{name}"] = forms.IntegerField(
                label=_("Weight"),
                min_value=1,
                max_value=100,
                help_text=_("Beside the weights of the others."),
            )
            self.fields[f"gone_{name}"] = forms.BooleanField(label=_("Leave this way out"), required=False)
            self.initial[f"name_{name}"] = arm.get("name", "")
            self.initial[f"weight_{name}"] = arm["w"]

    def grown(self) -> dict[str, Any]:
        """Return the weight of the way that was just asked for."""
        return {f"weight_{self.ids[-1]}": 50} if self.is_grown else {}

    def way_label(self, port: str) -> str:
        """Return the merchant's name of a way."""
        arm: dict[str, Any] = next((one for one in self.arms if one["id"] == port), {})
        return _("%(way)s: goes on with") % {"way": arm.get("name") or port.upper()}

    def _left(self) -> list[str]:
        return [name for name in self.ids if not self.cleaned_data.get(f"gone_{name}")]

    def clean(self) -> dict[str, Any]:
        """Ask for two ways at least."""
        cleaned = super().clean() or {}
        if len(self._left()) < 2:
            raise forms.ValidationError(_("There must be two ways at least. Take the step out instead."))
        return cleaned

    def fields_to_raw(self) -> dict[str, Any]:
        """Return the ways with their shares."""
        typed = self.cleaned_data
        return {
            "arms": [
                {"id": name, "w": typed[f"weight_{name}"], "name": typed[f"name_{name}"].strip()}
                for name in self._left()
            ]
        }

    def own_parts(self) -> list[Part]:
        """Return a row for each way."""
        lines = [self.line(f"name_{one}", f"weight_{one}", f"gone_{one}", css="arm-row") for one in self.ids]
        return [Part("", lines, css="arms" if len(self.ids) < MOST_ARMS else "")]
