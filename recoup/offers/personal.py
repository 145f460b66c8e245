"""An offer to a person, for whatever they order next: held against the floor by what is known before they order (K6, K7)."""

from decimal import Decimal

from recoup.catalog.models import Product
from recoup.customers.models import Contact
from recoup.offers.models import OfferSettings
from recoup.offers.pricing import Basket, Gift, Line, Refusal, is_guessed, quote
from recoup.offers.reasons import Reason
from recoup.offers.settings import rules_of
from recoup.offers.terms import Kind, Terms
from recoup.shops.adapters import PlatformUnknown, platform
from recoup.shops.models import Shop, Source

_SAMPLE = Decimal(100)


def why_not_for_person(
    shop: Shop, contact_id: int, terms: Terms, settings: OfferSettings
) -> tuple[str, bool]:
    """Return why nobody may be promised this before they order, or nothing, and whether costs were guessed.

    Each chosen product must carry it alone; without any, the shop's share of the price is what goods cost. What is ordered
    then is held against the floor again when it is paid.
    """
    if reason := _why_not_at_all(shop, contact_id):
        return reason, False
    if terms.kind is Kind.GIFT and gift_for(shop, terms) is None and not terms.percent:
        return Reason.NOTHING, False
    if terms.kind in {Kind.DELIVERY, Kind.GIFT}:
        return "", False
    rules, baskets = rules_of(shop, settings, shop.currency), baskets_for(shop, terms)
    parts = [quote(basket, [terms], rules).parts[0] for basket in baskets]
    refusals = [part.refusal or (Refusal.FLOOR if part.is_cut else None) for part in parts]
    reason = next((Reason(str(one)) for one in refusals if one is not None), "")
    return reason, not reason and any(is_guessed(basket, rules) for basket in baskets)


def _why_not_at_all(shop: Shop, contact_id: int) -> str:
    person = Contact.objects.filter(pk=contact_id, shop=shop).first()
    if person is None:
        return Reason.SUBJECT_OVER
    if person.erased_at is not None:
        return Reason.ERASED
    return "" if can_apply(shop) else Reason.ORIGIN


def can_apply(shop: Shop) -> bool:
    """Tell whether any order of a shop may be paid at our page, where an offer to a person is taken off."""
    kinds = Source.objects.filter(shop=shop).values_list("kind", flat=True).distinct()
    return any(not _pays_itself(kind) for kind in kinds)


def _pays_itself(kind: str) -> bool:
    try:
        return platform(kind).capabilities.pays_itself
    except PlatformUnknown:
        return False


def baskets_for(shop: Shop, terms: Terms) -> list[Basket]:
    """Return each chosen product alone as it is sold; goods for a round sum where a share is promised of anything."""
    if terms.products:
        rows = Product.objects.filter(
            shop=shop, ref__in=terms.products, currency=shop.currency, price__gt=0, is_deleted=False
        )
        return [_basket(one, one.price or Decimal(0)) for one in rows.order_by("name", "variant_ref", "id")]
    if terms.kind is Kind.PERCENT:
        return [Basket(shop.currency, _SAMPLE)]
    return []  # a sum off an order that nobody knows yet: the floor holds when it is paid


def _basket(product: Product, price: Decimal) -> Basket:
    return Basket(product.currency, price, (Line(product.ref, price, product.cost),))


def gift_for(shop: Shop, terms: Terms) -> Gift | None:
    """Return the gift if there is one left to give."""
    rows = Product.objects.filter(
        shop=shop, ref=terms.gift, currency=shop.currency, is_available=True, is_deleted=False
    ).exclude(stock__lte=0)
    found = rows.order_by("variant_ref", "id").first()
    return None if found is None else Gift(found.ref, found.name, found.price or Decimal(0), found.cost)
