"""Forms of what products cost: one product, and a share of the price for those without."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.core.money import exponent

_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_COST = re.compile(r"\d{1,12}([.,]\d{1,4})?")


class CostField(forms.CharField):
    """An amount as a person writes it: with a point or a comma, and up to four digits behind it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=24,
            required=False,
            widget=forms.TextInput(
                attrs={"inputmode": "decimal", "class": "input-amount", "autocomplete": "off"}
            ),
            **options,
        )

    def clean(self, value: Any) -> Decimal | None:
        """Return the amount, or nothing for an empty field."""
        text = _SPACES.sub("", super().clean(value))
        if not text:
            return None
        if text.startswith(("-", "−")):
            raise forms.ValidationError(_("A cost is not below nothing."))
        if not _COST.fullmatch(text):
            raise forms.ValidationError(
                _("Write an amount such as 12.50: digits alone, at most four behind the point or comma.")
            )
        return Decimal(text.replace(",", "."))


class CostForm(forms.Form):
    """What one product costs."""

    cost = CostField(
        label=_("What one costs you"),
        help_text=_(
            "Without tax, with what you pay for making or buying one. Empty: what the shop says counts again, or the share"
            " under Offers and margin."
        ),
    )

    def __init__(self, *args: Any, currency: str = "", **values: Any) -> None:
        super().__init__(*args, **values)
        self._currency = currency

    def clean_cost(self) -> Decimal | None:
        """Refuse what is a thousand to one and a little more than one to another: 1,250."""
        cost: Decimal | None = self.cleaned_data["cost"]
        if cost is not None and has_two_readings(cost, self._currency):
            words = _("This can be read in two ways. Write %(whole)s or %(part)s.")
            raise forms.ValidationError(words % {"whole": f"{cost * 1000:.0f}", "part": f"{cost:.4f}"})
        return cost


def has_two_readings(cost: Decimal, currency: str) -> bool:
    """Tell whether the mark in front of three digits may be one of thousands."""
    return cost >= 1 and cost.as_tuple().exponent == -3 and exponent(currency) < 3


class FillForm(forms.Form):
    """A share of the price as the cost of all products that have none."""

    percent = forms.DecimalField(
        label=_("Cost as a share of the price"),
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
        help_text=_(
            "For every product whose cost is not known. What the shop, a file or a person says later replaces it."
        ),
    )
