"""Forms that make a process: from nothing, from a ready one, or from a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.reading import MOST_CHARACTERS
from recoup.web.parts import Words


class NewProcessForm(forms.Form):
    """What to begin with, and a name; a ready process brings one along."""

    start = forms.ChoiceField(label=gettext_lazy("Begin with"), widget=forms.RadioSelect)
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        help_text=gettext_lazy(
            "For you and your colleagues; customers never see it. Left empty, a ready process keeps its own name."
        ),
    )

    def __init__(self, *args: Any, starts: Sequence[tuple[str, Words]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["start"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = starts
        field.initial = starts[0][0]


FROM_FILE = "."  # no key of a text: take the one that came with the file


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that a file names and that has to be found here. The first choice is what most people want."""

    kind: str  # "text" or "product"
    name: str
    choices: Sequence[tuple[str, Words]]
    called: Words = ""


class ProcessFileForm(forms.Form):
    """A file that was exported."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("A process that was exported from Recoup, as one JSON file of at most 1 MB."),
    )

    def clean_file(self) -> bytes:
        """Read a file of a size that a process can have."""
        file = self.cleaned_data["file"]
        if file.size > MOST_CHARACTERS:
            raise forms.ValidationError(_("The file is too large for a process."))
        content: bytes = file.read()
        return content


class MappingForm(forms.Form):
    """What the texts and products of a file are called in this shop, and which of its texts are taken from it."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    content = forms.CharField(widget=forms.HiddenInput, max_length=MOST_CHARACTERS)

    def __init__(self, *args: Any, asked: Sequence[Asked], is_confirmed: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = {
            f"{kind}{number}": one
            for kind in ("text", "product")
            for number, one in enumerate(one for one in asked if one.kind == kind)
        }
        for key, one in self.asked.items():
            label = _("Text “%(name)s”") if one.kind == "text" else _("Product “%(name)s”")
            self.fields[key] = forms.ChoiceField(
                label=label % {"name": one.called or one.name},
                choices=one.choices,
                initial=one.choices[0][0],
                required=False,
            )
        if not is_confirmed:
            self.fields["anyway"] = forms.BooleanField(
                label=_("Take it in although not all of its examples hold"),
                error_messages={
                    "required": _("Look at the examples above, then tick this if you still want it.")
                },
            )

    def mapped(self, kind: str) -> dict[str, str]:
        """Return which of the shop's own texts or products was chosen for those of the file."""
        return {
            one.name: self.cleaned_data[key]
            for key, one in self.asked.items()
            if one.kind == kind and self.cleaned_data[key] not in ("", FROM_FILE)
        }

    def taken(self) -> dict[str, str]:
        """Return the texts that are to be made from the file: their names there, and the fields that ask for them."""
        return {one.name: key for key, one in self.asked.items() if self.cleaned_data[key] == FROM_FILE}
