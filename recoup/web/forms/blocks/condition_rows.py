"""One question of a condition as fields: which fit its fact, how they are filled in and read."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recoup.processes.graph.editing import Raw
from recoup.segments.field import Field, FieldType
from recoup.segments.fields import FIELDS
from recoup.segments.tree import SPANS
from recoup.shops.models import Shop, Source
from recoup.web.forms.blocks.fields import ProductsField, SpanField
from recoup.web.forms.blocks.tag import TagsField
from recoup.web.forms.decimals import DecimalField, stored_number
from recoup.web.words import blocks as block_words
from recoup.web.words import nodes

MATCHES = [
    ("all", gettext_lazy("when all of these are true")),
    ("any", gettext_lazy("when any of these is true")),
    ("not_any", gettext_lazy("when none of these is true")),
    ("not_all", gettext_lazy("when not all of these are true")),
]
OFFERED = {
    FieldType.NUMBER: ("=", "!=", "<", "<=", ">", ">=", "is_set"),
    FieldType.TEXT: ("in", "!=", "is_set"),
    FieldType.YES_NO: ("=",),
    FieldType.LIST: ("has_any", "has_all"),
    FieldType.INSTANT: ("within_last", "older_than", "before", "after", "is_set"),
}
_YES_NO = [("yes", gettext_lazy("yes")), ("no", gettext_lazy("no"))]
_SEVERAL = gettext_lazy("Several are parted by commas.")


def row_fields(path: str, name: str, label: str, shop: Shop) -> dict[str, forms.Field]:
    """Return the fields of a question."""
    fact = FIELDS[name]
    found: dict[str, forms.Field] = {
        f"fact{path}": forms.CharField(widget=forms.HiddenInput, initial=name, required=False)
    }
    if fact.type is not FieldType.YES_NO:
        operators = [(code, block_words.OPERATORS[code]) for code in OFFERED[fact.type]]
        found[f"op{path}"] = forms.ChoiceField(label=label, choices=operators, required=False)
    if fact.type is FieldType.INSTANT:
        found[f"n{path}"] = SpanField(label=_("%(fact)s: how long ago") % {"fact": label}, required=False)
        found[f"d{path}"] = forms.DateField(
            label=_("%(fact)s: day, for before and after") % {"fact": label},
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )
    else:
        found[f"v{path}"] = _value_field(fact, shop)
    if fact.is_timed:
        found[f"w{path}"] = SpanField(label=_("Only in the last"), required=False)
    if fact.is_money:
        found[f"cur{path}"] = forms.RegexField(
            r"^\s*[A-Za-z]{3}\s*$",
            label=_("Currency"),
            initial=shop.currency,
            required=False,
            error_messages={"invalid": _("Write the three letters of a currency, such as EUR.")},
        )
    found[f"gone{path}"] = forms.BooleanField(label=_("Leave this question out"), required=False)
    return found


def _value_field(fact: Field, shop: Shop) -> forms.Field:
    label = _("%(fact)s: value") % {"fact": nodes.fact(fact.name)}
    match fact.type:
        case FieldType.NUMBER:
            return DecimalField(label=label, required=False, max_digits=14)
        case FieldType.YES_NO:
            return forms.ChoiceField(label=nodes.fact(fact.name), choices=_YES_NO)
        case FieldType.LIST if fact.folds:
            return TagsField(label=_("Tags"), help_text=_SEVERAL)
        case FieldType.LIST:
            return ProductsField(label=_("Products"))
    choices = block_words.choices_of(fact.name)
    if fact.name.endswith(".source"):
        rows = Source.objects.filter(shop=shop).order_by("name", "id")
        choices = [(str(key), name) for key, name in rows.values_list("pk", "name")]
    if choices:
        return forms.MultipleChoiceField(
            label=label, choices=choices, required=False, widget=forms.CheckboxSelectMultiple
        )
    return forms.CharField(label=label, required=False, max_length=400, help_text=_SEVERAL)


def is_shown(raw: Raw) -> bool:
    """Tell whether fields can show a comparison."""
    fact = FIELDS.get(raw["f"])
    if fact is None:
        return False
    return _operator(fact, raw["op"]) in OFFERED[fact.type]


def _operator(fact: Field, operator: str) -> str:
    return "in" if fact.type is FieldType.TEXT and operator == "=" else operator


def initial_of(path: str, raw: Raw) -> dict[str, Any]:
    """Return what the fields hold for a comparison."""
    fact, value = FIELDS[raw["f"]], raw.get("v")
    found = {
        f"fact{path}": fact.name,
        f"op{path}": _operator(fact, raw["op"]),
        f"w{path}": raw.get("within", ""),
        f"cur{path}": raw.get("currency"),
    }
    match fact.type:
        case FieldType.INSTANT:
            found[f"n{path}" if raw["op"] in SPANS else f"d{path}"] = value
        case FieldType.YES_NO:
            found[f"v{path}"] = "yes" if value else "no"
        case FieldType.TEXT:
            values = value if isinstance(value, list) else [value] if value is not None else []
            is_chosen = bool(block_words.choices_of(fact.name)) or fact.name.endswith(".source")
            found[f"v{path}"] = values if is_chosen else ", ".join(map(str, values))
        case FieldType.NUMBER:
            found[f"v{path}"] = stored_number(value)
        case _:
            found[f"v{path}"] = value
    return {key: one for key, one in found.items() if one is not None}


def comparison_of(path: str, fact: Field, cleaned: dict[str, Any]) -> Raw | tuple[str, str]:
    """Return the comparison that was typed, or the field and the words of what is wrong with it."""
    operator = cleaned.get(f"op{path}") or OFFERED[fact.type][0]
    raw: Raw = {"f": fact.name, "op": operator}
    if cleaned.get(f"w{path}"):
        raw["within"] = cleaned[f"w{path}"]
    if fact.is_money:
        currency = (cleaned.get(f"cur{path}") or "").strip().upper()
        if not currency:
            return f"cur{path}", _("Write the three letters of a currency, such as EUR.")
        raw["currency"] = currency
    if operator == "is_set":
        return raw
    place = f"v{path}"
    if fact.type is FieldType.INSTANT:
        place = f"n{path}" if operator in SPANS else f"d{path}"
    raw["op"], found = _typed(fact, operator, cleaned.get(place))
    if found is None:
        return place, _("Say with what it is compared.")
    if operator == "!=" and isinstance(found, list):
        return place, _("“is not” takes one value. Ask once for each.")
    return raw | {"v": found}


def _typed(fact: Field, operator: str, value: Any) -> tuple[str, Any]:
    """Return the operator and the value as the document has them; nothing where none was typed."""
    match fact.type:
        case FieldType.YES_NO:
            return operator, value == "yes"
        case FieldType.NUMBER:
            if not isinstance(value, Decimal):
                return operator, None
            return operator, int(value) if value == int(value) else str(value)
        case FieldType.LIST:
            return operator, list(value or ()) or None
        case FieldType.INSTANT:
            return operator, value.isoformat() if isinstance(value, date) else value or None
        case FieldType.TEXT:
            return _texts(operator, value or "")


def _texts(operator: str, value: list[str] | str) -> tuple[str, list[str] | str | None]:
    values = [one.strip() for one in (value if isinstance(value, list) else value.split(","))]
    values = [one for one in values if one]
    if len(values) == 1:
        return ("=" if operator == "in" else operator), values[0]
    return operator, values or None
