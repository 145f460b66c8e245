"""What a shop must keep of a sale and who gets no more discounts, with defaults for a shop that said nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.offers.models import OfferSettings
from recoup.offers.pricing import Rules, coin
from recoup.orders.models import Order
from recoup.shops.models import Shop

CHANGEABLE = (
    "default_cost",
    "fee",
    "fixed_fee",
    "tax",
    "returns",
    "floor",
    "most_discounts",
    "most_left",
    "memory_days",
)


_ORDERS_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """When a person gets no more discounts."""

    most_discounts: int
    most_left: int
    memory: timedelta


def get_settings(shop: Shop) -> OfferSettings:
    """Return the settings of a shop; one that was never saved has the defaults."""
    return OfferSettings.objects.filter(shop=shop).first() or OfferSettings(shop=shop)


def rules_of(shop: Shop, settings: OfferSettings, currency: str, *, least: Decimal = Decimal(0)) -> Rules:
    """Return what must be kept of a sale in a currency; a fixed fee is known in the shop's own currency alone;
    with one, nothing is granted in another, since nobody can tell what would be left.

    `least` is the smallest sum that can be paid; a coin at the least, since an offer makes nothing free.
    """
    return Rules(
        default_cost=settings.default_cost,
        fee=settings.fee,
        fixed_fee=settings.fixed_fee if currency == shop.currency or not settings.fixed_fee else None,
        returns=settings.returns,
        floor=settings.floor,
        least=max(least, coin(currency)),
    )


def tax_share(shop: Shop | int, currency: str) -> Decimal:
    """Return which share of what a buyer pays is tax, for what does not say it: carts, products, some orders (K7).

    As the settings say (23 for 23 % on top of the net price), else as in the newest orders that say theirs; none if there is
    neither.
    """
    told: Decimal | None = OfferSettings.objects.filter(shop=shop).values_list("tax", flat=True).first()
    if told is not None:
        return told / (100 + told)
    # The newest of all, so that a shop that tells no tax is not read to its end.
    newest = Order.objects.filter(shop=shop).order_by("-placed_at", "-id")
    told_by = [
        (total, tax)
        for code, total, tax in newest.values_list("currency", "total", "tax_total")[:_ORDERS_LOOKED_AT]
        if code == currency and tax is not None and total > 0
    ]
    sums = [sum(column, Decimal(0)) for column in zip(*told_by, strict=True)]
    return min(max(sums[1] / sums[0], Decimal(0)), Decimal(1)) if sums else Decimal(0)


def limits_of(settings: OfferSettings) -> Limits:
    """Return when a person gets no more discounts."""
    return Limits(settings.most_discounts, settings.most_left, timedelta(days=settings.memory_days))


def save_settings(settings: OfferSettings, *, actor: Actor, now: datetime) -> OfferSettings:
    """Keep the settings of a shop; offers that are in force are held against them when they are used."""
    with transaction.atomic():
        values = {name: getattr(settings, name) for name in CHANGEABLE}
        kept, _ = OfferSettings.objects.update_or_create(shop=settings.shop, defaults=values)
        activity.record(
            "offers.settings.changed",
            shop_id=kept.shop_id,
            subject=("shop", kept.shop_id),
            at=now,
            actor=actor,
        )
    return kept
