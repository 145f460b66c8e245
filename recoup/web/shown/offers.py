"""Offers in the list and on their page."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core import humane
from recoup.core.money import Money
from recoup.offers import reasons
from recoup.offers.codes import shown
from recoup.offers.listing import Earned
from recoup.offers.models import Offer, Redemption
from recoup.offers.redeeming import terms_of
from recoup.offers.words import discount_words
from recoup.processes.models import Process
from recoup.shops.access import Seat
from recoup.shops.reasons import words as trouble_words
from recoup.web.answers import place
from recoup.web.offer_screens import EarnedRow, OfferRow
from recoup.web.shown.people import clerk_names, name_of
from recoup.web.words.steps import process_name


def offer_rows(seat: Seat, offers: Sequence[Offer]) -> list[OfferRow]:
    """Return the rows of offers."""
    language = get_language() or "en"
    return [
        OfferRow(
            url=place(seat, "offer", one.pk),
            person=name_of(one.contact),
            what=discount_words(terms_of(one), one.currency, language),
            status=one.state,
            status_label=Offer.State(one.state).label,
            until=one.valid_until,
            code=shown(one.code),
            order=one.order.number if one.order is not None else "",
            money="–"
            if one.is_for_person
            else humane.money(Money(one.expected_discount, one.currency), language),
            why=_why(one),
        )
        for one in offers
    ]


def _why(offer: Offer) -> str:
    """Return why an offer ended or was not granted; of one that a colleague withdrew, what they wrote about it."""
    if not offer.reason or offer.state not in {"void", "refused"}:
        return ""
    return (offer.reason == reasons.Reason.BY_HAND and offer.note) or reasons.words(offer.reason)


def offer_facts(offer: Offer, language: str) -> list[tuple[str, str]]:
    """Return what is to be known of an offer, by name."""
    zone = timezone.get_current_timezone()

    def money(amount: Decimal) -> str:
        return humane.money(Money(amount, offer.currency), language)

    used = Redemption.objects.filter(offer=offer, paid_at__isnull=False).select_related("order").first()
    process = Process.objects.filter(pk=offer.process_id).first() if offer.process_id else None
    terms = terms_of(offer)
    at_shop = offer.maker is not None and offer.state == Offer.State.GRANTED
    maker = clerk_names([offer.granted_by]).get(offer.granted_by or 0) or _("a person")
    facts = [
        (_("What"), discount_words(terms, offer.currency, language)),
        (_("Code"), shown(offer.code)),
        (_("Made by"), process_name(process) if process is not None else maker),
        (_("Made at"), humane.exact(offer.granted_at, zone, language)),
        (_("In force until"), humane.exact(offer.valid_until, zone, language)),
        (_("For"), _("whatever they order next") if offer.is_for_person else ""),
        (_("Would take off"), "" if offer.is_for_person else money(offer.expected_discount)),
        (_("Would cost you"), "" if offer.is_for_person else money(offer.expected)),
        (
            _("Set aside from its budget"),
            money(offer.expected) if offer.is_for_person and offer.budget_start is not None else "",
        ),
        (
            _("Cost of the goods"),
            _("not known for all of them; the share under Offers and margin stood in")
            if offer.is_guessed
            else "",
        ),
        (_("New sum"), money(offer.new_total) if at_shop and offer.new_total is not None else ""),
        (_("Taken off by"), _taken_off_by(offer)),
        (_("Last answer of the shop"), trouble_words(offer.remote_trouble)),
        (_("Description"), terms.description),
        (_("Products"), ", ".join(terms.products)),
        (_("Reason"), reasons.words(offer.reason) if offer.reason else ""),
        (_("Noted"), offer.note),
        (_("Ended at"), humane.exact(offer.ended_at, zone, language) if offer.ended_at else ""),
    ]
    if used is not None:
        facts += [
            (_("Used for order"), used.order.number),
            (_("Took off"), money(used.discount)),
            (_("Paid with it"), money(used.order.captured)),
        ]
    return [(name, value) for name, value in facts if value]


def _taken_off_by(offer: Offer) -> str:
    """Return that the shop itself takes an offer off, and how the code of one for a cart gets there."""
    if offer.maker is None:
        return ""
    if offer.cart_id is None:
        return _("a coupon of %(shop)s, on the order") % {"shop": offer.maker.name}
    if offer.remote_url:
        return _("a coupon of %(shop)s, filled in by the link") % {"shop": offer.maker.name}
    return _("a coupon of %(shop)s, which the buyer types") % {"shop": offer.maker.name}


def earned_rows(found: Sequence[Earned], language: str) -> list[EarnedRow]:
    """Return what offers cost and brought, by process."""
    names = dict(
        Process.objects.filter(pk__in=[one.process_id for one in found if one.process_id]).values_list(
            "pk", "name"
        )
    )

    def money(amount: Decimal, currency: str) -> str:
        return humane.money(Money(amount, currency), language)

    return [
        EarnedRow(
            name=process_name(None, names.get(one.process_id or 0) or _("a deleted process"))
            if one.process_id
            else _("Made by hand"),
            granted=humane.number(one.granted, language),
            used=humane.number(one.used, language),
            discounts=money(one.discounts, one.currency),
            costs=money(one.costs, one.currency),
            money=money(one.money, one.currency),
            is_guessed=one.guessed > 0,
        )
        for one in found
    ]
