"""Forms that make a process: from nothing, from a ready one, or from a file."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.reading import MOST_CHARACTERS
from recoup.web.parts import Words


class NewProcessForm(forms.Form):
    """A name, and what to begin with."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("For you and your colleagues; customers never see it."),
    )
    start = forms.ChoiceField(label=gettext_lazy("Begin with"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, starts: Sequence[tuple[str, Words]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["start"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = starts
        field.initial = starts[0][0]


class ProcessFileForm(forms.Form):
    """A file that was exported."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy(
            "A process that was exported from Recoup, as one JSON file of at most 256 KB."
        ),
    )

    def clean_file(self) -> bytes:
        """Read a file of a size that a process can have."""
        file = self.cleaned_data["file"]
        if file.size > MOST_CHARACTERS:
            raise forms.ValidationError(_("The file is too large for a process."))
        content: bytes = file.read()
        return content


class MappingForm(forms.Form):
    """What the texts and products of a file are called in this shop."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    content = forms.CharField(widget=forms.HiddenInput, max_length=MOST_CHARACTERS)

    def __init__(
        self,
        *args: Any,
        texts: Sequence[str],
        products: Sequence[str],
        own: Mapping[str, Sequence[tuple[str, Words]]],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.asked: dict[str, tuple[str, str]] = {}
        for kind, names, label in (
            ("text", texts, _("Text “%(name)s”")),
            ("product", products, _("Product “%(name)s”")),
        ):
            for number, one in enumerate(names):
                key = f"{kind}{number}"
                self.asked[key] = (kind, one)
                self.fields[key] = forms.ChoiceField(
                    label=label % {"name": one},
                    choices=[("", _("keep it as it is, and settle it later")), *own[kind]],
                    required=False,
                )

    def mapped(self, kind: str) -> dict[str, str]:
        """Return what was chosen for the texts or the products."""
        return {
            name: self.cleaned_data[key]
            for key, (of, name) in self.asked.items()
            if of == kind and self.cleaned_data[key]
        }
