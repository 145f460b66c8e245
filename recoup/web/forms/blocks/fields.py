"""Fields that the forms of blocks share: spans of time, and products picked by name."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from recoup.catalog.models import Product
from recoup.catalog.queries import product_names
from recoup.processes.engine.times import parse_span
from recoup.processes.models import Process
from recoup.shops.models import Shop, Source
from recoup.web.words.steps import process_name

MINUTES, HOURS, DAYS, WEEKS = "M", "H", "D", "W"
UNITS = [(MINUTES, _("minutes")), (HOURS, _("hours")), (DAYS, _("days")), (WEEKS, _("weeks"))]
MOST_FOUND = 20


def split_span(text: str) -> tuple[int, str]:
    """Return a span as a number and a unit; one that needs several units is told in minutes."""
    span = parse_span(text)
    days, minutes = abs(span.days), int(abs(span.exact).total_seconds()) // 60
    if days and not minutes:
        return (days // 7, WEEKS) if days % 7 == 0 and "W" in text else (days, DAYS)
    minutes += days * 24 * 60
    return (minutes // 60, HOURS) if minutes % 60 == 0 else (minutes, MINUTES)


def process_choices(shop: Shop, own_name: str, chosen: int | None) -> list[tuple[str, str]]:
    """Return the other processes of a shop, and the one that stands here even if it is not there any more."""
    found = [
        (str(one.pk), process_name(one))
        for one in Process.objects.filter(shop=shop).exclude(name=own_name).order_by("name")
    ]
    if chosen and str(chosen) not in dict(found):
        found.append((str(chosen), gettext("a process that is not there (%(number)s)") % {"number": chosen}))
    return found


class SpanWidget(forms.MultiWidget):
    """A number and its unit, side by side."""

    def __init__(self) -> None:
        number = forms.NumberInput(attrs={"min": 1, "inputmode": "numeric"})
        super().__init__({"": number, "unit": forms.Select(choices=UNITS)})

    def decompress(self, value: str | None) -> list[Any]:
        """Return number and unit of a span."""
        if not value:
            return [None, HOURS]
        try:
            return list(split_span(value))
        except ValueError:
            return [None, HOURS]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Let each of the two look like what it is, and the second have a name of its own."""
        context = super().get_context(name, value, attrs)
        unit = context["widget"]["subwidgets"][1]["attrs"]
        unit |= {"class": "select", "aria-label": str(_("Unit of time"))}
        unit.pop("aria-describedby", None)
        return context

    def id_for_label(self, id_: str) -> str:
        """Return the id of the number."""
        return f"{id_}_0" if id_ else id_


class SpanField(forms.MultiValueField):
    """A span of time as the documents write it: hours are elapsed time, days end at the same time of day."""

    def __init__(self, **kwargs: Any) -> None:
        missing = _("Say how long.")
        kwargs.setdefault("error_messages", {"required": missing, "incomplete": missing})
        number = forms.IntegerField(min_value=1)
        super().__init__((number, forms.ChoiceField(choices=UNITS)), widget=SpanWidget(), **kwargs)

    def compress(self, data_list: list[Any]) -> str:
        """Return the span; nothing for an empty one."""
        if not data_list or data_list[0] in (None, ""):
            return ""
        number, unit = data_list
        text = f"PT{number}{unit}" if unit in (MINUTES, HOURS) else f"P{number}{unit}"
        try:
            parse_span(text)
        except ValueError:
            raise ValidationError(_("Choose at most a year.")) from None
        return text

    def clean(self, value: Any) -> str:
        """Read the two; a unit without a number is nothing."""
        if isinstance(value, list | tuple) and value and value[0] in (None, ""):
            value = []
        return str(super().clean(value) or "")


class ProductsField(forms.MultipleChoiceField):
    """Products by reference. What is chosen stands as boxes that can be cleared; a search adds more to choose from."""

    widget = forms.CheckboxSelectMultiple
    is_products = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.searched = ""
        self.found_none = False

    def valid_value(self, value: Any) -> bool:
        """Take any reference: a product may have left the catalogue and still be asked about."""
        return 0 < len(str(value)) <= 200

    def offer(self, shop: Shop, chosen: Iterable[str], searched: str = "") -> None:
        """Offer what is chosen and what a search finds."""
        chosen = list(dict.fromkeys(str(ref) for ref in chosen))
        found = find_products(shop, searched) if searched else {}
        names = product_names(shop, chosen)
        self.searched, self.found_none = searched, bool(searched) and not found
        self.choices = [(ref, names.get(ref, ref)) for ref in chosen] + [
            (ref, name) for ref, name in found.items() if ref not in chosen
        ]


def source_names(shop: Shop) -> dict[str, str]:
    """Return the names of the shop's sources, by the word that stands for them in conditions."""
    rows = Source.objects.filter(shop=shop).values_list("pk", "name")
    return {f"source {key}": name for key, name in rows}


def find_products(shop: Shop, searched: str) -> dict[str, str]:
    """Return products whose name has these words, by reference."""
    rows = Product.objects.filter(shop=shop, is_deleted=False)
    for part in searched.split()[:5]:
        rows = rows.filter(name__icontains=part)
    return dict(list(rows.order_by("name", "id").values_list("ref", "name")[: MOST_FOUND * 3])[:MOST_FOUND])
