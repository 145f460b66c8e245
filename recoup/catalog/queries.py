"""Reads of products: each once, whatever variants it has."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.contrib.postgres.aggregates import BoolOr
from django.db.models import F, Max, Min, Q
from django.db.models.functions import Coalesce

from recoup.catalog.models import Product
from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class ProductWhole:
    """A product with all its variants; `id` is that of any of its rows."""

    id: int
    name: str
    sku: str
    source: str
    is_repeatable: bool


def repeatable_products(shop: Shop, *, most: int) -> list[ProductWhole]:
    """Return the products that are bought again and again, by name."""
    return _wholes(shop, Q(is_repeatable=True), most)


def find_products(shop: Shop, text: str, *, most: int) -> list[ProductWhole]:
    """Return the products whose name holds a text, or whose article number begins with it, by name."""
    return _wholes(shop, Q(name__icontains=text) | Q(sku__istartswith=text), most)


def product_names(shop: Shop, refs: Iterable[str]) -> dict[str, str]:
    """Return the names of products by their reference; what is not there is left out."""
    rows = Product.objects.filter(shop=shop, ref__in=list(refs)).order_by("-variant_ref", "id")
    return dict(rows.values_list("ref", "name"))


def products_called(shop: Shop, names: Collection[str]) -> dict[str, list[str]]:
    """Return the references of the products that have these names exactly, each once."""
    rows = Product.objects.filter(shop=shop, is_deleted=False, name__in=names).order_by("ref")
    found: dict[str, list[str]] = {}
    for name, ref in rows.values_list("name", "ref").distinct():
        found.setdefault(name, []).append(ref)
    return found


def _wholes(shop: Shop, wanted: Q, most: int) -> list[ProductWhole]:
    """Return the products of which any row is wanted."""
    is_itself = Q(variant_ref="")
    rows = (
        Product.objects.filter(shop=shop, is_deleted=False)
        .values("source_id", "ref")
        .annotate(
            row=Min("id"),
            title=Coalesce(Max("name", filter=is_itself), Min("name")),
            number=Coalesce(Max("sku", filter=is_itself), Min("sku")),
            source_name=Min(F("source__name")),
            is_on=BoolOr("is_repeatable"),
            is_wanted=BoolOr(wanted),
        )
        .filter(is_wanted=True)
        .order_by("title", "row")[:most]
    )
    return [
        ProductWhole(row["row"], row["title"], row["number"], row["source_name"], row["is_on"])
        for row in rows
    ]
