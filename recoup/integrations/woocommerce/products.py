"""Products as WooCommerce's REST API shows them (v3), turned into snapshots."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from recoup.integrations import values
from recoup.integrations.woocommerce.orders import refuse_error
from recoup.shops.snapshots import ProductSnapshot

# Tuples: a plugin may put anything there, and a list cannot be looked for in a set.
_SOLD = (None, "instock", "onbackorder")
_SHOWN = (None, "publish")


def read_product(body: Mapping[str, Any], *, currency: str) -> ProductSnapshot:
    """Return the snapshot of a product; WooCommerce's products do not tell their currency.

    :raises BodyQuarantined: naming the field that cannot be used.
    """
    refuse_error(body)
    ref = values.external_ref(body.get("id"), "id")
    parent = values.optional_ref(body.get("parent_id"), "parent_id")
    images = body.get("images")
    first = images[0] if isinstance(images, list) and images else {}
    changed_at = body.get("date_modified_gmt") or body.get("date_created_gmt")
    price = body.get("price")
    return ProductSnapshot(
        ref=parent or ref,
        variant_ref=ref if parent else "",
        name=values.line(body.get("name")) or "—",
        price=values.fine_amount(price, "price") if price not in (None, "") else None,
        currency=currency,
        version_at=values.utc_instant(changed_at, "date_modified_gmt"),
        sku=values.line(body.get("sku"), length=100),
        is_available=body.get("status") in _SHOWN and body.get("stock_status") in _SOLD,
        stock=values.stock(body.get("stock_quantity"), "stock_quantity"),
        url=values.web_address(body.get("permalink")),
        image_url=values.web_address(values.members(first).get("src")),
        cost=_cost(body.get("cost_of_goods_sold")),
        says_cost="cost_of_goods_sold" in body,
    )


def _cost(told: object) -> Decimal | None:
    """Return what one costs; a variation's own value may come on top of its product's, and `total_value` is both.

    WooCommerce knows no cost of zero: it is what a product without one has. Shops that have Cost of Goods Sold switched off
    do not tell it at all.
    """
    known = values.members(told)
    total = known.get("total_value")
    if total is None:
        rows = values.items(known.get("values"), "cost_of_goods_sold.values", most=100)
        parts = [row.get("effective_value") or row.get("defined_value") or 0 for row in rows]
        found = sum((values.fine_amount(part, "cost_of_goods_sold.values") for part in parts), Decimal(0))
    else:
        found = values.fine_amount(total, "cost_of_goods_sold.total_value")
    return found if found > 0 else None


def gone_product(body: Mapping[str, Any], *, currency: str, at: datetime) -> ProductSnapshot:
    """Return a product that was deleted: WooCommerce tells its id alone.

    :raises BodyQuarantined: if there is none.
    """
    refuse_error(body)
    return ProductSnapshot(
        ref=values.external_ref(body.get("id"), "id"),
        name="",
        price=None,
        currency=currency,
        version_at=at,
        is_available=False,
        is_deleted=True,
    )
