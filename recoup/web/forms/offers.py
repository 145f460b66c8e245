"""Forms of offers: what a shop must keep, and an offer that a person makes."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.offers import terms
from recoup.offers.models import Offer, OfferSettings
from recoup.offers.settings import CHANGEABLE
from recoup.offers.terms import Terms

Kind = Offer.Kind


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

    what = forms.ChoiceField(
        label=_("What is offered"),
        choices=[(kind.value, kind.label) for kind in (Kind.PERCENT, Kind.AMOUNT, Kind.DELIVERY)],
        initial=Kind.PERCENT,
        required=False,
    )
    percent = forms.DecimalField(
        label=_("Discount in per cent"),
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        max_digits=6,
        decimal_places=2,
        initial=5,
        required=False,
    )
    amount = forms.DecimalField(label=_("Amount taken off"), max_digits=14, decimal_places=4, required=False)
    days = forms.IntegerField(label=_("In force for"), min_value=1, max_value=60, initial=2)
    description = forms.CharField(label=_("Short description"), max_length=200, required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind of offer needs."""
        cleaned = super().clean() or {}
        what = cleaned["what"] = cleaned.get("what") or Kind.PERCENT.value
        if what == Kind.PERCENT and not cleaned.get("percent") and "percent" not in self.errors:
            self.add_error("percent", _("Say how many per cent: more than 0 and at most 100."))
        amount = cleaned.get("amount")
        if what == Kind.AMOUNT and (amount is None or amount <= 0) and "amount" not in self.errors:
            self.add_error("amount", _("Say how much is taken off: more than nothing."))
        return cleaned

    def terms(self, currency: str) -> Terms:
        """Return what is promised; what the kind does not use is left out."""
        typed = self.cleaned_data
        kind, about = terms.Kind(typed["what"]), typed["description"].strip()
        if kind is terms.Kind.PERCENT:
            return Terms(kind, percent=typed["percent"], description=about)
        if kind is terms.Kind.AMOUNT:
            return Terms(kind, amount=typed["amount"], currency=currency, description=about)
        return Terms(kind, description=about)
