"""Who enters a process, how often, and what ends it wherever somebody stands."""

from typing import Any, get_args

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.engine.codes import Code, SubjectKind
from recoup.processes.engine.happenings import SUBJECT_EVENTS
from recoup.processes.graph.document import EndName
from recoup.processes.graph.editing import Raw
from recoup.processes.graph.entries import ENTRIES, subject_of
from recoup.shops.snapshots import FailureClass
from recoup.web.forms.blocks.base import GrowingForm, Part
from recoup.web.forms.blocks.conditions import ConditionForm
from recoup.web.forms.blocks.fields import ProductsField, SpanField, process_choices
from recoup.web.forms.blocks.tag import TagsField
from recoup.web.words import blocks as block_words
from recoup.web.words import payments
from recoup.web.words.steps import word

_PRODUCTS = {SubjectKind.ORDER: "order.products", SubjectKind.CART: "cart.products"}


class EntryForm(ConditionForm):
    """The way in."""

    needs_condition = False
    needed = ("match", "again_after", "tags", "process")

    on = forms.ChoiceField(label=gettext_lazy("It begins when"))
    about = forms.ChoiceField(
        label=gettext_lazy("What it is about"),
        choices=[
            ("contact", gettext_lazy("a person")),
            ("order", gettext_lazy("an order")),
            ("cart", gettext_lazy("a cart")),
        ],
        required=False,
        help_text=gettext_lazy(
            "Of a person alone no sum and no goods are known, and nothing is paid: such a process reminds of nothing."
        ),
    )
    tags = TagsField(
        label=gettext_lazy("Which tags"),
        help_text=gettext_lazy("Any one of them lets somebody in. Several are parted by commas."),
    )
    failures = forms.MultipleChoiceField(
        label=gettext_lazy("Which causes"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "None chosen is every cause. What the bank does not tell counts as not known."
        ),
    )
    process = forms.ChoiceField(label=gettext_lazy("Which process"), required=False)
    outcomes = forms.MultipleChoiceField(
        label=gettext_lazy("How it ended"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen is every end but being stopped."),
    )
    products = ProductsField(
        label=gettext_lazy("Only with any of these products"),
        help_text=gettext_lazy(
            "None chosen is every order. Somebody enters once for an order, however many of them it has."
        ),
    )
    goes_on = forms.BooleanField(
        label=gettext_lazy("Go on when the product is taken out of the order"),
        required=False,
        help_text=gettext_lazy(
            "Else the process ends for an order that no longer holds any product for which it was let in."
        ),
    )
    reentry = forms.ChoiceField(
        label=gettext_lazy("How often one person may enter"),
        choices=[
            ("per_subject", gettext_lazy("once for each order or cart")),
            ("once_per_contact", gettext_lazy("once in a lifetime")),
            ("one_at_a_time", gettext_lazy("again and again, but never twice at once")),
            ("every_event", gettext_lazy("every time, also twice at once")),
            ("again_after", gettext_lazy("again some time after the last one has ended")),
        ],
    )
    again_after = SpanField(label=gettext_lazy("Again after"), required=False)
    anchor = forms.ChoiceField(
        label=gettext_lazy("The first wait counts from"),
        help_text=gettext_lazy("Whoever enters late does not wait the whole time once more."),
    )
    group = forms.CharField(
        label=gettext_lazy("Exclusive group"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("Of all processes that name the same group, a person is in one at a time."),
    )

    def read(self, raw: Raw) -> dict[str, Any]:
        """Return the fields for an entry."""
        products, self.condition = _parted(raw)
        return {
            "on": raw["on"],
            "about": raw.get("about", "contact"),
            "tags": list(raw.get("tags", [])),
            "failures": raw.get("failures", []),
            "process": str(raw.get("process", "")),
            "outcomes": raw.get("outcomes", []),
            "products": products,
            "goes_on": raw.get("swapped") == "go_on",
            "reentry": raw.get("reentry", "per_subject"),
            "again_after": raw.get("again_after", ""),
            "anchor": raw.get("anchor", "entered"),
            "group": raw.get("group", ""),
        }

    def condition_before(self) -> Raw | None:
        """Return the condition beside the products."""
        return self.condition

    def build(self) -> None:
        """Offer the beginnings and what the hours may count from."""
        super().build()
        anchors = [("entered", _("the moment of entering"))]
        if self.around.subject is SubjectKind.ORDER:
            anchors.append(("placed_at", _("the placing of the order")))
        elif self.around.subject is SubjectKind.CART:
            anchors.append(("last_activity_at", _("the last change of the cart")))
        before = self.raw_before.get("anchor", "entered")
        if before not in dict(anchors):
            anchors.append((before, _("something that this process does not have")))
        others = process_choices(self.around.shop, self.around.doc["name"], self.raw_before.get("process"))
        for name, choices in (
            ("process", [("", _("Choose…")), *others]),
            ("failures", [(str(code), payments.failure(code)) for code in FailureClass]),
            ("outcomes", [(name, word(Code[name.upper()].word)) for name in get_args(EndName)]),
            ("on", [(name, word(f"process.entry.{name}")) for name in ENTRIES]),
            ("anchor", anchors),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField | forms.MultipleChoiceField)
            field.choices = choices

    def clean(self) -> dict[str, Any]:
        """Ask for the time after which somebody may enter again."""
        cleaned = super().clean()
        cleaned["about"] = cleaned.get("about") or "contact"
        if cleaned.get("on") == "tag.set" and not cleaned.get("tags") and "tags" not in self.errors:
            self.add_error("tags", _("Say which tag lets somebody in."))
        if cleaned.get("on") == "process.ended" and not cleaned.get("process"):
            self.add_error("process", _("Choose a process."))
        if cleaned.get("reentry") == "again_after" and not cleaned.get("again_after"):
            self.add_error("again_after", _("Say after what time."))
        return cleaned

    def to_raw(self) -> Raw:
        """Return the entry. Facts of orders do not exist for carts: another beginning drops what does not fit it."""
        typed = self.cleaned_data
        raw: Raw = {"on": typed["on"], "reentry": typed["reentry"], "anchor": typed["anchor"]}
        if len(ENTRIES[typed["on"]].subjects) > 1 and typed["about"] != "contact":
            raw["about"] = typed["about"]
        if typed["on"] == "tag.set":
            raw["tags"] = typed["tags"]
        if typed["on"] == "payment.failed" and typed["failures"]:
            raw["failures"] = typed["failures"]
        if typed["on"] == "process.ended":
            raw["process"] = int(typed["process"])
            if typed["outcomes"]:
                raw["outcomes"] = typed["outcomes"]
        subject = subject_of(raw)
        if typed["goes_on"] and subject is SubjectKind.ORDER:
            raw["swapped"] = "go_on"
        parts: list[Raw] = []
        if typed["products"] and subject in _PRODUCTS:
            parts.append({"f": _PRODUCTS[subject], "op": "has_any", "v": typed["products"]})
        condition = self.condition_to_raw()
        named = self.segment_to_raw(condition) if subject is self.around.subject else {}
        if condition is not None:
            is_merged = bool(parts) and "all" in condition and not named
            parts.extend(condition["all"] if is_merged else [condition])
        if parts:
            is_alone = len(parts) == 1 and not (named and _looks_parted(parts[0]))
            raw["if"] = parts[0] if is_alone else {"all": parts}
        raw |= named
        if subject is not self.around.subject and typed["anchor"] != "entered":
            anchors = {SubjectKind.ORDER: "placed_at", SubjectKind.CART: "last_activity_at"}
            raw["anchor"] = anchors.get(subject, "entered")
        if typed["reentry"] == "again_after":
            before = self.raw_before.get("again_after")
            is_kept = before and "again_after" not in self.changed_data
            raw["again_after"] = before if is_kept else typed["again_after"]
        return raw | ({"group": typed["group"].strip()} if typed["group"].strip() else {})

    def parts(self) -> list[Part]:
        """Return who enters, how often, and the rest."""
        first = [
            self.line("on"),
            self.line("about", css="when-open"),
            self.line("tags", css="when-tags"),
            self.line("failures", css="when-failed"),
            self.line("process", css="when-ended"),
            self.line("outcomes", css="when-ended"),
            self.line("products", css="when-goods"),
            self.line("goes_on", css="when-order"),
        ]
        rare = [self.line("anchor"), self.line("group")]
        return [
            Part("", first),
            self.condition_part(_("Only if"), _("Without a question, everybody enters.")),
            Part(_("How often"), [self.line("reentry"), self.line("again_after", css="when-again")]),
            Part(_("Time and order"), rare),
        ]


def _parted(entry: Raw) -> tuple[list[str], Raw | None]:
    """Take the products out of a condition: the first question whether any of them was ordered."""
    condition, fact = entry.get("if"), _PRODUCTS.get(subject_of(entry))
    parts = condition["all"] if condition and "all" in condition else [condition] if condition else []
    if condition and entry.get("segment"):  # the condition of a segment stands as one part, whatever it asks
        if not _looks_parted(condition):
            return [], condition
        return list(parts[0]["v"]) if len(parts) == 2 else [], parts[-1]
    chosen = next((one for one in parts if one.get("f") == fact and one.get("op") == "has_any"), None)
    if chosen is None:
        return [], condition
    rest = [one for one in parts if one is not chosen]
    return list(chosen["v"]), rest[0] if len(rest) == 1 else {"all": rest} if rest else None


def _looks_parted(condition: Raw) -> bool:
    """Tell whether a condition stands as products with another condition beside them, or as another condition alone."""
    parts = condition.get("all", [])
    return len(parts) == 1 or (
        len(parts) == 2 and parts[0].get("f") in _PRODUCTS.values() and parts[0].get("op") == "has_any"
    )


class GoalsForm(GrowingForm):
    """What ends the process for somebody, wherever they stand."""

    goals = forms.MultipleChoiceField(
        label=gettext_lazy("It ends at once when"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("A process that reminds of a payment must end when it is paid."),
    )

    def read(self, raw: Raw) -> dict[str, Any]:
        """Return the goals of a document."""
        return {"goals": [goal["on"] for goal in raw.get("goals", [])]}

    def build(self) -> None:
        """Offer the goals of this process, and those that do not fit but stand in it."""
        subject = self.around.subject
        field = self.fields["goals"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [
            (name, block_words.EVENTS[name])
            for name, one in SUBJECT_EVENTS.items()
            if subject in one.subjects or name in self.initial["goals"]
        ]

    def parts(self) -> list[Part]:
        """Return the goals."""
        return [Part("", [self.line("goals")])]
