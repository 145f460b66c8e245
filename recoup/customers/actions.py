"""What changes buyers: recognising them, their consents, suppression."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from recoup.core import outbox, search
from recoup.customers.events import ConsentChanged
from recoup.customers.models import (
    ConsentEvent,
    Contact,
    ContactGate,
    ContactIdentity,
    MergeSuggestion,
    Suppression,
)
from recoup.customers.normalise import clean_name, email_alias, email_key, email_look, phone_key
from recoup.customers.queries import address_hash
from recoup.shops.models import Shop
from recoup.shops.snapshots import PersonSnapshot

# The strongest sign first: an account is one person, an address nearly always, a phone mostly.
_STRENGTH = (ContactIdentity.Kind.ACCOUNT, ContactIdentity.Kind.EMAIL, ContactIdentity.Kind.PHONE)

MOST_SUGGESTIONS = 5  # for one new address; a mailbox with hundreds of aliases is no work for a person


@dataclass(frozen=True, slots=True)
class Consent:
    """One word on consent, as it was given or taken back."""

    purpose: str
    is_given: bool
    source: str
    at: datetime
    channel: str = "email"
    text: str = ""
    text_version: str = ""
    locale: str = ""
    address_class: str = ""
    number: str = ""  # that it is given for, over any channel but e-mail; without, the person's own


def touch_gates(contact_ids: Iterable[int]) -> None:
    """Update the gates that the sender locks, in key order: done first by whoever writes what can forbid a message.

    Those of people merged into these, or that these were merged into, too: who reads beside a merge may still name the one
    who went, and a sender may hold a message of theirs.
    """
    wanted = sorted(set(contact_ids))
    if wanted:
        with connection.cursor() as cursor:
            cursor.execute(
                "WITH l AS (SELECT contact_id FROM customers_contactgate WHERE contact_id = ANY(%s || ARRAY("
                "SELECT id FROM customers_contact WHERE merged_into_id = ANY(%s) UNION ALL"
                " SELECT merged_into_id FROM customers_contact WHERE id = ANY(%s))::bigint[])"
                " ORDER BY contact_id FOR NO KEY UPDATE)"
                " UPDATE customers_contactgate g SET changes = changes + 1 FROM l WHERE g.contact_id = l.contact_id",
                [wanted, wanted, wanted],
            )


def recognise(
    shop: Shop, person: PersonSnapshot, *, source_id: int, now: datetime, seen_at: datetime | None = None
) -> Contact | None:
    """Return the contact that a person is, made if new; `None` if nothing names them.

    Same e-mail (ASCII case aside), same E.164 phone or same account is one person. Where the signs point to several
    contacts, a shared phone meets another account, or an address is another spelling of a known one or looks like it, the
    strongest wins and a merge is suggested (T42).
    """
    signs = _signs(person, source_id)
    if not signs:
        return None
    with transaction.atomic():
        wait_for_signs(shop.pk, signs.items())
        known = _known(shop.pk, signs)
        contact, others = _choose(signs, known)
        if contact is None:
            contact = _make(shop, person, seen_at or now)
        else:
            _complete(contact, person)
        _add_identities(contact, signs, known, seen_at or now)
        for other in others:
            _suggest(contact, other, "shared_sign", now)
        if ContactIdentity.Kind.EMAIL in signs and ContactIdentity.Kind.EMAIL not in known:
            _suggest_look_alikes(contact, signs[ContactIdentity.Kind.EMAIL], now)
        return contact


def _signs(person: PersonSnapshot, source_id: int) -> dict[str, str]:
    signs = {
        ContactIdentity.Kind.ACCOUNT: f"{source_id}:{person.account_ref}" if person.account_ref else "",
        ContactIdentity.Kind.EMAIL: email_key(person.email),
        ContactIdentity.Kind.PHONE: phone_key(person.phone, person.country),
    }
    return {str(kind): value for kind, value in signs.items() if value}


def wait_for_signs(shop_id: int, signs: Iterable[tuple[str, str]]) -> None:
    """Let nobody else recognise the same signs until this transaction ends, so that no person is made twice."""
    keys = sorted(
        int.from_bytes(hashlib.sha256(f"{shop_id}|{kind}|{value}".encode()).digest()[:8], "big", signed=True)
        for kind, value in signs
    )
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _known(shop_id: int, signs: dict[str, str]) -> dict[str, Contact]:
    rows = ContactIdentity.objects.filter(
        shop_id=shop_id, kind__in=list(signs), value__in=list(signs.values())
    ).select_related("contact")
    return {row.kind: row.contact for row in rows if signs.get(row.kind) == row.value}


def _choose(signs: dict[str, str], known: dict[str, Contact]) -> tuple[Contact | None, list[Contact]]:
    found = [known[kind] for kind in _STRENGTH if kind in known]
    if not found:
        return None, []
    first = found[0]
    only_phone = set(known) == {ContactIdentity.Kind.PHONE}
    if only_phone and ContactIdentity.Kind.ACCOUNT in signs and _has_account(first):
        return None, [first]
    return first, [contact for contact in found[1:] if contact.pk != first.pk]


def _has_account(contact: Contact) -> bool:
    return ContactIdentity.objects.filter(
        shop_id=contact.shop_id, contact=contact, kind=ContactIdentity.Kind.ACCOUNT
    ).exists()


def _make(shop: Shop, person: PersonSnapshot, seen_at: datetime) -> Contact:
    contact = Contact(
        shop=shop,
        name=clean_name(person.name),
        email=email_key(person.email),
        phone=phone_key(person.phone, person.country),
        locale=person.locale[:8],
        time_zone=person.time_zone[:64],
        country=person.country[:2].upper(),
        company=clean_name(person.company),
        first_seen_at=seen_at,
    )
    index(contact)
    contact.save(force_insert=True)
    ContactGate.objects.create(contact=contact, shop_id=shop.pk)
    return contact


def _complete(contact: Contact, person: PersonSnapshot) -> None:
    """Fill what was empty; what is known already is not overwritten by a later guest order."""
    news = {
        "name": clean_name(person.name),
        "email": email_key(person.email),
        "phone": phone_key(person.phone, person.country),
        "locale": person.locale[:8],
        "time_zone": person.time_zone[:64],
        "country": person.country[:2].upper(),
        "company": clean_name(person.company),
    }
    filled = [field for field, value in news.items() if value and not getattr(contact, field)]
    if filled and contact.erased_at is None:
        for field in filled:
            setattr(contact, field, news[field])
        index(contact)
        contact.save(update_fields=[*filled, "search", "sort_name"])


def index(contact: Contact, more: Iterable[str] = ()) -> None:
    """Write what a person is found by; what they were found by before stays, as the other address after a merge."""
    own = search.tokens(contact.name, contact.email, contact.phone, contact.company)
    contact.search = sorted(list(dict.fromkeys([*own, *contact.search, *more]))[: search.MOST])
    contact.sort_name = search.normalise(contact.name or contact.email or contact.phone)


def _add_identities(contact: Contact, signs: dict[str, str], known: dict[str, Contact], at: datetime) -> None:
    ContactIdentity.objects.bulk_create(
        [
            ContactIdentity(
                shop_id=contact.shop_id,
                contact=contact,
                kind=kind,
                value=value,
                look=email_look(value) if kind == ContactIdentity.Kind.EMAIL else "",
                first_seen_at=at,
            )
            for kind, value in signs.items()
            if kind not in known
        ],
        ignore_conflicts=True,
    )


def _suggest(one: Contact, other: Contact, why: str, now: datetime) -> None:
    first, second = sorted((one, other), key=lambda contact: contact.pk)
    MergeSuggestion.objects.bulk_create(
        [MergeSuggestion(shop_id=one.shop_id, first=first, second=second, why=why, made_at=now)],
        ignore_conflicts=True,
    )


def _suggest_look_alikes(contact: Contact, address: str, now: datetime) -> None:
    """Suggest who may be the same person as the owner of a new address: another spelling, or letters that look alike."""
    twins = (
        ContactIdentity.objects.filter(shop_id=contact.shop_id, look=email_look(address))
        .exclude(contact=contact)
        .exclude(look="")
        .select_related("contact")
        .order_by("id")[:MOST_SUGGESTIONS]
    )
    for twin in twins:
        is_alias = email_alias(twin.value) == email_alias(address)
        _suggest(contact, twin.contact, "mail_alias" if is_alias else "look_alike", now)


def record_consent(contact: Contact, consents: Sequence[Consent], *, now: datetime) -> None:
    """Append words on consent; the gate is updated first, so that no message passes by. Announces `ConsentChanged`.

    One that is dated ahead of our clock counts from now.
    """
    with transaction.atomic():
        touch_gates([contact.pk])
        ConsentEvent.objects.bulk_create(
            [
                ConsentEvent(
                    shop_id=contact.shop_id,
                    contact=contact,
                    purpose=consent.purpose,
                    channel=consent.channel,
                    is_given=consent.is_given,
                    source=consent.source[:40],
                    text=consent.text,
                    text_version=consent.text_version[:64],
                    locale=consent.locale[:8],
                    address_class=consent.address_class[:40],
                    number_hash=_number_hash(contact, consent),
                    became_true_at=min(consent.at, now),
                    told_at=consent.at if consent.at > now else None,
                    learnt_at=now,
                )
                for consent in consents
            ]
        )
        outbox.announce(ConsentChanged(shop_id=contact.shop_id, contact_id=contact.pk, at=now))


def _number_hash(contact: Contact, consent: Consent) -> bytes | None:
    number = consent.number or contact.phone
    if consent.channel == "email" or not number:
        return None
    return address_hash(contact.shop_id, consent.channel, number)


def record_consent_once(contact: Contact, consent: Consent, *, now: datetime) -> bool:
    """Append a word on consent that a source tells again and again, once for its instant; tell whether it was new.

    One that is dated ahead of our clock is known by the instant that was told, so that it never comes back over what was
    said meanwhile.
    """
    with transaction.atomic():
        touch_gates([contact.pk])
        is_same = Q(told_at=consent.at) | Q(told_at=None, became_true_at=consent.at)
        told = ConsentEvent.objects.filter(
            is_same,
            shop_id=contact.shop_id,
            contact=contact,
            purpose=consent.purpose,
            channel=consent.channel,
            is_given=consent.is_given,
        )
        is_known = told.exists()
        if not is_known:
            record_consent(contact, [consent], now=now)
    return not is_known


def suppress(
    shop_id: int, address: str, *, scope: str, reason: str, now: datetime, channel: str = "email"
) -> None:
    """Let an address get nothing of a scope from now on. Twice is the same as once.

    The gates of everybody recognised by the address are updated first.
    """
    with transaction.atomic():
        kind, key = ContactIdentity.Kind.EMAIL, email_key(address)
        if channel == "sms":
            kind, key = ContactIdentity.Kind.PHONE, address.strip()
        ids = list(
            ContactIdentity.objects.filter(shop_id=shop_id, kind=kind, value=key).values_list(
                "contact_id", flat=True
            )
        )
        touch_gates(ids)
        Suppression.objects.bulk_create(
            [
                Suppression(
                    shop_id=shop_id,
                    channel=channel,
                    address_hash=address_hash(shop_id, channel, address),
                    scope=scope,
                    reason=reason,
                    since=now,
                )
            ],
            ignore_conflicts=True,
        )
        outbox.announce(*[ConsentChanged(shop_id=shop_id, contact_id=pk, at=now) for pk in ids])


def lift_suppression(
    shop_id: int, address: str, *, scope: str, reasons: Iterable[str], now: datetime, channel: str = "email"
) -> bool:
    """End a suppression that was set for one of these reasons; a bounce is not lifted by wishing."""
    return bool(
        Suppression.objects.filter(
            shop_id=shop_id,
            channel=channel,
            address_hash=address_hash(shop_id, channel, address),
            scope=scope,
            reason__in=list(reasons),
            lifted_at=None,
        ).update(lifted_at=now)
    )
