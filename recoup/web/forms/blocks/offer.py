"""Offer: a personal discount, free delivery or a gift, with what it would leave."""

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from recoup.offers.models import Offer
from recoup.offers.previewing import reckon
from recoup.offers.terms import Kind, Terms
from recoup.processes.engine.codes import SubjectKind
from recoup.processes.engine.nodes.offer import MOST_SIZES
from recoup.processes.graph.editing import NEW_END
from recoup.web.forms.blocks.base import BlockForm, Part
from recoup.web.forms.blocks.fields import ProductsField, SpanField
from recoup.web.forms.decimals import DecimalField, stored_number
from recoup.web.words.offers import reckoning_lines

PERIODS = [
    ("month", gettext_lazy("in a month")),
    ("week", gettext_lazy("in a week")),
    ("day", gettext_lazy("in a day")),
    ("ever", gettext_lazy("in all")),
]


NEXT_ORDER = gettext_lazy(
    "It counts once, on any order of theirs in the currency of your shop, at our page and, where a WooCommerce shop takes"
    " the payment, as a code for their e-mail address. Nobody knows the sum of that order yet: a budget sets the amount"
    " aside, or the discount on what orders came to of late on average, the person's own or all, whichever is more. What is"
    " used then is counted exactly, and nothing is taken off by us once the budget does not carry it."
)


class OfferForm(BlockForm):
    """What is offered, for what, until when, and what it may cost."""

    kind = "offer"
    needed = ("percent", "amount", "gifts", "period", "currency")
    help = gettext_lazy(
        "The person gets a price or a gift of their own, by their link and by a code that counts once. It is never"
        " granted below your margin floor; who gets none goes on by the other way. Where a WooCommerce shop takes the"
        " payment, its coupon is made first: the person goes on as soon as the order costs the new sum there, and by the"
        " other way if the shop makes none within twelve hours."
    )

    what = forms.ChoiceField(label=gettext_lazy("What is offered"), choices=Offer.Kind.choices)
    percent = DecimalField(
        label=gettext_lazy("Discount in per cent"),
        required=False,
        max_digits=6,
        decimal_places=2,
        help_text=gettext_lazy(
            "Of the goods, not of the delivery. For a gift: what is given instead once it is sold out."
        ),
    )
    amount = DecimalField(
        label=gettext_lazy("Amount taken off"), required=False, max_digits=14, decimal_places=4
    )
    sizes = forms.CharField(
        label=gettext_lazy("Sizes that are tried"),
        max_length=80,
        required=False,
        help_text=gettext_lazy(
            "For a percentage or an amount, in the place of the one above: such as 0; 3; 5; 10. Chance gives each person one"
            " of them, and the same one every time. 0 offers nothing and goes on by the way without an offer. What it"
            " brought says which is the least that helps; nothing changes by itself."
        ),
    )
    gifts = ProductsField(
        label=gettext_lazy("Gift"), help_text=gettext_lazy("Search for one product and tick it.")
    )
    products = ProductsField(
        label=gettext_lazy("Only for these products"),
        help_text=gettext_lazy("Nothing ticked: for the whole order or cart."),
    )
    valid = SpanField(
        label=gettext_lazy("In force for"),
        help_text=gettext_lazy(
            "From the moment it is granted, to the second. Days end at the same time of day where the person lives."
        ),
    )
    description = forms.CharField(
        label=gettext_lazy("Short description"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Shown to the person instead of the bare discount."),
    )
    min_sum = DecimalField(
        label=gettext_lazy("Only from this sum of goods"), required=False, max_digits=14, decimal_places=4
    )
    with_coupon = forms.BooleanField(label=gettext_lazy("Also beside a coupon of the shop"), required=False)
    with_offers = forms.BooleanField(
        label=gettext_lazy("Also beside another offer that allows it"), required=False
    )
    next_order = forms.BooleanField(
        label=gettext_lazy("For whatever they order next"), required=False, help_text=NEXT_ORDER
    )
    budget = DecimalField(
        label=gettext_lazy("All offers of this step may cost"),
        required=False,
        max_digits=14,
        decimal_places=4,
        help_text=gettext_lazy("Once it is spent, nobody is granted any more. What is not used comes back."),
    )
    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=PERIODS, required=False)
    currency = forms.CharField(label=gettext_lazy("Currency"), max_length=3, min_length=3, required=False)

    def build(self) -> None:
        """Leave out the choice where there is none: a process about people has no order or cart."""
        super().build()
        if self.around.subject is SubjectKind.CONTACT:
            del self.fields["next_order"]

    def read(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Return the fields for a block."""
        budget = raw.get("budget") or {}
        return {
            "what": raw.get("kind", "percent"),
            "percent": stored_number(raw.get("percent", "" if raw.get("out") else "5")),
            "amount": stored_number(raw.get("amount", "")),
            "sizes": "; ".join(
                str(DecimalField().prepare_value(stored_number(one))) for one in raw.get("sizes", [])
            ),
            "gifts": [raw["gift"]] if raw.get("gift") else [],
            "products": list(raw.get("products", [])),
            "valid": raw.get("valid", "P2D"),
            "description": raw.get("description", ""),
            "min_sum": stored_number(raw.get("min_sum", "")),
            "with_coupon": raw.get("with_coupon", False),
            "with_offers": raw.get("with_offers", False),
            "next_order": raw.get("next_order", False),
            "budget": stored_number(budget.get("amount", "")),
            "period": budget.get("period", "month"),
            "currency": raw.get("currency") or budget.get("currency") or self.around.shop.currency,
        }

    def words_without(self) -> str:
        """Return what happens without a way for those who get none."""
        return _("the same way as with an offer")

    def ways_before(self, follows: str) -> dict[str, str | None]:
        """Return an end of its own for those who get none, where nothing follows that they would miss by it.

        So a text about the offer can stand behind it. Before a step that is there already, both ways lead to that step.
        """
        return {"refused": NEW_END} if follows == "end" else {}

    def clean(self) -> dict[str, Any]:
        """Ask for what the kind of offer needs, and refuse what is no discount."""
        cleaned = super().clean() or {}
        what = cleaned.get("what")
        if cleaned.get("sizes"):
            if what not in (Kind.PERCENT, Kind.AMOUNT):
                self.add_error("sizes", _("Only percentages and amounts can be tried in several sizes."))
            elif what == Kind.PERCENT and cleaned["sizes"][-1] > 100:
                self.add_error("sizes", _("A discount is more than 0 and at most 100 per cent."))
        elif "sizes" in cleaned:
            self._ask_for_one_size(cleaned)
        if what == Kind.GIFT and len(cleaned.get("gifts") or []) != 1:
            self.add_error("gifts", _("Search for the product and tick one."))
        for name in ("min_sum", "budget"):
            if cleaned.get(name) is not None and cleaned[name] <= 0:
                self.add_error(name, _("More than nothing, or leave it empty."))
        currency = str(cleaned.get("currency") or "").upper()
        if not (currency.isascii() and currency.isalpha() and len(currency) == 3):
            self.add_error("currency", _("Three letters, such as EUR."))
        elif self._is_for_next(cleaned) and currency != self.around.shop.currency:
            self.add_error(
                "currency",
                _("An offer for a next order is in the currency of the shop: %(currency)s.")
                % {"currency": self.around.shop.currency},
            )
        cleaned["currency"] = currency
        return cleaned

    def clean_sizes(self) -> list[Decimal]:
        """Read the sizes: two to six numbers that rise."""
        typed = [one for one in re.split(r"[;\s]+|,\s", str(self.cleaned_data.get("sizes") or "")) if one]
        sizes = [_decimal(one) for one in typed]
        found = [one for one in sizes if one is not None and one >= 0]
        if typed and not (
            len(found) == len(sizes)
            and 2 <= len(found) <= MOST_SIZES
            and all(first < second for first, second in pairwise(found))
        ):
            raise forms.ValidationError(_("Write two to six numbers that rise, such as 0; 3; 5; 10."))
        return found

    def _ask_for_one_size(self, cleaned: Mapping[str, Any]) -> None:
        what, percent, amount = cleaned.get("what"), cleaned.get("percent"), cleaned.get("amount")
        if "percent" in cleaned and percent is not None and not 0 <= percent <= 100:
            self.add_error("percent", _("A discount is more than 0 and at most 100 per cent."))
        elif what == Kind.PERCENT and not percent:
            self.add_error("percent", _("Say how many per cent: more than 0 and at most 100."))
        if what == Kind.AMOUNT and (amount is None or amount <= 0):
            self.add_error("amount", _("Say how much is taken off: more than nothing."))

    def fields_to_raw(self) -> dict[str, Any]:
        """Return what is promised; what the kind does not use is left out."""
        typed = self.cleaned_data
        what = typed["what"]
        raw: dict[str, Any] = {"kind": what} if what != Kind.PERCENT else {}
        if typed["sizes"]:
            raw["sizes"] = [_plain(one) for one in typed["sizes"]]
        elif what in (Kind.PERCENT, Kind.GIFT) and typed["percent"]:
            raw["percent"] = _plain(typed["percent"])
        elif what == Kind.AMOUNT:
            raw["amount"] = _plain(typed["amount"])
        if what == Kind.GIFT:
            raw["gift"] = typed["gifts"][0]
        if typed["min_sum"] is not None:
            raw["min_sum"] = _plain(typed["min_sum"])
        if what == Kind.AMOUNT or typed["min_sum"] is not None:
            raw["currency"] = typed["currency"]
        if typed["budget"] is not None:
            raw["budget"] = {"amount": _plain(typed["budget"]), "currency": typed["currency"]}
            if typed["period"] and typed["period"] != "month":
                raw["budget"]["period"] = typed["period"]
        before = self.raw_before.get("valid")
        raw["valid"] = before if before and "valid" not in self.changed_data else typed["valid"]
        for name in ("products", "description", "with_coupon", "with_offers"):
            if typed[name]:
                raw[name] = typed[name]
        if self._is_for_next(typed):
            raw["next_order"] = True
        return raw

    def _is_for_next(self, typed: Mapping[str, Any]) -> bool:
        return self.around.subject is SubjectKind.CONTACT or bool(typed.get("next_order"))

    def own_parts(self) -> list[Part]:
        """Return the promise, what it would leave, and its limits."""
        return [
            Part(
                "",
                [
                    self.line("what"),
                    self.line("percent", css="when-percent"),
                    self.line("amount", css="when-amount"),
                    self.line("sizes"),
                    self.line("gifts", css="when-gift"),
                    self.line("valid"),
                    self.line("products"),
                    self.line("description"),
                    *([self.line("next_order")] if "next_order" in self.fields else []),
                ],
                notes=[] if "next_order" in self.fields else [_("For whatever they order next."), NEXT_ORDER],
            ),
            Part(_("What is left to you"), [], notes=self._reckoned(), css="reckoning", again=_("Calculate")),
            Part(
                _("Limits"),
                [
                    self.line("budget", "period"),
                    self.line("min_sum", "currency"),
                    self.line("with_coupon"),
                    self.line("with_offers"),
                ],
            ),
        ]

    def _reckoned(self) -> list[str]:
        """Return what the offer as typed would leave, in sentences."""
        terms = self._typed_terms()
        if terms is None:
            return [_("Say what is offered, and this shows what is left of your margin.")]
        currency = str(self._value("currency") or self.around.shop.currency).upper()[:3]
        chosen = self._values("products")
        is_for_next = "next_order" not in self.fields or bool(self._value("next_order"))
        found = reckon(self.around.shop, terms, currency=currency, products=chosen, is_for_next=is_for_next)
        return reckoning_lines(found, get_language() or "en")

    def _value(self, name: str) -> Any:
        return self[name].value()

    def _values(self, name: str) -> list[str]:
        value = self[name].value()
        return [str(one) for one in value] if isinstance(value, list | tuple) else []

    def _largest_size(self) -> Decimal | None:
        """Return the largest of the sizes that are tried: what it leaves is the least that may be left."""
        typed = re.split(r"[;\s]+|,\s", str(self._value("sizes") or ""))
        return max((size for one in typed if one and (size := _decimal(one)) is not None), default=None)

    def _typed_terms(self) -> Terms | None:
        what = str(self._value("what") or "percent")
        percent, amount = _decimal(self._value("percent")), _decimal(self._value("amount"))
        if largest := self._largest_size():
            percent, amount = (largest, None) if what == "percent" else (None, largest)
        gifts = self._values("gifts")
        is_whole = {
            "percent": percent is not None and 0 < percent <= 100,
            "amount": amount is not None and amount > 0,
            "gift": len(gifts) == 1,
        }.get(what, what == "delivery")
        if not is_whole:
            return None
        return Terms(
            Kind(what),
            percent=percent or Decimal(0),
            amount=amount or Decimal(0),
            gift=gifts[0] if gifts and what == "gift" else "",
            products=tuple(self._values("products")),
            with_coupon=bool(self._value("with_coupon")),
        )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _decimal(value: Any) -> Decimal | None:
    try:
        number = DecimalField(required=False, max_digits=14, decimal_places=4).clean(value)
    except forms.ValidationError:
        return None
    return number if isinstance(number, Decimal) else None
