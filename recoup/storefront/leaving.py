"""Unsubscribing by one click, and coming back (R21, T52, T53, T55)."""

from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recoup.core import activity
from recoup.core.activity import Actor
from recoup.core.callers import address_class
from recoup.customers.actions import Consent, lift_suppression, record_consent, suppress
from recoup.customers.models import ConsentEvent, Contact, Suppression
from recoup.customers.queries import find_consent, suppression_scopes
from recoup.messaging.classes import CONSENT_PURPOSES, class_of_text, content_of_kind, unsubscribe_scope
from recoup.messaging.models import ChannelKind, Message
from recoup.storefront.doors import buyers_page
from recoup.storefront.pages import closed, page
from recoup.storefront.purposes import OUT
from recoup.storefront.visits import Visit

ONE_CLICK = ("List-Unsubscribe", "One-Click")  # RFC 8058
SOURCE = "unsubscribe_link"


@buyers_page(OUT)
def out(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show how to leave; leave on POST, by the mail program's one click or by the button. Any other POST is refused."""
    road, scope = _what(visit)
    if request.method != "POST":
        return _show(visit, has_left=_has_left(visit, road, scope), scope=scope)
    if request.POST.get(ONE_CLICK[0]) == ONE_CLICK[1]:
        leave(visit.link.shop_id, visit.contact, road, scope=scope, now=visit.now)
        return closed(HttpResponse("OK\n", content_type="text/plain"))
    if request.POST.get("do") == "leave":
        leave(visit.link.shop_id, visit.contact, road, scope=scope, now=visit.now)
        return _show(visit, has_left=True, scope=scope)
    if request.POST.get("do") == "return":
        come_back(
            visit.link.shop_id,
            visit.contact,
            road,
            scope=scope,
            now=visit.now,
            caller=address_class(request),
        )
        return _show(visit, has_left=False, has_returned=True, scope=scope)
    return closed(HttpResponse(status=400))


class Road(NamedTuple):
    """By which channel a message came, and to which address or number."""

    channel: str
    address: str


def _what(visit: Visit) -> tuple[Road, str]:
    """Return how the message came, and what leaving it ends."""
    message = Message.objects.filter(shop_id=visit.shop.pk, pk=visit.link.message_id or 0).first()
    contact = visit.contact
    road = (
        Road(message.channel, message.recipient)
        if message
        else Road(ChannelKind.EMAIL, contact.email if contact else "")
    )
    message_class = (
        message.message_class if message else class_of_text(content_of_kind(visit.link.subject_kind))
    )
    return road, unsubscribe_scope(message_class)


def _has_left(visit: Visit, road: Road, scope: str) -> bool:
    if not road.address:
        return False
    found = suppression_scopes(visit.shop.pk, road.address, channel=road.channel)
    return bool(found & {scope, Suppression.Scope.ALL})


def _show(visit: Visit, *, has_left: bool, scope: str, has_returned: bool = False) -> HttpResponse:
    context = {
        "action": visit.address,
        "has_left": has_left,
        "has_returned": has_returned,
        "is_advertising": scope == Suppression.Scope.MARKETING,
        "consent_text": consent_text(visit.shop.name),
    }
    return page(visit.shop, "out.html", context)


def consent_text(shop_name: str) -> str:
    """Return what somebody agrees to who comes back; kept with the consent as its proof."""
    return _("I would like %(shop)s to write to me again about carts that I left, and with offers.") % {
        "shop": shop_name
    }


def leave(shop_id: int, contact: Contact | None, road: Road, *, scope: str, now: datetime) -> None:
    """Let an address get nothing of a scope from now on, and take back the consents that belong to it. Twice is once."""
    if road.address:
        reason = Suppression.Reason.UNSUBSCRIBED
        suppress(shop_id, road.address, scope=scope, reason=reason, now=now, channel=road.channel)
    if contact is None:
        return
    if scope == Suppression.Scope.MARKETING:
        # One that was given for another number of theirs ends, too: who leaves wants no more of it anywhere.
        anywhere = Road(road.channel, "")
        given = [p for p in CONSENT_PURPOSES if _agrees(contact, p, anywhere, now)]
        taken_back = [
            Consent(purpose=p, is_given=False, source=SOURCE, at=now, channel=road.channel) for p in given
        ]
        if taken_back:
            record_consent(contact, taken_back, now=now)
    _note("storefront.contact.left", shop_id, contact, scope, now)


def come_back(
    shop_id: int, contact: Contact | None, road: Road, *, scope: str, now: datetime, caller: str
) -> None:
    """Lift what leaving did, with a new record of consent where consent is needed. A bounce is not lifted."""
    if road.address:
        reasons = [Suppression.Reason.UNSUBSCRIBED]
        lift_suppression(shop_id, road.address, scope=scope, reasons=reasons, now=now, channel=road.channel)
    if contact is None:
        return
    if scope == Suppression.Scope.MARKETING and contact.erased_at is None:
        consents = [
            Consent(
                purpose=purpose,
                is_given=True,
                source=SOURCE,
                at=now,
                channel=road.channel,
                text=consent_text(contact.shop.name),
                locale=get_language() or "",
                address_class=caller,
                number="" if road.channel == ChannelKind.EMAIL else road.address,
            )
            for purpose in CONSENT_PURPOSES
            if not _agrees(contact, purpose, road, now) and _was_given(contact, purpose, road)
        ]
        if consents:
            record_consent(contact, consents, now=now)
    _note("storefront.contact.returned", shop_id, contact, scope, now)


def _agrees(contact: Contact, purpose: str, road: Road, now: datetime) -> bool:
    found = find_consent(contact, purposes=[purpose], at=now, channel=road.channel, address=road.address)
    return found is not None


def _was_given(contact: Contact, purpose: str, road: Road) -> bool:
    """Tell whether this was agreed to before: coming back restores what was left, and adds nothing."""
    return ConsentEvent.objects.filter(
        shop_id=contact.shop_id, contact=contact, purpose=purpose, channel=road.channel, is_given=True
    ).exists()


def _note(verb: str, shop_id: int, contact: Contact, scope: str, now: datetime) -> None:
    activity.record(
        verb,
        shop_id=shop_id,
        subject=("contact", contact.pk),
        at=now,
        actor=Actor("buyer", contact.pk),
        scope=str(scope),
    )
