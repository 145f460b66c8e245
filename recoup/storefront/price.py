"""What a buyer is asked for: the sum due, less what an offer to this very person takes off, reckoned before each charge.

The page says the sum with its form (`quote`); what is charged is never read from there, only held against it (K2; T67).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core.humane import exact
from recoup.core.money import Money
from recoup.customers.clocks import clocks_of_person
from recoup.offers.baskets import gift_of
from recoup.offers.coupons import find_at_shop
from recoup.offers.models import Offer
from recoup.offers.redeeming import (
    Applied,
    OfferOver,
    OfferTaken,
    find_applied,
    free_others,
    redeem,
    terms_of,
)
from recoup.offers.words import discount_words
from recoup.orders.actions import amount_due
from recoup.orders.models import Order
from recoup.payments.ways import least_payable
from recoup.storefront.standing import Standing
from recoup.storefront.visits import Visit


class PriceChanged(Exception):
    """The sum is not the one that the buyer saw; nothing was charged."""


@dataclass(frozen=True, slots=True)
class Price:
    """The sum without an offer, the sum to pay, and what makes the difference."""

    due: Money
    to_pay: Money
    applied: Applied | None = None
    waits_for_person: bool = False  # there is an offer, and whoever looks has not said that it is theirs
    ends: str = ""  # when it ends, on the buyer's clock
    words: tuple[str, ...] = ()  # what each offer is, in the buyer's language
    gifts: tuple[str, ...] = ()

    @property
    def quote(self) -> str:
        """Return what the form brings back."""
        return f"{self.to_pay.amount} {self.to_pay.currency}"

    @property
    def saving(self) -> Money:
        """Return what is taken off."""
        return Money(self.due.amount - self.to_pay.amount, self.due.currency)


def price_of(visit: Visit, standing: Standing) -> Price:
    """Return what the visitor of a pay page is asked for; reads only.

    The offer goes to whoever came by a link that was sent to its person. A session that was opened with it keeps it for as
    long as it is in force, whoever looks.
    """
    order = visit.order
    plain = Price(standing.due, standing.due)
    if standing.can_pay and standing.ways.follow_url:
        return _price_at_shop(visit, standing)
    if not standing.can_pay:
        return plain
    is_agreed = standing.session is not None and standing.session.discount > 0
    applied = find_applied(order, now=visit.now, least=least_payable(order))
    if applied is None:
        return plain
    if not (is_personal(visit) or is_agreed):
        return Price(standing.due, standing.due, waits_for_person=True)
    currency = order.currency
    return Price(
        due=standing.due,
        to_pay=Money(standing.due.amount - applied.discount, currency),
        applied=applied,
        ends=ends_words(visit, applied.valid_until or visit.now),
        words=tuple(offer_words(offer, currency) for offer in applied.offers),
        gifts=tuple(part.gift.name for part in applied.quote.parts if part.gift is not None),
    )


def is_personal(visit: Visit) -> bool:
    """Tell whether the link was made for the person of the order or cart, and not for whoever has it."""
    return visit.link.contact_id is not None and visit.link.contact_id == visit.subject.contact_id


def _price_at_shop(visit: Visit, standing: Standing) -> Price:
    """Return what the shop itself asks for: its coupon is off the sum already, and shown to the person of the offer."""
    found = find_at_shop(visit.order, now=visit.now) if is_personal(visit) else None
    if found is None:
        return Price(standing.due, standing.due)
    offer, saved = found
    gift = gift_of(visit.order, terms_of(offer)) if saved == 0 else None
    return Price(
        due=Money(standing.due.amount + saved, standing.due.currency),
        to_pay=standing.due,
        ends=ends_words(visit, offer.valid_until),
        words=(offer_words(offer, visit.order.currency),),
        gifts=(gift.name,) if gift is not None else (),
    )


def offer_words(offer: Offer, currency: str) -> str:
    """Return what an offer is, in the buyer's language."""
    terms = terms_of(offer)
    return terms.description or discount_words(terms, currency, get_language() or "en")


def ends_words(visit: Visit, at: datetime) -> str:
    """Return the exact end of an offer on the buyer's own clock, with its zone."""
    contact, shop = visit.subject.contact, visit.shop
    told, country = ("", "") if contact is None else (contact.time_zone, contact.country)
    zone = clocks_of_person(told, country, shop_zone=shop.time_zone, shop_country=shop.country).end
    return f"{exact(at, zone, get_language() or 'en')} ({at.astimezone(zone).tzname()})"


def has_changed(price: Price, quoted: str | None) -> bool:
    """Tell whether the sum differs from the one that the page showed; nothing quoted is no objection."""
    if quoted is None:
        return False
    seen = _read(quoted)
    return seen is None or seen != price.to_pay


def _read(quoted: str) -> Money | None:
    amount, _gap, currency = quoted[:40].partition(" ")
    try:
        number = Decimal(amount)
    except InvalidOperation:
        return None
    return Money(number, currency) if number.is_finite() and len(currency) == 3 else None


def changed_words(price: Price, quoted: str | None) -> str:
    """Return the notice of a changed price with both sums."""
    language = get_language() or "en"
    seen = _read(quoted or "")
    now = price.to_pay.text(language)
    if seen is None or seen.currency != price.to_pay.currency or abs(seen.amount) > Decimal("1e12"):
        return _("The price has changed. It is %(now)s now. Please look again before you pay.") % {"now": now}
    return _(
        "The price has changed: it was %(was)s and is %(now)s now. Please look again before you pay."
    ) % {
        "was": seen.text(language),
        "now": now,
    }


def agreement(price: Price, *, now: datetime) -> Callable[[Order], Decimal]:
    """Return what is called with the locked order right before its payment is opened: uses the offer, or finds it changed.

    Raises `PriceChanged` then, so that nothing is opened.
    """

    def agree(order: Order) -> Decimal:
        current = None
        if price.applied is not None:
            current = find_applied(order, now=now, least=least_payable(order))
        discount = current.discount if current is not None else Decimal(0)
        if amount_due(order) - discount != price.to_pay.amount:
            raise PriceChanged
        if current is None:
            free_others(order, now=now)
        else:
            try:
                redeem(order, current, now=now)
            except (OfferOver, OfferTaken) as error:
                raise PriceChanged from error
        return discount

    return agree
