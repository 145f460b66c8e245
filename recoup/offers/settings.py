"""What a shop must keep of a sale and who gets no more discounts, with defaults for a shop that said nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.offers.models import OfferSettings
from recoup.offers.pricing import Rules, coin
from recoup.shops.models import Shop

CHANGEABLE = (
    "default_cost",
    "fee",
    "fixed_fee",
    "returns",
    "floor",
    "most_discounts",
    "most_left",
    "memory_days",
)


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
