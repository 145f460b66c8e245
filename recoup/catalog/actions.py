"""Taking in products as their source shows them, and what staff say of them."""

from datetime import datetime
from typing import Any

from django.db import transaction

from recoup.catalog.costs import take_told
from recoup.catalog.models import Product
from recoup.core import activity
from recoup.core.activity import Actor
from recoup.shops.models import Source
from recoup.shops.snapshots import ProductSnapshot


def record_product(source: Source, snapshot: ProductSnapshot, *, now: datetime) -> Product:
    """Insert or update a product; a snapshot older than what is known changes nothing. `now` is when we learnt it.

    One that is gone keeps its name, price and picture: old orders and mails still show it. With a product go its variants.
    """
    fields = _fields(snapshot, now)
    product, is_new = Product.objects.get_or_create(
        shop_id=source.shop_id,
        source=source,
        ref=snapshot.ref,
        variant_ref=snapshot.variant_ref,
        defaults={"name": "", "currency": snapshot.currency, **fields},
    )
    if not is_new:
        Product.objects.filter(pk=product.pk, version_at__lte=fields["version_at"]).update(**fields)
        product.refresh_from_db()
    if snapshot.says_cost and not snapshot.is_deleted and product.version_at == fields["version_at"]:
        take_told(product, snapshot.cost, now=now)
    if snapshot.is_deleted and not snapshot.variant_ref:
        variants = Product.objects.filter(source=source, ref=snapshot.ref).exclude(pk=product.pk)
        variants.filter(version_at__lte=fields["version_at"]).update(**fields)
    return product


def _fields(snapshot: ProductSnapshot, now: datetime) -> dict[str, Any]:
    """Return the columns that a snapshot says something about."""
    found = {
        "is_available": snapshot.is_available and not snapshot.is_deleted,
        "is_deleted": snapshot.is_deleted,
        "version_at": min(snapshot.version_at, now),
    }
    if snapshot.is_deleted:
        return found
    if snapshot.is_repeatable is not None:
        found["is_repeatable"] = snapshot.is_repeatable
    return found | {
        "sku": snapshot.sku,
        "name": snapshot.name[:500],
        "price": snapshot.price,
        "currency": snapshot.currency,
        "stock": snapshot.stock,
        "url": snapshot.url,
        "image_url": snapshot.image_url,
    }


def set_repeatable(product: Product, *, is_repeatable: bool, actor: Actor, now: datetime) -> bool:
    """Say whether a product, with all its variants, is bought again and again (F2); tell whether that was new.

    From now on a newer paid order closes no older one because of it, or does again. A source that tells it by itself
    overrules this with its next word on the product.
    """
    with transaction.atomic():
        rows = Product.objects.filter(shop=product.shop_id, source=product.source_id, ref=product.ref)
        changed = rows.exclude(is_repeatable=is_repeatable).update(is_repeatable=is_repeatable)
        if changed:
            activity.record(
                "catalog.product.repeatable_changed",
                shop_id=product.shop_id,
                subject=("product", product.pk),
                at=now,
                actor=actor,
                is_repeatable=is_repeatable,
            )
    return bool(changed)
