"""The builder of conditions: a row for each fact, with the operators and values that fit it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.editing import Raw
from recoup.segments.field import FieldType
from recoup.segments.fields import FIELDS
from recoup.web.forms.blocks.base import GrowingForm, Line, Part
from recoup.web.forms.blocks.fields import ProductsField
from recoup.web.words import blocks as block_words
from recoup.web.words import nodes

MOST_ROWS = 20
_OFFERED = {
    FieldType.NUMBER: ("=", "!=", "<", "<=", ">", ">=", "is_set"),
    FieldType.TEXT: ("in", "!=", "is_set"),
    FieldType.YES_NO: ("=",),
    FieldType.LIST: ("has_any", "has_all"),
}
_YES_NO = [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]
_SEVERAL = gettext_lazy("Several are parted by commas.")


class ConditionForm(GrowingForm):
    """A form with a condition in it. One that is nested deeper than rows can show is kept as it is."""

    match = forms.ChoiceField(
        label=gettext_lazy("When does it apply?"),
        choices=[
            ("all", gettext_lazy("when all of these are true")),
            ("any", gettext_lazy("when any of these is true")),
        ],
        required=False,
    )

    needs_condition = True

    def condition_before(self) -> Raw | None:
        """Return the condition that the rows are about."""
        raise NotImplementedError

    def build(self) -> None:
        """Add a row for each comparison, and one for what was just asked for."""
        super().build()
        condition = self.condition_before()
        flat = _flatten(condition)
        self.kept = condition if flat is None else None
        self.rows: dict[int, str] = {}  # the fact of each
        self.newest = -1
        if flat is None:
            return
        match, comparisons = flat
        self.initial["match"] = match
        if self.is_bound:
            self._rows_of_data()
        else:
            for number, comparison in enumerate(comparisons):
                self._add_row(number, comparison["f"])
                self.initial.update(_initial_of(number, comparison))
        facts = [
            (name, nodes.fact(name))
            for name, one in FIELDS.items()
            if self.around.subject in one.subjects and one.type in _OFFERED and not one.is_money
        ]
        self.fields["new_fact"] = forms.ChoiceField(
            label=_("Ask about something more") if self.rows else _("Ask about"),
            choices=[("", _("Choose…")), *facts],
            required=False,
        )

    def _rows_of_data(self) -> None:
        numbers = [number for number in range(2 * MOST_ROWS) if f"fact{number}" in self.typed]
        for number in numbers:
            name = self.typed[f"fact{number}"]
            if name in FIELDS and f"gone{number}" not in self.typed and len(self.rows) < MOST_ROWS:
                self._add_row(number, name)
        new = self.typed.get("new_fact", "")
        if new in FIELDS and len(self.rows) < MOST_ROWS:
            self.newest = max(numbers, default=-1) + 1
            self._add_row(self.newest, new)

    def _add_row(self, number: int, name: str) -> None:
        self.rows[number] = name
        fact, label = FIELDS[name], nodes.fact(name)
        self.fields[f"fact{number}"] = forms.CharField(widget=forms.HiddenInput)
        self.initial[f"fact{number}"] = name
        if fact.type is not FieldType.YES_NO:
            operators = [(code, block_words.OPERATORS[code]) for code in _OFFERED[fact.type]]
            self.fields[f"op{number}"] = forms.ChoiceField(label=label, choices=operators)
        self.fields[f"v{number}"] = _value_field(name)
        self.fields[f"gone{number}"] = forms.BooleanField(label=_("Leave this question out"), required=False)

    def is_needed(self, name: str) -> bool:
        """Let values stand without a word about being optional."""
        return super().is_needed(name) or (name[:1] == "v" and name[1:].isdecimal())

    def grown(self) -> dict[str, Any]:
        """Return what the row that was just asked for begins with."""
        if self.newest < 0:
            return {}
        name = self.rows[self.newest]
        return {
            f"fact{self.newest}": name,
            f"op{self.newest}": _OFFERED[FIELDS[name].type][0],
            "new_fact": "",
        }

    def condition_lines(self) -> list[Line]:
        """Return the rows as they are shown."""
        lines = []
        for number in self.rows:
            shown = [f"fact{number}", f"op{number}", f"v{number}", f"gone{number}"]
            lines.append(self.line(*(one for one in shown if one in self.fields), css="condition-row"))
        return lines

    def condition_part(self, title: str, help_text: str = "") -> Part:
        """Return the builder."""
        if self.kept is not None:
            return Part(title, [], _("This condition has parts within parts and is kept as it is."))
        more = [self.line("new_fact")] if len(self.rows) < MOST_ROWS else []
        several = [self.line("match")] if len(self.rows) > 1 else []
        return Part(title, [*several, *self.condition_lines(), *more], help_text, css="condition")

    def clean(self) -> dict[str, Any]:
        """Ask for the value of every row."""
        cleaned = super().clean() or {}
        self.comparisons = []
        for number, name in self.rows.items():
            if f"v{number}" not in self.errors:
                comparison = self._comparison(number, name, cleaned)
                if comparison is not None:
                    self.comparisons.append(comparison)
        if self.needs_condition and self.kept is None and not self.rows:
            self.add_error("new_fact", _("Choose what to ask about."))
        return cleaned

    def _comparison(self, number: int, name: str, cleaned: dict[str, Any]) -> Raw | None:
        operator, value = cleaned.get(f"op{number}", "="), cleaned.get(f"v{number}")
        if operator == "is_set":
            return {"f": name, "op": operator}
        found: Any = None
        match FIELDS[name].type:
            case FieldType.YES_NO:
                found = value == "yes"
            case FieldType.NUMBER if isinstance(value, Decimal):
                found = int(value) if value == int(value) else str(value)
            case FieldType.LIST:
                found = list(value or ()) or None
            case FieldType.TEXT:
                operator, found = _texts(operator, value or "")
        if found is None:
            self.add_error(f"v{number}", _("Say with what it is compared."))
        elif operator == "!=" and isinstance(found, list):
            self.add_error(f"v{number}", _("“is not” takes one value. Ask once for each."))
        else:
            return {"f": name, "op": operator, "v": found}
        return None

    def condition_to_raw(self) -> Raw | None:
        """Return the condition; nothing where there is none."""
        if self.kept is not None:
            return self.kept
        if len(self.comparisons) > 1:
            return {self.cleaned_data.get("match") or "all": self.comparisons}
        return self.comparisons[0] if self.comparisons else None


def _texts(operator: str, value: list[str] | str) -> tuple[str, list[str] | str | None]:
    """Return the operator and the one or several values that were typed."""
    values = [one.strip() for one in (value if isinstance(value, list) else value.split(","))]
    values = [one for one in values if one]
    if len(values) == 1:
        return ("=" if operator == "in" else operator), values[0]
    return operator, values or None


def _flatten(condition: Raw | None) -> tuple[str, list[Raw]] | None:
    """Return a condition as rows; nothing if rows cannot show it."""
    if condition is None:
        return "all", []
    match = next((key for key in ("all", "any") if key in condition), "")
    parts: list[Raw] = condition[match] if match else [condition]
    is_flat = all("f" in part and _is_shown(part) for part in parts) and len(parts) <= MOST_ROWS
    return (match or "all", parts) if is_flat else None


def _is_shown(comparison: Raw) -> bool:
    fact = FIELDS.get(comparison["f"])
    if fact is None:
        return False
    operator = "in" if fact.type is FieldType.TEXT and comparison["op"] == "=" else comparison["op"]
    is_narrowed = "within" in comparison or "currency" in comparison
    return operator in _OFFERED.get(fact.type, ()) and not is_narrowed


def _initial_of(number: int, comparison: Raw) -> dict[str, Any]:
    fact, value = FIELDS[comparison["f"]], comparison.get("v")
    operator = "in" if fact.type is FieldType.TEXT and comparison["op"] == "=" else comparison["op"]
    if fact.type is FieldType.YES_NO:
        value = "yes" if value else "no"
    elif fact.type is FieldType.TEXT:
        values = value if isinstance(value, list) else [value] if value is not None else []
        value = values if block_words.choices_of(fact.name) else ", ".join(map(str, values))
    return {f"fact{number}": fact.name, f"op{number}": operator, f"v{number}": value}


def _value_field(name: str) -> forms.Field:
    fact, label = FIELDS[name], _("%(fact)s: value") % {"fact": nodes.fact(name)}
    if fact.type is FieldType.NUMBER:
        return forms.DecimalField(label=label, required=False, max_digits=14)
    if fact.type is FieldType.YES_NO:
        return forms.ChoiceField(label=nodes.fact(name), choices=_YES_NO)
    if fact.type is FieldType.LIST:
        return ProductsField(label=_("Products"))
    choices = block_words.choices_of(name)
    if choices:
        return forms.MultipleChoiceField(
            label=label, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
        )
    return forms.CharField(label=label, required=False, max_length=400, help_text=_SEVERAL)
