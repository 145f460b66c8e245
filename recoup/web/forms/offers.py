"""Forms of offers: what a shop must keep, and an offer that a person makes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from recoup.catalog.models import Product
from recoup.catalog.queries import product_names
from recoup.offers import terms
from recoup.offers.models import Offer, OfferSettings
from recoup.offers.settings import CHANGEABLE
from recoup.offers.terms import Terms
from recoup.shops.models import Shop
from recoup.web.forms.blocks.fields import ProductsField
from recoup.web.forms.decimals import DecimalField, model_field

Kind = Offer.Kind
Choices = Sequence[tuple[str, Any]]
MOST_GIFTS = 200


class OfferSettingsForm(forms.ModelForm[OfferSettings]):
    """What must be left of a sale, and who gets no more discounts."""

    class Meta:
        model = OfferSettings
        fields = CHANGEABLE
        formfield_callback = model_field
        help_texts = {
            "default_cost": _(
                "Of the price. Without it, nothing is granted on goods whose own cost is not known."
            ),
            "fee": _("What the payment operator keeps of each payment."),
            "fixed_fee": _("In the currency of the shop."),
            "tax": _(
                "For what does not say its tax: carts, products, some orders. 23 for 23 %. Empty: as in your newest orders."
            ),
            "returns": _("Of all sales. Their goods can be sold again; the fee of the payment is lost."),
            "floor": _("Of the price after the discount, without tax. No offer goes below it."),
            "most_discounts": _("Used in the days below. 0: processes grant none at all."),
            "most_left": _(
                "From so many on in the days below, a person keeps the reminders and gets no more discounts."
            ),
        }

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fee = self.fields["fixed_fee"]
        assert isinstance(fee, DecimalField)
        fee.show_as(currency)


class HandOfferForm(forms.Form):
    """An offer that a person makes: about one order or cart, or for whatever somebody orders next."""

    what = forms.ChoiceField(
        label=_("What is offered"), choices=Kind.choices, initial=Kind.PERCENT, required=False
    )
    percent = DecimalField(
        label=_("Discount in per cent"),
        min_value=Decimal("0.01"),
        max_value=Decimal(100),
        max_digits=6,
        decimal_places=2,
        initial=5,
        required=False,
        help_text=_("Of the goods. For a gift: what is given instead once it is sold out."),
    )
    amount = DecimalField(label=_("Amount taken off"), max_digits=14, decimal_places=4, required=False)
    gift = forms.ChoiceField(label=_("Gift"), required=False)
    days = forms.IntegerField(label=_("In force for"), min_value=1, max_value=60, initial=2)
    products = ProductsField(
        label=_("Only for these products"), help_text=_("Nothing ticked: for everything in the order.")
    )
    description = forms.CharField(
        label=_("Short description"),
        max_length=200,
        required=False,
        help_text=_("Shown to the person instead of the bare discount."),
    )

    def __init__(
        self,
        data: Any,
        *,
        shop: Shop,
        goods: dict[str, str],
        currency: str,
        about: Choices = (),
        chosen: str = "",
    ) -> None:
        super().__init__(data)
        self._is_over = bool(chosen) and chosen not in dict(about)
        for name in (
            "what",
            "percent",
            "amount",
            "gift",
        ):  # always needed, or by one kind and shown for it alone
            setattr(self.fields[name], "is_needed", True)  # noqa: B010 - an attribute that only screens know
        products, gift, amount = self.fields["products"], self.fields["gift"], self.fields["amount"]
        assert isinstance(amount, DecimalField)
        amount.show_as(currency)
        assert isinstance(products, ProductsField)
        assert isinstance(gift, forms.ChoiceField)
        chosen = data.getlist("products") if data else []
        others = [
            (str(ref), str(name)) for ref, name in product_names(shop, chosen).items() if ref not in goods
        ]
        products.choices = [*goods.items(), *others]
        if not goods and not others:
            del self.fields["products"]
        gift.choices = [("", _("none")), *gift_choices(shop, currency)]
        if about:
            labels = [*about, ("", _("Whatever they order next"))]
            self.fields["about"] = forms.ChoiceField(
                label=_("For"), choices=labels, widget=forms.RadioSelect, required=False, initial=labels[0][0]
            )
            self.order_fields(["about"])

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind of offer needs."""
        cleaned = super().clean() or {}
        if self._is_over:  # it would become a promise for whatever they order next
            self.errors.pop("about", None)
            self.add_error(
                None,
                _(
                    "What this was to be about has been paid or closed meanwhile. Choose again what it is for."
                ),
            )
        what = cleaned["what"] = cleaned.get("what") or Kind.PERCENT.value
        if what == Kind.PERCENT and not cleaned.get("percent") and "percent" not in self.errors:
            self.add_error("percent", _("Say how many per cent: more than 0 and at most 100."))
        amount = cleaned.get("amount")
        if what == Kind.AMOUNT and (amount is None or amount <= 0) and "amount" not in self.errors:
            self.add_error("amount", _("Say how much is taken off: more than nothing."))
        if what == Kind.GIFT and not cleaned.get("gift") and "gift" not in self.errors:
            self.add_error("gift", _("Choose the gift."))
        return cleaned

    def terms(self, *, currency: str, is_for_person: bool = False) -> Terms:
        """Return what is promised; what the kind does not use is left out.

        To a person it is promised in the currency of the shop alone.
        """
        typed = self.cleaned_data
        kind = terms.Kind(typed["what"])
        has_share = kind in {terms.Kind.PERCENT, terms.Kind.GIFT}
        return Terms(
            kind,
            percent=(typed["percent"] or Decimal(0)) if has_share else Decimal(0),
            amount=typed["amount"] if kind is terms.Kind.AMOUNT else Decimal(0),
            currency=currency if kind is terms.Kind.AMOUNT or is_for_person else "",
            gift=typed["gift"] if kind is terms.Kind.GIFT else "",
            products=tuple(typed.get("products") or ()),
            description=typed["description"].strip(),
        )


def gift_choices(shop: Shop, currency: str) -> list[tuple[str, str]]:
    """Return what may be given: products that are there, by name."""
    rows = Product.objects.filter(shop=shop, currency=currency, is_available=True, is_deleted=False).exclude(
        stock__lte=0
    )
    return list(dict(rows.order_by("name", "id").values_list("ref", "name")[:MOST_GIFTS]).items())
