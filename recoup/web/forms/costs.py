"""Forms of what products cost: one product, and a share of the price for those without."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.web.forms.decimals import DecimalField


class CostForm(forms.Form):
    """What one product costs."""

    cost = DecimalField(
        label=_("What one costs you"),
        required=False,
        max_digits=16,
        decimal_places=4,
        help_text=_(
            "Without tax, with what you pay for making or buying one. Empty: what the shop says counts again, or the share"
            " under Offers and margin."
        ),
    )

    def __init__(self, *args: Any, currency: str = "", **values: Any) -> None:
        super().__init__(*args, **values)
        field = self.fields["cost"]
        assert isinstance(field, DecimalField)
        field.show_as(currency)

    def clean_cost(self) -> Decimal | None:
        """Refuse what is below nothing."""
        cost: Decimal | None = self.cleaned_data["cost"]
        if cost is not None and cost < 0:
            raise forms.ValidationError(_("A cost is not below nothing."))
        return cost


class FillForm(forms.Form):
    """A share of the price as the cost of all products that have none."""

    percent = DecimalField(
        label=_("Cost as a share of the price"),
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        max_digits=5,
        decimal_places=2,
        help_text=_(
            "For every product whose cost is not known. What the shop, a file or a person says later replaces it."
        ),
    )
