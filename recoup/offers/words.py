"""What an offer is, in the words of a language: on buyers' pages, in texts and on screens."""

from decimal import Decimal

from django.utils import translation
from django.utils.translation import gettext as _

from recoup.core.humane import percent
from recoup.core.money import Money
from recoup.offers.terms import Kind, Terms


def discount_words(terms: Terms, currency: str, language: str, *, gift: str = "") -> str:
    """Return what somebody gets: "10%", "€5.00", "free delivery", or the name of the gift."""
    with translation.override(language):
        if terms.kind is Kind.PERCENT:
            return percent_words(terms.percent, language)
        if terms.kind is Kind.AMOUNT:
            return Money(terms.amount, terms.currency or currency).text(language.replace("-", "_"))
        if terms.kind is Kind.DELIVERY:
            return _("free delivery")
        return gift or _("a gift")


def percent_words(share: Decimal, language: str) -> str:
    """Return a percentage as people of the language write it, with no digits that say nothing."""
    digits = max(-int(share.normalize().as_tuple().exponent), 0)
    return percent(share / 100, language, digits)
