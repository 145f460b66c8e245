"""Whom the sending rules would leave out, in sentences: where, by which rule, how many."""

from collections.abc import Collection, Iterable
from datetime import datetime

from babel import Locale
from babel.lists import format_list
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from recoup.messaging.models import Message
from recoup.messaging.rules.book import book_of
from recoup.messaging.rules.kinds import Content
from recoup.messaging.rules.law import COUNTRIES, OTHER
from recoup.messaging.rules.reach import Bar, Saying, bars_of, left_out
from recoup.processes.texts import sayings_of
from recoup.shops.models import Shop


def country_name(country: str) -> str:
    """Return the name of a country in the reader's language."""
    if country == OTHER:
        return _("All other countries, and where the country is not known")
    return str(Locale.parse(get_language() or "en").territories.get(country, country))


def warnings_of_texts(shop: Shop, keys: Collection[str], *, now: datetime) -> list[str]:
    """Return what the rules say against published texts, each once, and how many people that would have left out."""
    return warnings_of(shop, sayings_of(shop, keys).values(), now=now)


def warnings_of(shop: Shop, sayings: Iterable[Saying], *, now: datetime) -> list[str]:
    """Return what the rules say against what is said, each once, and how many people that would have left out."""
    book, found = book_of(shop.pk, now=now), []
    for saying in sorted(set(sayings)):
        bars = bars_of(book, saying)
        if not bars:
            continue
        counted = left_out(shop.pk, book, saying, now=now)
        how_many = ngettext(
            "Of the latest %(people)d people of the last 90 days, %(left)d would have been left out.",
            "Of the latest %(people)d people of the last 90 days, %(left)d would have been left out.",
            counted.left_out,
        ) % {"people": counted.people, "left": counted.left_out}
        found.append(" ".join([*(_sentence(bar) for bar in bars), how_many]))
    return list(dict.fromkeys(found))


def _sentence(bar: Bar) -> str:
    where = {"countries": _countries(bar.countries)}
    if bar.verdict == Message.MessageClass.FORBIDDEN:
        return _("%(countries)s: forbidden by your sending rules.") % where
    if bar.content == Content.CART:
        return _("%(countries)s: a reminder of a cart is advertising and needs consent.") % where
    if bar.content == Content.ADVERTISING:
        return _("%(countries)s: this is advertising and needs consent.") % where
    return _("%(countries)s: your sending rules ask for consent.") % where


def _countries(countries: Collection[str]) -> str:
    if set(countries) == set(COUNTRIES):
        return _("In every country")
    return format_list(
        [country_name(one) for one in countries], locale=(get_language() or "en").replace("-", "_")
    )
