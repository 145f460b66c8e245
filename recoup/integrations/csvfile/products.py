"""Files of products and what they cost: their columns, and from their lines to what each says of a product."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from recoup.catalog.costs import CostLine
from recoup.integrations import values
from recoup.integrations.csvfile import cells
from recoup.integrations.csvfile.reading import Form, rows
from recoup.integrations.csvfile.seen import Seen
from recoup.shops.ports import BodyQuarantined

if TYPE_CHECKING:
    from recoup.integrations.csvfile.plan import Plan

ABOUT = "products"
FIELDS = ("ref", "variant_ref", "sku", "product_name", "unit_price", "cost", "currency")
AMOUNTS = ("unit_price", "cost")
PLACES = 4  # a piece may cost a part of a coin

SHOPIFY = {
    "Title": "product_name", "Variant SKU": "sku", "SKU": "sku", "Variant Price": "unit_price", "Price": "unit_price",
    "Cost per item": "cost",
}  # fmt: skip
NAMES: dict[str, tuple[str, ...]] = {
    "cost": ("cost per item", "cost", "unit cost", "cost price", "purchase price", "cost of goods", "cost of goods sold",
             "cogs", "koszt", "koszt zakupu", "koszt własny", "cena zakupu", "cena zakupu netto", "себестоимость",
             "закупочная цена", "цена закупки", "закупка", "einkaufspreis", "einkaufspreis netto", "ek", "ek-preis",
             "selbstkosten", "kosten"),
    "ref": ("product id", "id", "id produktu", "id товара", "produkt-id", "artikel-id"),
    "variant_ref": ("variant id", "variation id", "id wariantu", "id варианта", "varianten-id"),
    "sku": ("sku", "variant sku", "article number", "item number", "kod", "kod produktu", "symbol", "indeks", "артикул",
            "artikelnummer", "art.-nr.", "artikelnr"),
    "product_name": ("name", "product name", "product", "title", "item", "nazwa", "nazwa produktu", "produkt", "towar",
                     "название", "наименование", "товар", "bezeichnung", "artikel", "produktname"),
    "unit_price": ("price", "variant price", "regular price", "unit price", "cena", "cena sprzedaży", "cena brutto",
                   "цена", "preis", "verkaufspreis", "vk", "vk-preis"),
    "currency": ("currency", "waluta", "валюта", "währung"),
}  # fmt: skip


def is_shopify(header: Sequence[str]) -> bool:
    """Tell whether this is Shopify's export of products."""
    return "Cost per item" in header and "Title" in header and bool({"Variant SKU", "SKU"} & set(header))


def columns_of(header: Sequence[str]) -> dict[str, str]:
    """Return the columns that the names of a file suggest."""
    if is_shopify(header):
        return {SHOPIFY[name]: name for name in header if name in SHOPIFY}
    by_name = {" ".join(name.lower().replace("_", " ").split()): name for name in header}
    columns: dict[str, str] = {}
    for wanted, names in NAMES.items():
        found = next((by_name[name] for name in names if name in by_name), None)
        if found is not None and found not in columns.values():
            columns[wanted] = found
    return columns


def missing(columns: dict[str, str]) -> list[str]:
    """Return what a file must have and does not: a cost, and something that names the product."""
    wanted = [] if "cost" in columns else ["cost"]
    return wanted if {"ref", "sku"} & set(columns) else [*wanted, "sku"]


def lines_of(path: Path, plan: "Plan") -> Iterator[tuple[int, str, CostLine | BodyQuarantined]]:
    """Return each line that tells of a product: its number, what it names, and what it says or why it cannot be used.

    Lines without anything of a product are left out: the export of Shopify has one for every further picture, and names a
    product on its first line alone.
    """
    places = {name: plan.header.index(column) for name, column in plan.columns.items()}
    seen, last_name = Seen(), ""
    for number, row in rows(path, Form(plan.encoding, plan.delimiter, plan.header)):
        cell = {name: row[place].strip() for name, place in places.items() if place < len(row)}
        last_name = cell.get("product_name") or last_name
        if not any(cell.get(name) for name in ("ref", "sku", "cost")):
            continue
        named = cell.get("sku") or cell.get("ref") or last_name
        try:
            if len(row) != len(plan.header):
                raise BodyQuarantined("row_ragged", f"{len(row)} ≠ {len(plan.header)}")
            line = _read(cell, last_name if plan.kind else cell.get("product_name", ""), plan)
            if not seen.add("\0".join((line.ref, line.variant_ref, "" if line.ref else line.sku))):
                raise BodyQuarantined("product_twice", named)
        except BodyQuarantined as reason:
            yield number, named, reason
        else:
            yield number, named, line


def _read(cell: dict[str, str], name: str, plan: "Plan") -> CostLine:
    ref, sku = values.line(cell.get("ref"), length=200), values.line(cell.get("sku"), length=100)
    if not ref and not sku:
        raise BodyQuarantined("product_unnamed", values.shown(name))
    currency = values.currency_code(cell.get("currency") or plan.currency)
    cost = _amount(cell, "cost", currency, plan)
    if cost is None:
        raise BodyQuarantined("cost_missing")
    price = _amount(cell, "unit_price", currency, plan)
    return CostLine(
        ref, values.line(cell.get("variant_ref"), length=200), sku, values.line(name), currency, cost, price
    )


def _amount(cell: dict[str, str], name: str, currency: str, plan: "Plan") -> Decimal | None:
    text = cell.get(name, "")
    if not text:
        return None
    found = cells.amount(text, currency, sign=plan.decimal, field=name, places=PLACES)
    if found < 0:
        raise BodyQuarantined("bad_amount", f"{name}: {values.shown(text)}")
    return found
