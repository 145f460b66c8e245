"""Offers, and what products cost."""

from datetime import timedelta
from typing import Any

from django import forms

from recoup.web import keeping_screens, offer_screens, parts
from recoup.web.forms.costs import CostForm, FillForm
from tests.web.samples.ground import PEOPLE, ago, base


def _cost_rows() -> list[keeping_screens.CostRow]:
    told = [
        ("Soy candle “Cedar”", "LC-220-CED · lumen.example", "PLN 129.00", "41.20", "61.4%", "From the shop"),
        ("Gift set “Winter evening” with a ceramic holder, two candles and matches", "LC-SET-WIN · lumen", "PLN 949.00",
         "612.00", "29.1%", "Entered by hand"),
        ("Candle jar", "", "PLN 24.00", "26.50", "-17.0%", "From a file"),
        ("Workshop: candles at home", "WS-1", "PLN 249.00", "", "52.0%", ""),
        ("Matches", "LC-M", "–", "1.125", "–", "A share of the price"),
    ]  # fmt: skip
    return [
        keeping_screens.CostRow(
            number, name, detail, "/s/lumen/settings/costs/7/", price, "PLN", cost, margin,
            is_guessed=not cost, is_loss=margin.startswith("-"), origin=origin,
            at=ago(days=number * 3 + 0.2) if origin else None, who="Ewa Lis" if number == 1 else "",
        )
        for number, (name, detail, price, cost, margin, origin) in enumerate(told)
    ]  # fmt: skip


def _settings(*more: parts.Link) -> list[parts.Link]:
    return [parts.Link("Settings", "/s/lumen/settings/"), *more]


def costs(**given: str) -> dict[str, Any]:
    """Products and their cost, one share too much typed."""
    fill = FillForm({"percent": "140"})
    fill.is_valid()
    return base(
        "/s/lumen/settings/costs/",
        **given,
        crumb_links=_settings(),
        filters=parts.Filters(
            views=[
                parts.Link("All", "?", True),
                parts.Link("Without a cost", "?v=unknown"),
                parts.Link("Sold at or below their cost", "?v=loss"),
            ],
            menus=[parts.FilterMenu("Source", [parts.Link("lumen.example", "?source=1")])],
        ),
        rows=_cost_rows(),
        pager=parts.Pager("5 products", "", "?c=older"),
        query="",
        kept=[],
        back="",
        is_filtered=False,
        clear_url="?",
        unknown=12,
        unknown_words="12",
        fill_form=fill,
        fill_url="/s/lumen/settings/costs/fill/",
        share="48.0%",
        import_url="/s/lumen/settings/import/",
        settings_url="/s/lumen/settings/offers/",
    )


def costs_empty(**given: str) -> dict[str, Any]:
    """Products of a shop that has told of none."""
    return {**costs(**given), "rows": [], "unknown": 0, "fill_form": FillForm()}


def product_cost(**given: str) -> dict[str, Any]:
    """What one product costs, and its history."""
    form = CostForm({"cost": "12,345678"})
    form.is_valid()
    return base(
        "/s/lumen/settings/costs/7/",
        **given,
        heading="Gift set “Winter evening” with a ceramic holder",
        lead="LC-SET-WIN · lumen.example",
        crumb_links=_settings(parts.Link("Products and their cost", "/s/lumen/settings/costs/")),
        form=form,
        units={"cost": "PLN"},
        row=_cost_rows()[1],
        told="PLN 598.00",
        timeline_shown=parts.Timeline(
            [
                parts.Event(
                    ago(days=3), "Cost changed", "hand-coins", "note",
                    body="PLN 598.00 → PLN 612.00. Entered by hand.", actor="Ewa Lis",
                ),
                parts.Event(
                    ago(days=40) + timedelta(hours=2), "Cost changed", "hand-coins", "note",
                    body="not known → PLN 598.00. From a file.", actor="Ewa Lis",
                ),
            ]
        ),
        cancel_url="/s/lumen/settings/costs/",
    )  # fmt: skip


_OFFERS = (
    ("10%", "granted", "In force", "CDFG-HJKM-NPQR", "10482", "PLN 129.90"),
    ("PLN 15.00", "redeemed", "Used", "3467-9CDF-GHJK", "10471", "PLN 15.00"),
    ("free delivery", "expired", "Expired", "MNPQ-RTWX-Y346", "10455", "PLN 12.00"),
    ("5%", "void", "Withdrawn: The order was paid without it", "79CD-FGHJ-KMNP", "10431", "PLN 6.45"),
    ("Candle jar, small, with a lid", "granted", "In force", "QRTW-XY34-679C", "", "–"),
    ("20%", "refused", "Not granted: The margin would fall below the floor", "", "10420", "PLN 25.80"),
)


def _offer_rows() -> list[offer_screens.OfferRow]:
    rows = []
    for number, (what, state, label, code, order, money) in enumerate(_OFFERS):
        status, _colon, why = label.partition(": ")
        until = ago(days=number * 2 - 2)
        rows.append(
            offer_screens.OfferRow(
                "/s/lumen/offers/7/",
                PEOPLE[number % 8][0],
                what,
                state,
                status,
                until,
                code,
                order,
                money,
                why,
            )
        )
    return rows


def offers(**given: str) -> dict[str, Any]:
    """The list of offers, with what they cost and brought."""
    row = offer_screens.EarnedRow
    return base(
        "/s/lumen/offers/",
        **given,
        filters=parts.Filters(
            views=[
                parts.Link("All", "?", True),
                parts.Link("In force", "?v=in_force"),
                parts.Link("Used", "?v=used"),
                parts.Link("Over", "?v=over"),
                parts.Link("Not granted", "?v=refused"),
            ],
            menus=[parts.FilterMenu("What", [parts.Link("Percentage", "?kind=percent")])],
        ),
        rows=_offer_rows(),
        pager=parts.Pager("64 offers", "", "?c=older"),
        is_filtered=False,
        clear_url="?",
        lead_shown=True,
        earned=[
            row(
                "Unpaid order with a discount",
                "48",
                "17",
                "PLN 184.20",
                "PLN 184.20",
                "PLN 3,499.80",
                is_guessed=True,
            ),
            row("Made by hand", "6", "2", "PLN 41.00", "PLN 41.00", "PLN 612.00"),
        ],
        has_guessed=True,
        periods=[
            parts.Link("30 days", "?p=30"),
            parts.Link("90 days", "?p=90", True),
            parts.Link("12 months", "?p=365"),
        ],
        is_used=True,
        settings_url="/s/lumen/settings/offers/",
        costs_url="/s/lumen/settings/costs/",
        needs_cost=True,
    )


def offers_empty(**given: str) -> dict[str, Any]:
    """Offers of a shop that has made none."""
    return {
        **offers(**given),
        "rows": [],
        "earned": [],
        "is_used": False,
        "filters": parts.Filters(),
        "needs_cost": False,
    }


def offer(**given: str) -> dict[str, Any]:
    """One offer that is in force."""
    return base(
        "/s/lumen/offers/7/",
        **given,
        crumb_links=[parts.Link("Offers", "/s/lumen/offers/")],
        offer=_offer_rows()[0],
        facts=[
            ("What", "10%"),
            ("Code", "CDFG-HJKM-NPQR"),
            ("Made by", "Unpaid order with a discount"),
            ("Made at", "22 Nov 2026, 10:00"),
            ("In force until", "24 Nov 2026, 10:00"),
            ("Would take off", "PLN 129.90"),
            ("Would cost you", "PLN 129.90"),
            ("Cost of the goods", "not known for all of them; the share under Offers and margin stood in"),
            ("Products", "Soy candle “Cedar”"),
        ],
        order_url="/s/lumen/orders/10482/",
        person_url="/s/lumen/customers/7/",
        withdraw_url="/s/lumen/offers/7/withdraw/",
    )


class ByHandForm(forms.Form):
    """What a person offers."""

    about = forms.ChoiceField(
        label="For",
        widget=forms.RadioSelect,
        choices=[
            ("order-1", "Order 10482, PLN 1,299.00"),
            ("cart-1", "The cart they left, PLN 129.00"),
            ("", "Whatever they order next"),
        ],
        required=False,
    )
    what = forms.ChoiceField(
        label="What is offered", choices=[("percent", "Percentage"), ("amount", "Amount")]
    )
    percent = forms.DecimalField(label="Discount in per cent", required=False, help_text="Of the goods.")
    amount = forms.DecimalField(label="Amount taken off", required=False)
    days = forms.IntegerField(label="In force for")
    products = forms.MultipleChoiceField(
        label="Only for these products",
        widget=forms.CheckboxSelectMultiple,
        choices=[("1", "Soy candle “Cedar”"), ("2", "Gift set “Winter evening” with a ceramic holder")],
        required=False,
        help_text="Nothing ticked: for everything in the order.",
    )
    description = forms.CharField(label="Short description", required=False)


def offer_by_hand(**given: str) -> dict[str, Any]:
    """An offer to a customer, refused once."""
    form = ByHandForm(
        {"about": "order-1", "what": "percent", "percent": "40", "days": "2", "products": ["2"]}
    )
    form.is_valid()
    form.add_error(None, "Not granted: The margin would fall below the floor.")
    return base(
        "/s/lumen/customers/7/offer/",
        **given,
        heading="Make an offer",
        lead="For Maria Wiśniewska alone. It counts once.",
        crumb_links=[parts.Link("Maria Wiśniewska", "/s/lumen/customers/7/")],
        form=form,
        units={"percent": "%", "amount": "PLN", "days": "days"},
        lines=[
            "It would not be granted: The margin would fall below the floor.",
            "10482: PLN 1,299.00 becomes PLN 1,169.10, margin 38.2% becomes 31.4%.",
            "What some of the goods cost is not known; 48.0% of their price stands in for it.",
        ],
        save_label="Make this offer",
        cancel_url="/s/lumen/customers/7/",
    )


class MarginForm(forms.Form):
    """What must be left of a sale."""

    default_cost = forms.DecimalField(
        label="What goods cost you, unless a product says it",
        help_text="Of the price. Without it, nothing is granted on goods whose own cost is not known.",
        required=False,
    )
    fee = forms.DecimalField(
        label="Payment fee", help_text="What the payment operator keeps of each payment."
    )
    floor = forms.DecimalField(label="Least margin after a discount", max_value=95)
    most_discounts = forms.IntegerField(label="Discounts for one person", help_text="Used in the days below.")
    memory_days = forms.IntegerField(label="Days that are looked back")


def offer_settings(**given: str) -> dict[str, Any]:
    """Margin and limits, one of them too much."""
    form = MarginForm(
        {"default_cost": "48", "fee": "1.5", "floor": "120", "most_discounts": "1", "memory_days": "90"}
    )
    form.is_valid()
    return base(
        "/s/lumen/settings/offers/",
        **given,
        heading="Offers and margin",
        lead="What must be left to you of a sale. No offer goes below it, by whichever process or person.",
        crumb_links=_settings(),
        form=form,
        units={"default_cost": "%", "fee": "%", "floor": "%", "memory_days": "days"},
        form_parts={"most_discounts": "Who gets no more discounts"},
    )
