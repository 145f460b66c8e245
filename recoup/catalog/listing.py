"""The list of products by name: filters, a search, pages by key, counts."""

from dataclasses import dataclass

from django_scopes import scope

from recoup.catalog.models import Product
from recoup.core.paging import MOST_COUNTED, PAGE_SIZE, Count, Keyset, Page, count_rows, page_keys
from recoup.shops.models import Shop

UNKNOWN, AT_A_LOSS = "unknown", "loss"
_VIEWS = {UNKNOWN: "r.cost IS NULL", AT_A_LOSS: "r.cost >= r.price AND r.price > 0"}


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which products a list shows; nothing chosen is all of them."""

    text: str = ""
    view: str = ""
    source_id: int | None = None


def list_products(
    shop: Shop, chosen: ProductFilter, *, cursor: str = "", size: int = PAGE_SIZE
) -> Page[Product]:
    """Return a page of products with their source, by name."""
    page = page_keys(_keyset(shop, chosen), cursor=cursor, size=size)
    with scope(shop=shop):
        found = Product.objects.select_related("source").in_bulk(page.rows)
    return Page([found[key] for key in page.rows if key in found], older=page.older, newer=page.newer)


def count_products(shop: Shop, chosen: ProductFilter, *, most: int | None = MOST_COUNTED) -> Count:
    """Count the products of a list, exactly up to `most`, or all of them (`None`)."""
    return count_rows(_keyset(shop, chosen), most=most)


def _keyset(shop: Shop, chosen: ProductFilter) -> Keyset:
    conditions, params = ["NOT r.is_deleted"], []
    if chosen.view in _VIEWS:
        conditions.append(_VIEWS[chosen.view])
    if chosen.source_id is not None:
        conditions.append("r.source_id = %s")
        params.append(str(chosen.source_id))
    if chosen.text:
        conditions.append("(upper(r.name) LIKE upper(%s) OR upper(r.sku) LIKE upper(%s))")
        text = chosen.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        params += [f"%{text}%", f"{text}%"]
    return Keyset(
        table="catalog_product",
        shop_id=shop.pk,
        value="name",
        is_text=True,
        is_descending=False,
        conditions=conditions,
        params=params,
    )
