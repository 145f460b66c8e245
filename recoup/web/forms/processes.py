"""Forms that make a process: from nothing, from a ready one, or from a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.reading import MOST_CHARACTERS
from recoup.processes.graph.replacing import Named
from recoup.shops.models import Shop
from recoup.web.forms.blocks.fields import ProductsField
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
_LABELS: dict[Named, Words] = {
    Named.TEXT: gettext_lazy("Text “%(name)s”"),
    Named.PRODUCT: gettext_lazy("Product “%(name)s”"),
    Named.PROCESS: gettext_lazy("Process “%(name)s”"),
    Named.PROGRAM: gettext_lazy("Other program “%(name)s”"),
    Named.PERSON: gettext_lazy("Colleague “%(name)s”"),
    Named.SOURCE: gettext_lazy("Source “%(name)s”"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Something that a file names and that has to be found here. `chosen` is what stands there before anybody chooses."""

    kind: Named
    name: str
    called: Words
    choices: Sequence[tuple[str, Words]] = ()  # products are searched for instead
    chosen: str = ""


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


class OneProductField(ProductsField):
    """One product, searched for and ticked, or none."""

    def clean(self, value: Any) -> str:
        """Return the reference of the product that is ticked; nothing without one."""
        ticked = super().clean(value)
        if len(ticked) > 1:
            raise forms.ValidationError(_("Tick one of them."))
        return str(ticked[0]) if ticked else ""


class MappingForm(forms.Form):
    """What this shop calls what a file names, and which of the texts are taken from it.

    With `again` it is shown once more as typed, without errors: a product was searched for.
    """

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    content = forms.CharField(widget=forms.HiddenInput, max_length=MOST_CHARACTERS)

    def __init__(
        self,
        data: QueryDict | None,
        *,
        shop: Shop,
        asked: Sequence[Asked],
        initial: dict[str, Any],
        is_confirmed: bool = True,
        again: bool = False,
    ) -> None:
        super().__init__(data, initial=initial)
        self.asked = {
            f"{kind}{number}": one
            for kind in Named
            for number, one in enumerate(one for one in asked if one.kind is kind)
        }
        for key, one in self.asked.items():
            self.fields[key] = self._field(shop, key, one, data)
        if not is_confirmed:
            self.fields["anyway"] = forms.BooleanField(
                label=_("Take it in although not all of its examples hold"),
                error_messages={
                    "required": _("Look at the examples above, then tick this if you still want it.")
                },
            )
        if again and data is not None:
            for key, field in self.fields.items():
                self.initial[key] = field.widget.value_from_datadict(data, {}, key)
            self.is_bound, self.data = False, MultiValueDict()

    def _field(self, shop: Shop, key: str, one: Asked, data: QueryDict | None) -> forms.Field:
        label = _LABELS[one.kind] % {"name": one.called}
        if one.kind is not Named.PRODUCT:
            return forms.ChoiceField(label=label, choices=one.choices, initial=one.chosen, required=False)
        field = OneProductField(
            label=label,
            initial=[one.chosen] if one.chosen else [],
            help_text=_(
                "Search for the one of yours and tick it. With none ticked it is left open, and the editor marks where."
            ),
        )
        typed = QueryDict() if data is None else data
        chosen = field.initial if data is None else typed.getlist(key)
        field.offer(shop, chosen, typed.get(f"{key}_q", "").strip()[:100])
        return field

    def mapped(self, kind: Named) -> dict[str, str]:
        """Return what was chosen of the shop's own for what the file names; what is left open is left out."""
        return {
            one.name: self.cleaned_data[key]
            for key, one in self.asked.items()
            if one.kind is kind and self.cleaned_data[key] not in ("", FROM_FILE)
        }

    def taken(self) -> dict[str, str]:
        """Return the texts that are to be made from the file: their names there, and the fields that ask for them."""
        return {
            one.name: key
            for key, one in self.asked.items()
            if one.kind is Named.TEXT and self.cleaned_data[key] == FROM_FILE
        }
