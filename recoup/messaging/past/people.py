"""Whom a channel reached at an instant, and what they had agreed to by then."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from recoup.core.arrays import read_instants_quickly
from recoup.customers.models import ConsentEvent
from recoup.customers.queries import address_hash
from recoup.messaging.classes import CONSENT_PURPOSES

MARKETING, CART_REMINDER = (
    ConsentEvent.Purpose.MARKETING.value,
    ConsentEvent.Purpose.CART_REMINDER.value,
)


class Word(NamedTuple):
    """A word of a person on messages of a purpose over a channel."""

    channel: str
    purpose: str
    is_given: bool
    became_true_at: datetime
    learnt_at: datetime
    number_hash: bytes | None = None  # that it was given for, over any channel but e-mail


class Number(NamedTuple):
    """Where a short message goes."""

    shop_id: int
    number: str


class Stop(NamedTuple):
    """From when until when an address got nothing of a scope."""

    scope: str
    since: datetime
    lifted_at: datetime | None


class Standing(NamedTuple):
    """What the words of a person came to at an instant, over one channel."""

    has_agreed: bool = False  # to reminders of a cart: by a word on them, or on offers
    wants_offers: bool = False
    objects: bool = False  # took their consent to offers back
    refuses_carts: bool = False
    is_known: bool = False  # there was a word


NO_WORD = Standing()


class About(NamedTuple):
    """What an order or a cart itself says of its person."""

    email: str = ""
    phone: str = ""
    country: str = ""
    locale: str = ""
    is_imported: bool = False


NOTHING = About()


@dataclass(slots=True)
class PastPerson:
    """What is known of one person."""

    email: str = ""
    phone: str = ""
    country: str = ""
    zone: str = ""
    locale: str = ""
    erased_at: datetime | None = None
    email_since: datetime | None = None  # none where nobody knows: it is taken to have been there always
    phone_since: datetime | None = None
    words: list[Word] = field(default_factory=list)  # the latest first, as `shop_facts.CONSENT` takes them
    bought: list[tuple[datetime, datetime | None]] = field(default_factory=list)  # and given back

    def address(self, channel: str, about: About, at: datetime) -> str:
        """Return where a message goes over a channel: what came with the order, else what was known of the person."""
        is_mail = channel == "email"
        told, own = (about.email, self.email) if is_mail else (about.phone, self.phone)
        since = self.email_since if is_mail else self.phone_since
        if told or not own or since is None or about.is_imported or since <= at:
            return told or own
        return ""

    def standing(
        self, channel: str, at: datetime, *, is_imported: bool = False, at_number: Number | None = None
    ) -> Standing:
        """Return what their words came to, as the sender reads them: the latest on each purpose counts.

        :param is_imported: what was imported is taken as told at once, words of its person too.
        :param at_number: over any channel but e-mail, where a message would go; another's number has agreed to nothing.
        """
        latest: dict[str, bool] = {}
        for word in self.words:
            is_learnt = is_imported or word.learnt_at <= at
            if word.channel == channel and word.became_true_at <= at and is_learnt:
                if word.is_given and at_number is not None and not self._is_for(word, at_number):
                    continue
                latest.setdefault(word.purpose, word.is_given)
        if not latest:
            return NO_WORD
        offers, carts = latest.get(MARKETING), latest.get(CART_REMINDER)
        return Standing(bool(offers or carts), bool(offers), offers is False, carts is False, is_known=True)

    def _is_for(self, word: Word, at_number: Number) -> bool:
        if word.number_hash is None:
            return at_number.number == self.phone
        return bytes(word.number_hash) == address_hash(at_number.shop_id, word.channel, at_number.number)

    def has_bought(self, at: datetime) -> bool:
        """Tell whether they had bought something by then that was not given back."""
        return any(since <= at and (until is None or until > at) for since, until in self.bought)


NOBODY = PastPerson()


@dataclass(slots=True)
class PastPeople:
    """Some people, their orders and carts, and the addresses that get nothing."""

    persons: dict[int, PastPerson] = field(default_factory=dict)
    orders: dict[int, About] = field(default_factory=dict)
    carts: dict[int, About] = field(default_factory=dict)
    stops: dict[tuple[str, str], list[Stop]] = field(default_factory=dict)  # by channel and address

    def about(self, order_id: int | None, cart_id: int | None) -> About:
        """Return what an order or a cart says; nothing of neither."""
        if order_id is not None:
            return self.orders.get(order_id, NOTHING)
        return self.carts.get(cart_id, NOTHING) if cart_id is not None else NOTHING

    def scopes(self, channel: str, address: str, at: datetime) -> set[str]:
        """Return of what an address got nothing at an instant."""
        found = self.stops.get((channel, address), ()) if self.stops else ()
        return {
            stop.scope
            for stop in found
            if stop.since <= at and (stop.lifted_at is None or stop.lifted_at > at)
        }


class Wanted(NamedTuple):
    """Whose facts are read, and which of them anything hangs on."""

    shop_id: int
    contact_ids: Collection[int]
    order_ids: Collection[int] = ()
    cart_ids: Collection[int] = ()
    channels: Collection[str] = ("email",)
    asks_for_words: bool = True
    asks_for_purchases: bool = False


def read_people(wanted: Wanted) -> PastPeople:
    """Read people with the instants of everything; so many statements for however many people."""
    found = PastPeople()
    _add_persons(found, wanted)
    if wanted.order_ids:
        found.orders = _abouts(_ORDERS, wanted.shop_id, wanted.order_ids)
    if wanted.cart_ids:
        found.carts = _abouts(_CARTS, wanted.shop_id, wanted.cart_ids)
    if wanted.asks_for_words:
        for contact_id, *word in _rows(_WORDS, [*_whom(wanted), list(CONSENT_PURPOSES)]):
            found.persons[contact_id].words.append(Word._make(word))
    if wanted.asks_for_purchases:
        for contact_id, since, until in _rows(_BOUGHT, _whom(wanted)):
            found.persons[contact_id].bought.append((since, until))
    found.stops = _stops(wanted, found)
    return found


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        read_instants_quickly(cursor)
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _whom(wanted: Wanted) -> list[Any]:
    return [wanted.shop_id, list(wanted.contact_ids)]


# An address that some identity names was known from its first sight on.
_PERSONS = """
    SELECT c.id, c.email, c.phone, c.country, c.time_zone, c.locale, c.erased_at,
        (SELECT i.first_seen_at FROM customers_contactidentity i
         WHERE i.shop_id = c.shop_id AND i.kind = 'email' AND i.value = c.email AND i.contact_id = c.id),
        (SELECT i.first_seen_at FROM customers_contactidentity i
         WHERE i.shop_id = c.shop_id AND i.kind = 'phone' AND i.value = c.phone AND i.contact_id = c.id)
    FROM customers_contact c WHERE c.shop_id = %s AND c.id = ANY(%s)
"""
_ORDERS = """
    SELECT id, coalesce(buyer->>'email', ''), coalesce(buyer->>'phone', ''), coalesce(buyer->>'country', ''), locale,
        is_backfill FROM orders_order WHERE shop_id = %s AND id = ANY(%s)
"""
_CARTS = """
    SELECT id, '', '', '', locale, is_backfill FROM orders_cart WHERE shop_id = %s AND id = ANY(%s)
"""
_WORDS = """
    SELECT contact_id, channel, purpose, is_given, became_true_at, learnt_at, number_hash
    FROM customers_consentevent
    WHERE shop_id = %s AND contact_id = ANY(%s) AND purpose = ANY(%s) ORDER BY became_true_at DESC, id DESC
"""
# Money that was given back in full made it no purchase from the instant on at which we learnt it.
_BOUGHT = """
    SELECT b.contact_id, CASE WHEN b.is_backfill THEN b.paid_at ELSE coalesce(b.paid_learnt_at, b.paid_at) END,
        CASE WHEN b.payment_state IN ('paid', 'partly_refunded') THEN NULL ELSE coalesce(
            (SELECT max(h.learnt_at) FROM payments_attempt a JOIN payments_attemptchange h ON h.attempt_id = a.id
             WHERE a.order_id = b.id AND h.was_applied AND h.state IN ('refunded', 'disputed')), b.paid_at) END
    FROM orders_order b
    WHERE b.shop_id = %s AND b.contact_id = ANY(%s) AND b.paid_at IS NOT NULL AND b.total > 0 AND NOT b.is_test
"""


def _add_persons(found: PastPeople, wanted: Wanted) -> None:
    found.persons = defaultdict(PastPerson)
    for key, *columns in _rows(_PERSONS, _whom(wanted)):
        found.persons[key] = PastPerson(*columns)


def _abouts(statement: str, shop_id: int, ids: Collection[int]) -> dict[int, About]:
    return {key: About._make(columns) for key, *columns in _rows(statement, [shop_id, list(ids)])}


def _stops(wanted: Wanted, found: PastPeople) -> dict[tuple[str, str], list[Stop]]:
    """Return the addresses of these people that get nothing; they are kept under keyed hashes."""
    stopped = _rows(
        "SELECT DISTINCT channel FROM customers_suppression WHERE shop_id = %s AND channel = ANY(%s)",
        [wanted.shop_id, list(wanted.channels)],
    )
    stops: dict[tuple[str, str], list[Stop]] = defaultdict(list)
    for (channel,) in stopped:
        hashes = {
            address_hash(wanted.shop_id, channel, one): one
            for one in {*_addresses(channel, found.persons.values()), *_told(channel, found)} - {""}
        }
        rows = _rows(
            "SELECT address_hash, scope, since, lifted_at FROM customers_suppression"
            " WHERE shop_id = %s AND channel = %s AND address_hash = ANY(%s)",
            [wanted.shop_id, channel, list(hashes)],
        )
        for hashed, *columns in rows:
            stops[channel, hashes[bytes(hashed)]].append(Stop._make(columns))
    return dict(stops)


def _addresses(channel: str, persons: Iterable[PastPerson]) -> set[str]:
    return {one.email if channel == "email" else one.phone for one in persons}


def _told(channel: str, found: PastPeople) -> set[str]:
    abouts: Mapping[int, About] = found.orders | found.carts if found.carts else found.orders
    return {one.email if channel == "email" else one.phone for one in abouts.values()}
