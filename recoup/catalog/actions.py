"""Taking in products as their source shows them."""

from datetime import datetime

from recoup.catalog.models import Product
from recoup.shops.models import Source
from recoup.shops.snapshots import ProductSnapshot


def record_product(source: Source, snapshot: ProductSnapshot, *, now: datetime) -> Product:
    """Insert or update a product; a snapshot older than what is known changes nothing. `now` is when we learnt it."""
    fields = {
        "sku": snapshot.sku,
        "name": snapshot.name[:500],
        "price": snapshot.price,
        "currency": snapshot.currency,
        "is_available": snapshot.is_available and not snapshot.is_deleted,
        "stock": snapshot.stock,
        "url": snapshot.url,
        "image_url": snapshot.image_url,
        "is_deleted": snapshot.is_deleted,
        "version_at": min(snapshot.version_at, now),
    }
    product, is_new = Product.objects.get_or_create(
        shop_id=source.shop_id,
        source=source,
        ref=snapshot.ref,
        variant_ref=snapshot.variant_ref,
        defaults=fields,
    )
    if not is_new:
        Product.objects.filter(pk=product.pk, version_at__lte=fields["version_at"]).update(**fields)
        product.refresh_from_db()
    return product
