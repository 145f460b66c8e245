"""What the form of every block has: the merchant's own name for it, its ways, and fields that grow with what is typed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.nodes.base import LONGEST_NOTE
from recoup.processes.graph.editing import NEW_END, Raw, port_names, ports_of
from recoup.processes.graph.entries import subject_of
from recoup.shops.models import Shop
from recoup.web.forms.blocks.fields import ProductsField
from recoup.web.parts import Words
from recoup.web.words.steps import word

NO_WAY = "-"


@dataclass(frozen=True, slots=True)
class Around:
    """What a form may look at. `titles` are the blocks in reading order, `texts` the texts that fit the process.

    `ready` are those that come with the product and that the shop has not taken yet; choosing one takes it.
    """

    shop: Shop
    doc: Raw
    name: str = ""  # of the block; empty for one that is still to be put in
    titles: Mapping[str, str] = field(default_factory=dict)
    texts: Sequence[tuple[str, str]] = ()
    ready: Sequence[tuple[str, str]] = ()

    @property
    def subject(self) -> SubjectKind:
        """Return what the process is about."""
        return subject_of(self.doc["entry"])


@dataclass(frozen=True, slots=True)
class Line:
    """Fields side by side. `css` shows them only where they matter."""

    fields: Sequence[forms.BoundField]
    css: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the form with its title."""

    title: Words
    lines: Sequence[Line]
    help: Words = ""
    is_closed: bool = False
    css: str = ""
    notes: Sequence[Words] = ()  # sentences under the title
    again: Words = ""  # a button that shows the form once more as typed, with everything reckoned anew


class GrowingForm(forms.Form):
    """A form whose fields depend on what stands in it.

    With `again` it is shown once more as typed, without errors: something was searched for or a row was asked for.
    """

    needed: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, data: QueryDict | None = None, *, raw: Raw, around: Around, again: bool = False
    ) -> None:
        super().__init__(data, auto_id="id_%s")
        self.raw_before, self.around, self.is_again = raw, around, again
        self.typed = data if data is not None else QueryDict()
        self.initial = self.read(raw)
        self.build()
        for name, one in self.fields.items():
            one.is_needed = self.is_needed(name)  # type: ignore[attr-defined]  # no "(optional)" beside it
            if isinstance(one, ProductsField):
                chosen = self.typed.getlist(name) if data is not None else self.initial.get(name) or ()
                one.offer(around.shop, chosen, self.typed.get(f"{name}_q", "").strip()[:100])
        if again and data is not None:
            typed = {
                name: one.widget.value_from_datadict(data, {}, name) for name, one in self.fields.items()
            }
            self.initial = typed | self.grown()
            self.is_bound, self.data = False, MultiValueDict()

    def read(self, raw: Raw) -> dict[str, Any]:  # noqa: ARG002 - forms with fields of their own answer
        """Return what the fields hold for a document."""
        return {}

    def build(self) -> None:
        """Add the fields that depend on the document or on what is typed."""

    def is_needed(self, name: str) -> bool:
        """Tell whether a field that may be empty elsewhere has to be filled in where it is shown."""
        return name in self.needed or name.startswith("to_")

    def grown(self) -> dict[str, Any]:
        """Return what rows that were just asked for begin with."""
        return {}

    def to_raw(self) -> Raw:
        """Return the document for what was typed."""
        raise NotImplementedError

    def parts(self) -> list[Part]:
        """Return the fields in their order."""
        raise NotImplementedError

    def line(self, *names: str, css: str = "") -> Line:
        """Return fields side by side."""
        return Line([self[name] for name in names], css)


class BlockForm(GrowingForm):
    """The form of a kind of block."""

    kind: ClassVar[str]
    help: ClassVar[Words] = ""

    label = forms.CharField(
        label=gettext_lazy("Name of this step"),
        max_length=80,
        required=False,
        help_text=gettext_lazy("Shown instead of our words, for you and your colleagues only."),
    )

    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "What your colleagues should know about this step. It changes nothing of what happens."
        ),
    )

    def build(self) -> None:
        """Offer where the ways lead, for a block that stands in the process already."""
        self.initial["label"] = self.raw_before.get("label", "")
        self.initial["note"] = self.raw_before.get("note", "")
        if not self.around.name:
            return
        wired = ports_of(self.raw_before)
        ends = [(NEW_END, _("an end of its own"))]
        blocks = [(name, title) for name, title in self.around.titles.items() if name != self.around.name]
        for port, is_required in port_names(self.raw_before):
            if not is_required and not self.offers_more():
                continue
            off = [] if is_required else [(NO_WAY, self.words_without())]
            self.fields[f"to_{port}"] = forms.ChoiceField(
                label=self.way_label(port), choices=[*off, *blocks, *ends], required=False
            )
            self.initial[f"to_{port}"] = wired.get(port, NEW_END if is_required else NO_WAY)

    def offers_more(self) -> bool:
        """Tell whether an optional way may be set by hand."""
        return True

    def words_without(self) -> str:
        """Return what happens where an optional way is not used."""
        return _("the same way as otherwise")

    def way_label(self, port: str) -> str:
        """Return the name of a way."""
        name = word(f"process.port.{port}")
        return _("%(way)s: goes on with") % {"way": name[:1].upper() + name[1:]}

    def to_raw(self) -> Raw:
        """Return the block."""
        words = {name: self.cleaned_data[name].strip().replace("\r\n", "\n") for name in ("label", "note")}
        return {
            "t": self.kind,
            **{name: text for name, text in words.items() if text},
            **self.fields_to_raw(),
        }

    def fields_to_raw(self) -> Raw:
        """Return what is this kind's own."""
        return {}

    def ways(self) -> dict[str, str | None]:
        """Return where the ways shall lead; `None` takes one off."""
        found: dict[str, str | None] = {}
        for name in self.fields:
            if name.startswith("to_"):
                target = self.cleaned_data[name]
                found[name.removeprefix("to_")] = None if target == NO_WAY else target
        return found

    def ways_before(self, follows: str) -> dict[str, str | None]:  # noqa: ARG002 - kinds with an optional way answer
        """Return where the ways of a new block shall lead that is put before a block of the kind `follows`."""
        return self.ways()

    def own_parts(self) -> list[Part]:
        """Return the parts of this kind."""
        return []

    def parts(self) -> list[Part]:
        """Return the parts of this kind, its name, and where it leads."""
        ways = [self.line(name) for name in self.fields if name.startswith("to_")]
        found = [*self.own_parts(), Part("", [self.line("label"), self.line("note")])]
        if ways:
            help_text = _("Steps that nothing leads to any more are taken out; Undo brings them back.")
            found.append(Part(_("Where it leads"), ways, help_text, is_closed=True))
        return found
