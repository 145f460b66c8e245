"""Reads of buyers."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Q

from recoup.customers.models import ConsentEvent, Contact, ContactIdentity, Suppression
from recoup.customers.normalise import email_key


def address_hash(shop_id: int, channel: str, address: str) -> bytes:
    """Return the keyed hash that a suppressed address is kept under; it outlives the erasure of the person.

    Its key is never rotated: else everybody who unsubscribed would be written to again.
    """
    key = settings.ADDRESS_KEY.encode()
    text = f"{shop_id}|{channel}|{email_key(address) or address.strip()}"
    return hmac.digest(key, text.encode(), hashlib.sha256)


def suppression_scopes(shop_id: int, address: str, *, channel: str = "email") -> set[str]:
    """Return the scopes in which an address gets nothing now."""
    return set(
        Suppression.objects.filter(
            shop_id=shop_id,
            channel=channel,
            address_hash=address_hash(shop_id, channel, address),
            lifted_at=None,
        ).values_list("scope", flat=True)
    )


def is_suppressed(shop_id: int, address: str, *, scopes: Iterable[str], channel: str = "email") -> bool:
    """Tell whether an address gets nothing of any of these scopes; scope `all` counts always."""
    return bool(suppression_scopes(shop_id, address, channel=channel) & {*scopes, Suppression.Scope.ALL})


def find_consent(
    contact: Contact, *, purposes: Iterable[str], at: datetime, channel: str = "email", address: str = ""
) -> ConsentEvent | None:
    """Return the consent in force at an instant for any of the purposes, or `None` (R26).

    The latest word on a purpose counts: a withdrawal ends what was given before.

    :param address: over another channel than e-mail, the number that it must have been given for.
    """
    words = ConsentEvent.objects.filter(
        shop=contact.shop_id, contact=contact, channel=channel, became_true_at__lte=at
    )
    if address and channel != "email":
        hashed = address_hash(contact.shop_id, channel, address)
        is_for_it = Q(number_hash=hashed)
        if contact.phone == address:
            is_for_it |= Q(number_hash=None)
        words = words.filter(Q(is_given=False) | is_for_it)
    for purpose in purposes:
        latest = words.filter(purpose=purpose).order_by("-became_true_at", "-id").first()
        if latest is not None and latest.is_given:
            return latest
    return None


def find_contact(shop_id: int, *, email: str) -> Contact | None:
    """Return the contact recognised by an e-mail address, or `None`."""
    identity = (
        ContactIdentity.objects.filter(
            shop_id=shop_id, kind=ContactIdentity.Kind.EMAIL, value=email_key(email)
        )
        .select_related("contact")
        .first()
    )
    return identity.contact if identity else None


def who_stands_for(contact_ids: Iterable[int]) -> dict[int, int]:
    """Return for each contact the one it was merged into by now, or itself. Crosses shops, as news does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, coalesce(merged_into_id, id) FROM customers_contact WHERE id = ANY(%s)",
            [sorted(set(contact_ids))],
        )
        return dict(cursor.fetchall())
