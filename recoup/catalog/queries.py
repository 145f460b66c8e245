"""Reads of products: each once, whatever variants it has."""

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
