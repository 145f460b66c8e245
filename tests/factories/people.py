"""Buyers."""

import itertools
from typing import Any

from recoup.core import search
from recoup.customers.models import Contact, ContactGate, ContactIdentity
from recoup.customers.normalise import email_look
from recoup.shops.models import Shop
from tests.factories.moments import DAY, NOW

_numbers = itertools.count(1)


def make_contact(shop: Shop, *, email: str | None = None, **values: Any) -> Contact:
    """Make a buyer with their gate and the identity of their e-mail (new unless given; `""` for none)."""
    number = next(_numbers)
    address = f"anna{number}@example.com" if email is None else email
    name = values.pop("name", "Anna Nowak")
    contact = Contact(
        **{
            "shop": shop,
            "name": name,
            "email": address,
            "locale": "en",
            "sort_name": search.normalise(name),
            "search": search.tokens(name, address),
            "first_seen_at": NOW - 30 * DAY,
            **values,
        }
    )
    contact.save(force_insert=True)
    ContactGate(contact=contact, shop_id=shop.pk).save(force_insert=True)
    if address:
        ContactIdentity(
            shop=shop,
            contact=contact,
            kind="email",
            value=address.casefold(),
            look=email_look(address),
            first_seen_at=NOW - 30 * DAY,
        ).save(force_insert=True)
    if contact.phone:
        ContactIdentity(
            shop=shop, contact=contact, kind="phone", value=contact.phone, first_seen_at=NOW - 30 * DAY
        ).save(force_insert=True)
    return contact
