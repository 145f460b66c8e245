"""Forms of offers: what a shop must keep, and an offer that a person makes."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.offers.models import OfferSettings
from recoup.offers.settings import CHANGEABLE


class OfferSettingsForm(forms.ModelForm[OfferSettings]):
    """What must be left of a sale, and who gets no more discounts."""

    class Meta:
        model = OfferSettings
        fields = CHANGEABLE
        help_texts = {
            "default_cost": _(
                "Of the price. Without it, nothing is granted on goods whose own cost is not known."
            ),
            "fee": _("What the payment operator keeps of each payment."),
            "fixed_fee": _("In the currency of the shop."),
            "returns": _("Of all sales. Their goods can be sold again; the fee of the payment is lost."),
            "floor": _("Of the price after the discount, without tax. No offer goes below it."),
            "most_discounts": _("Used in the days below. 0: processes grant none at all."),
            "most_left": _(
                "From so many on in the days below, a person keeps the reminders and gets no more discounts."
            ),
        }


class HandOfferForm(forms.Form):
    """An offer about one order, made by a person."""

    percent = forms.DecimalField(
        label=_("Discount in per cent"),
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        max_digits=6,
        decimal_places=2,
        initial=5,
    )
    days = forms.IntegerField(label=_("In force for"), min_value=1, max_value=60, initial=2)
    description = forms.CharField(label=_("Short description"), max_length=200, required=False)
