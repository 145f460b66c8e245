"""Forms of the import of files: the file, and what its columns and words mean."""

import re
from pathlib import Path
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recoup.integrations.csvfile import cells
from recoup.integrations.csvfile.plan import NEEDED, Plan
from recoup.shops.snapshots import ShopState
from recoup.web.forms.wizard import currency_choices, zone_choices

LARGEST_FILE = 200 * 1024 * 1024

LABELS = {
    "ref": _("Order id"),
    "number": _("Order number"),
    "status": _("Status"),
    "placed_at": _("Date of the order"),
    "paid_at": _("Date of the payment"),
    "cancelled_at": _("Date of the cancellation"),
    "currency": _("Currency"),
    "total": _("Total"),
    "outstanding": _("Still to be paid"),
    "refunded": _("Refunded"),
    "discount_total": _("Discount"),
    "shipping_total": _("Delivery"),
    "tax_total": _("Tax"),
    "method": _("Payment method (code)"),
    "method_title": _("Payment method (name)"),
    "payment_ref": _("Payment id"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "billing_phone": _("Second phone"),
    "name": _("Name of the buyer"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "company": _("Company"),
    "country": _("Country"),
    "postcode": _("Postcode"),
    "city": _("City"),
    "street": _("Street"),
    "locale": _("Language"),
    "product_ref": _("Product id"),
    "sku": _("SKU"),
    "product_name": _("Product"),
    "quantity": _("Quantity"),
    "unit_price": _("Price of one"),
    "line_total": _("Price of all"),
    "marketing_consent": _("Agreed to advertising"),
    "consent_source": _("Where they agreed"),
    "consent_at": _("Date of the agreement"),
    "coupon": _("Coupon"),
    "delivery_method": _("Way of delivery"),
    "delivery_point": _("Parcel locker or pick-up point"),
    "delivery_name": _("Delivery: name"),
    "delivery_company": _("Delivery: company"),
    "delivery_phone": _("Delivery: phone"),
    "delivery_street": _("Delivery: street"),
    "delivery_postcode": _("Delivery: postcode"),
    "delivery_city": _("Delivery: city"),
    "delivery_country": _("Delivery: country"),
    "tax_id": _("Tax number"),
    "invoice_company": _("Company on the invoice"),
    "variant_ref": _("Variant id"),
    "cost": _("What one costs you"),
}
ABOUT = [
    ("", _("recognise it by the columns")),
    ("orders", _("orders of the past")),
    ("products", _("products and what they cost")),
]
STATES = [
    (ShopState.PENDING, _("waits for its payment")),
    (ShopState.ON_HOLD, _("on hold")),
    (ShopState.FAILED, _("payment failed")),
    (ShopState.PAID, pgettext_lazy("state of an order", "paid")),
    (ShopState.FULFILLED, _("paid and delivered")),
    (ShopState.CANCELLED, pgettext_lazy("state of an order", "cancelled")),
    (ShopState.REFUNDED, _("refunded")),
]
DECIMALS = [(cells.POINT, _("a point: 149.00")), (cells.COMMA, _("a comma: 149,00"))]
DATES = [
    (cells.ISO, _("year, month, day: 2026-11-22")),
    (cells.DAY_FIRST, _("day, month, year: 22.11.2026")),
    (cells.MONTH_FIRST, _("month, day, year: 11/22/2026")),
]


class FileForm(forms.Form):
    """The file to import."""

    file = forms.FileField(
        label=_("CSV file"),
        help_text=_(
            "Orders, or products with their costs, with a line of names on top. The exports of Shopify are recognised."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
    )

    about = forms.ChoiceField(label=_("What the file holds"), choices=ABOUT, required=False)
    system = forms.CharField(
        label=_("Which shop or system it comes from"),
        max_length=120,
        required=False,
        help_text=_(
            "Orders are known by their numbers. If you import from two systems, give each its own name, or orders with"
            " the same number would be mixed up."
        ),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large to be a list of orders."""
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than 200 MB. Import it in parts."))
        return file


ENCODINGS = [
    ("cp1250", _("Central European, Windows (cp1250)")),
    ("iso-8859-2", _("Central European, ISO (iso-8859-2)")),
    ("cp1252", _("Western European, Windows (cp1252)")),
    ("cp1251", _("Cyrillic, Windows (cp1251)")),
    ("utf-8", "Unicode (utf-8)"),
    ("utf-16", "Unicode (utf-16)"),
]
_WORD_BEYOND_ASCII = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_SHOWN_WORDS = 3
_SAMPLED_BYTES = 1 << 16


class EncodingForm(forms.Form):
    """How a file that was uploaded writes its letters, where nobody can tell; each choice shows what it makes of them."""

    def __init__(self, data: Any, *, path: Path) -> None:
        super().__init__(data)
        words = _words_beyond_ascii(path)
        self.fields["encoding"] = forms.ChoiceField(
            label=_("Letters of the file"),
            help_text=_(
                "Beside each one stands what it makes of words in your file. Choose the one that reads right."
            ),
            widget=forms.RadioSelect,
            choices=[(code, _with_sample(name, words, code)) for code, name in ENCODINGS],
        )


def _words_beyond_ascii(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        head = file.read(_SAMPLED_BYTES)
    return list(dict.fromkeys(_WORD_BEYOND_ASCII.findall(head)))[:_SHOWN_WORDS]


def _with_sample(name: Any, words: list[bytes], encoding: str) -> str:
    """Return the name of an encoding with what it makes of some words; alone where it makes nothing of them."""
    try:
        sample = ", ".join(word.decode(encoding)[:30] for word in words)
    except UnicodeDecodeError:
        return str(name)
    return f"{name}: {sample}" if sample.replace(", ", "").isprintable() and sample else str(name)


class PlanForm(forms.Form):
    """What each of our fields is called in the file, and what its dates, amounts and words mean."""

    def __init__(self, data: Any, *, plan: Plan, unknown: list[str]) -> None:
        super().__init__(data)
        self._plan, self._unknown = plan, unknown
        columns = [("", _("not in the file")), *((name, name) for name in plan.header if name)]
        # The columns of a recognised export are known; a person only confirms how it is written.
        for name in () if plan.kind else plan.fields:
            self.fields[f"column_{name}"] = forms.ChoiceField(
                label=LABELS["product_ref" if plan.is_products and name == "ref" else name],
                choices=columns,
                initial=plan.columns.get(name, ""),
                required=name == "cost" if plan.is_products else name in NEEDED and name != "ref",
            )
        self._add("decimal", _("Amounts are written with"), DECIMALS, plan.decimal)
        if plan.is_products:
            self._add("currency", _("Currency where the file names none"), currency_choices(), plan.currency)
            self.fields["replaces_hand"] = forms.BooleanField(
                label=_("Also replace costs that were entered by hand"), required=False
            )
            return
        self._add("dates", _("Dates are written as"), DATES, plan.dates)
        self._add("zone", _("Time zone of the dates"), zone_choices(), plan.zone)
        self._add("currency", _("Currency where the file names none"), currency_choices(), plan.currency)
        for number, word in enumerate(unknown):
            meanings = [("", _("leave these lines out")), *STATES]
            self._add(f"word_{number}", _("“%(word)s” means") % {"word": word}, meanings, "")
            self.fields[f"word_{number}"].required = False
        if "status" not in plan.columns and not plan.kind:
            states = [("", _("as the status or the date of the payment says")), *STATES]
            self._add("default_state", _("Every order in the file is"), states, plan.default_state)
            self.fields["default_state"].required = False

    def _add(self, name: str, label: Any, choices: Any, initial: str) -> None:
        self.fields[name] = forms.ChoiceField(label=label, choices=choices, initial=initial)

    def asks_more(self) -> bool:
        """Tell whether another column of statuses was chosen, whose words nobody has been asked about."""
        return any(f"word_{number}" not in self.data for number in range(len(self._unknown)))

    def told(self) -> Plan:
        """Return the plan as the person wants it."""
        given = self.cleaned_data
        fields = self._plan.fields
        columns = {name: given[f"column_{name}"] for name in fields if given.get(f"column_{name}")}
        words = {
            word.casefold(): given[f"word_{number}"]
            for number, word in enumerate(self._unknown)
            if given[f"word_{number}"]
        }
        written = [name for name in ("decimal", "dates", "zone", "currency") if name in given]
        kept = self._plan.as_json() | {name: given[name] for name in written}
        kept |= {
            "header": self._plan.header,
            "columns": columns or self._plan.columns,
            "words": {**self._plan.words, **words},
            "default_state": given.get("default_state", ""),
            "replaces_hand": given.get("replaces_hand", False),
        }
        return Plan(**kept)
