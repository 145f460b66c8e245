"""Offers."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from recoup.offers.models import Offer, OfferSettings
from recoup.offers.settings import get_settings
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order
from recoup.shops.models import Shop
from tests.factories.moments import NOW

TEN = Terms(Kind.PERCENT, percent=Decimal(10))
_ALPHABET = "34679CDFGHJKMNPQRTWXY"


def make_settings(shop: Shop, **values: Any) -> OfferSettings:
    """Make settings: goods cost 40 % unless a product says it, nothing else is kept back."""
    settings = get_settings(shop)
    for name, value in {"default_cost": Decimal(40), **values}.items():
        setattr(settings, name, value)
    settings.save()
    return settings


def make_offer(subject: Order | Cart, terms: Terms = TEN, **values: Any) -> Offer:
    """Make an offer about an order or cart, granted at `NOW` for two days, without deciding anything."""
    number = Offer.objects.filter(shop=subject.shop_id).count()
    offer = Offer(
        **{
            "shop_id": subject.shop_id,
            "contact": subject.contact,
            "order": subject if isinstance(subject, Order) else None,
            "cart": subject if isinstance(subject, Cart) else None,
            "code": "CDFGHJKMNP" + _ALPHABET[number // 21] + _ALPHABET[number % 21],
            "kind": str(terms.kind),
            "terms": terms.as_json(),
            "currency": subject.currency,
            "granted_at": NOW,
            "valid_until": NOW + timedelta(days=2),
            "state": "granted",
            **values,
        }
    )
    offer.save(force_insert=True)
    return offer
