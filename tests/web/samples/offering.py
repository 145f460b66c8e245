"""Offers, and what products cost."""

from datetime import timedelta
from typing import Any

from recoup.web import keeping_screens, parts
from recoup.web.forms.costs import CostForm, FillForm
from tests.web.samples.ground import ago, base


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
