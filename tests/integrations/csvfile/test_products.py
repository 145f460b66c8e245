"""Files of products and what they cost, by whatever a shop exports or a person makes."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.catalog.models import Product
from recoup.integrations.csvfile.importing import file_source, preview, request_import, run_import
from recoup.integrations.csvfile.plan import Plan, PlanIncomplete, check, propose
from recoup.shops.models import ImportRefusal, ImportRun, Shop
from tests.factories.moments import NOW
from tests.factories.products import make_product
from tests.factories.shops import make_shop, make_source

D = Decimal
pytestmark = pytest.mark.django_db
SHOPIFY = """Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Cost per item,Status
cedar,Soy candle Cedar,Lumen,Size,220 g,LC-220,129.00,https://cdn.example/1.jpg,41.20,active
cedar,,,,500 g,LC-500,249.00,,80.555,
cedar,,,,,,,https://cdn.example/2.jpg,,
set,Gift set,Lumen,Title,Default Title,,949.00,,612.00,active
jar,Candle jar,Lumen,Title,Default Title,LC-JAR,24.00,,,active
"""
OWN = """Symbol;Nazwa;Cena;Koszt zakupu
LC-220;Świeca Cedr;129,00;1 041,20
LC-500;Świeca Cedr duża;249,00;-3
LC-220;Świeca Cedr;129,00;40
LC-9;Zapałki;9,00;tanio
"""


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop(currency="PLN")


def written(folder: Path, text: str) -> Path:
    path = folder / "products.csv"
    path.write_text(text, encoding="utf-8")
    return path


def bring(shop: Shop, path: Path, plan: Plan | None = None, *, is_dry_run: bool = False) -> ImportRun:
    """Import a file as it is understood by itself."""
    source = file_source(shop, now=NOW)
    run = request_import(source, path, plan or propose(path, shop), now=NOW, is_dry_run=is_dry_run, user_id=7)
    return run_import(run, now=NOW)


def refused(run: ImportRun) -> list[tuple[int, str, str]]:
    return list(
        ImportRefusal.objects.filter(run=run).order_by("row_no").values_list("row_no", "ref", "reason")
    )


def test_the_export_of_shopify_is_recognised_and_goes_to_the_products_it_means(
    shop: Shop, tmp_path: Path
) -> None:
    path, there = (
        written(tmp_path, SHOPIFY),
        make_product(make_source(shop), sku="LC-220", currency="PLN", name="Cedar"),
    )
    tried = bring(shop, path, is_dry_run=True)
    untouched = Product.objects.get().cost
    run = bring(shop, path)

    assert (tried.created, tried.known, tried.refused, untouched) == (1, 1, 2, None)
    assert (run.created, run.known, run.refused) == (1, 1, 2)
    there.refresh_from_db()
    assert (there.cost, there.cost_from, there.name) == (D("41.2"), "file", "Cedar")
    made = Product.objects.exclude(pk=there.pk).get()
    assert (made.sku, made.name, made.price, made.cost) == ("LC-500", "Soy candle Cedar", D(249), D("80.555"))
    assert refused(run) == [
        (5, "Gift set", "product_unnamed: Gift set"),
        (6, "LC-JAR", "cost_missing"),
    ]


def test_a_file_of_ones_own_is_read_line_by_line_with_its_commas(shop: Shop, tmp_path: Path) -> None:
    run = bring(shop, written(tmp_path, OWN))

    assert [(one.sku, one.cost) for one in Product.objects.all()] == [("LC-220", D("1041.2"))]
    assert refused(run) == [
        (3, "LC-500", "bad_amount: cost: -3"),
        (4, "LC-220", "product_twice: LC-220"),
        (5, "LC-9", "bad_amount: cost: tanio"),
    ]


@pytest.mark.parametrize(("replaces", "cost", "reasons"), [(False, D(5), ["cost_by_hand"]), (True, D(7), [])])
def test_costs_entered_by_hand_stay_unless_it_is_chosen(
    shop: Shop, tmp_path: Path, replaces: bool, cost: Decimal, reasons: list[str]
) -> None:
    product = make_product(make_source(shop), sku="A", currency="PLN", cost=D(5), cost_from="hand")
    path = written(tmp_path, "sku,cost\nA,7.00\n")
    plan = propose(path, shop)

    run = bring(shop, path, Plan(**{**plan.as_json(), "header": plan.header, "replaces_hand": replaces}))

    product.refresh_from_db()
    assert (product.cost, [reason for *_, reason in refused(run)]) == (cost, reasons)


@pytest.mark.parametrize(
    ("header", "about", "wanted"),
    [
        ("sku,cost", "", True),
        ("ID;Einkaufspreis;Bezeichnung", "", True),
        ("order id,date,total,sku,cost", "", False),
        ("sku,what we pay", "", False),
        ("sku,what we pay", "products", True),
    ],
)
def test_columns_tell_products_from_orders_unless_somebody_does(
    shop: Shop, tmp_path: Path, header: str, about: str, wanted: bool
) -> None:
    path = written(tmp_path, f"{header}\n{header.replace('sku', '1')}\n")

    assert propose(path, shop, about=about).is_products is wanted


def test_what_is_missing_is_said(shop: Shop, tmp_path: Path) -> None:
    path = written(tmp_path, "title,what\nA,7.00\n")

    with pytest.raises(PlanIncomplete) as told:
        check(propose(path, shop, about="products"))

    assert told.value.reasons == ("mapping_missing: cost", "mapping_missing: sku")


def test_a_preview_counts_products(shop: Shop, tmp_path: Path) -> None:
    path = written(tmp_path, OWN)
    found: Any = preview(path, propose(path, shop), now=NOW)

    assert (found.orders, found.refused) == (1, 3)
