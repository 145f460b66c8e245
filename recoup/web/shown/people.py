"""People beside orders, cases and messages."""

from collections.abc import Collection

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.accounts.models import User
from recoup.accounts.roles import Right
from recoup.core import humane
from recoup.customers.models import Contact, Suppression
from recoup.customers.queries import address_hash
from recoup.orders.people import OrdersOfPerson, orders_of_people
from recoup.shops.access import Seat
from recoup.web.screens import PersonCard

_STRONGEST_FIRST = ("all", "reminders", "marketing")


def name_of(contact: Contact | None, given: str = "") -> str:
    """Return how a person is called in a list: the name given with the order, their own, else how they are reached."""
    if contact is None:
        return given or _("Unknown")
    return given or contact.name or contact.email or contact.phone or _("Unknown")


def clerk_names(ids: Collection[int | None]) -> dict[int, str]:
    """Return the names of colleagues."""
    wanted = {one for one in ids if one is not None}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=wanted)} if wanted else {}


def language_name(locale: str) -> str:
    """Return the name of a language in the reader's language."""
    code = locale.partition("-")[0].partition("_")[0]
    if not code:
        return ""
    shown = humane.locale_of(get_language() or "en").languages.get(code)
    return (shown or dict(settings.LANGUAGES).get(code, code)).capitalize()


def suppressions_of(contact: Contact) -> list[Suppression]:
    """Return where nothing may be sent to a person, the strongest first."""
    addresses = [(channel, one) for channel, one in (("email", contact.email), ("sms", contact.phone)) if one]
    meant = Q(pk=None)
    for channel, address in addresses:
        meant |= Q(channel=channel, address_hash=address_hash(contact.shop_id, channel, address))
    found = Suppression.objects.filter(meant, shop_id=contact.shop_id, lifted_at=None)
    return sorted(found, key=lambda one: (one.channel != "email", _STRONGEST_FIRST.index(one.scope)))


def suppression_words(one: Suppression) -> str:
    """Return what is not sent, why, and since when."""
    words = (
        _("%(what)s: %(why)s, %(since)s")
        if one.channel == "email"
        else _("SMS: %(what)s: %(why)s, %(since)s")
    )
    return words % {
        "what": Suppression.Scope(one.scope).label,
        "why": Suppression.Reason(one.reason).label,
        "since": humane.day(one.since, timezone.get_current_timezone(), get_language() or "en"),
    }


def person_card(
    seat: Seat, contact: Contact | None, *, given: str = "", numbers: OrdersOfPerson | None = None
) -> PersonCard:
    """Return the card of a person; nobody is known by name, mail or phone of what has no contact."""
    if contact is None:
        return PersonCard(given or _("Unknown"), "")
    if numbers is None:
        numbers = orders_of_people(seat.shop, [contact.pk]).get(contact.pk, OrdersOfPerson())
    since = humane.day(contact.first_seen_at, timezone.get_current_timezone(), get_language() or "en")
    blocked = suppressions_of(contact)
    may_see = seat.may(Right.SEE_CUSTOMERS)
    return PersonCard(
        name=name_of(contact),
        url=reverse("web:customer", args=[seat.shop.slug, contact.pk]) if may_see else "",
        email=contact.email,
        phone=contact.phone,
        language=language_name(contact.locale),
        since=_("Known since %(day)s") % {"day": since},
        paid_orders=numbers.paid,
        paid_sums=numbers.paid_sums,
        warning=suppression_words(blocked[0])
        if blocked
        else ""
        if contact.email
        else _("There is no e-mail address"),
    )
