"""Which ways of delivery and which pick-up points a source offers, as far as it tells."""

from datetime import datetime
from typing import Any

from recoup.catalog.models import DeliveryOption
from recoup.shops.models import Source
from recoup.shops.snapshots import DeliveryOptionSnapshot

Kind = DeliveryOption.Kind


def record_delivery_option(source: Source, snapshot: DeliveryOptionSnapshot, *, now: datetime) -> None:
    """Insert or update a way of delivery or a point; news older than what is known changes nothing.

    One that is gone keeps its title and price: the carts that were left with it still show them.
    """
    version_at = min(snapshot.version_at, now)
    fields: dict[str, Any] = {"is_available": snapshot.is_available, "version_at": version_at}
    if snapshot.is_available or snapshot.title:
        fields |= {
            "title": snapshot.title,
            "price": snapshot.price,
            "currency": snapshot.currency,
            "needs_point": snapshot.needs_point,
        }
    option, is_new = DeliveryOption.objects.get_or_create(
        shop_id=source.shop_id,
        source=source,
        kind=Kind.POINT if snapshot.is_point else Kind.METHOD,
        ref=snapshot.ref,
        defaults=fields,
    )
    if not is_new:
        DeliveryOption.objects.filter(pk=option.pk, version_at__lte=version_at).update(**fields)


def find_method(source: Source, ref: str) -> DeliveryOption | None:
    """Return a way of delivery of a source; `None` if the source does not tell of it."""
    methods = DeliveryOption.objects.filter(shop_id=source.shop_id, source=source, kind=Kind.METHOD)
    return methods.filter(ref=ref).first() if ref else None


def is_point_gone(source: Source, ref: str) -> bool:
    """Tell whether the source says that a pick-up point cannot be used any more."""
    points = DeliveryOption.objects.filter(shop_id=source.shop_id, source=source, kind=Kind.POINT)
    return bool(ref) and points.filter(ref=ref, is_available=False).exists()


def methods_to_the_door(source: Source, currency: str) -> list[DeliveryOption]:
    """Return what a cart could be brought by to an address, the cheapest first: those whose price is known."""
    methods = DeliveryOption.objects.filter(shop_id=source.shop_id, source=source, kind=Kind.METHOD)
    found = methods.filter(is_available=True, needs_point=False, currency=currency, price__isnull=False)
    return list(found.order_by("price", "id")[:10])
