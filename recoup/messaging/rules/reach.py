"""Whom a text could reach: where the rules forbid it or ask for consent, and how many people that would have left out."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from recoup.messaging.classes import CONSENT_PURPOSES
from recoup.messaging.models import Message, Template
from recoup.messaging.rules.book import RuleBook
from recoup.messaging.rules.deciding import country_of_phone, relation_of
from recoup.messaging.rules.kinds import Content, Relation
from recoup.messaging.rules.law import COUNTRIES

Class = Message.MessageClass
PERIOD = timedelta(days=90)
MOST = 5_000  # orders or carts that are looked at: the newest


class Saying(NamedTuple):
    """What a text is about, what it says, and the channel that it takes."""

    kind: str
    content: str
    channel: str = "email"


@dataclass(frozen=True, slots=True)
class Bar:
    """Countries in which a text is forbidden, or needs consent."""

    verdict: str
    content: str
    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Of how many people of the last 90 days how many would not have been written to."""

    people: int
    left_out: int


def is_forbidden_everywhere(book: RuleBook, saying: Saying) -> bool:
    """Tell whether no reader in any country may get it, whatever they are to the shop."""
    return all(
        book.verdict(country, saying.content, relation, saying.channel) == Class.FORBIDDEN
        for country in COUNTRIES
        for relation in Relation.values
    )


def bars_of(book: RuleBook, saying: Saying) -> list[Bar]:
    """Return where a text is forbidden or needs consent for whoever it is usually about; those who bought may differ."""
    usual = Relation.ORDER if saying.kind == Template.Kind.ORDER else Relation.NEITHER
    found: dict[str, list[str]] = {Class.FORBIDDEN: [], Class.NEEDS_CONSENT: []}
    for country in COUNTRIES:
        verdict = book.verdict(country, saying.content, usual, saying.channel)
        if verdict in found:
            found[verdict].append(country)
    return [Bar(verdict, saying.content, tuple(names)) for verdict, names in found.items() if names]


_ORDERS = (
    "SELECT contact_id, buyer->>'country' AS country, buyer->>'phone' AS phone, placed_at AS at FROM orders_order"
    " WHERE shop_id = %(shop)s AND placed_at >= %(since)s AND placed_at <= %(now)s AND NOT is_test"
    " ORDER BY placed_at DESC, id DESC LIMIT %(most)s"
)
_CARTS = (
    "SELECT contact_id, NULL AS country, NULL AS phone, last_activity_at AS at FROM orders_cart"
    " WHERE shop_id = %(shop)s AND last_activity_at >= %(since)s AND last_activity_at <= %(now)s"
    " ORDER BY id DESC LIMIT %(most)s"
)
_RECENT: Mapping[str, str] = {
    Template.Kind.ORDER: _ORDERS,
    Template.Kind.CART: _CARTS,
    Template.Kind.CUSTOMER: f"({_ORDERS}) UNION ALL ({_CARTS})",
}
_INSIDE = (
    "SELECT id AS contact_id, NULL AS country, NULL AS phone, '-infinity'::timestamptz AS at FROM customers_contact"
    " WHERE shop_id = %(shop)s AND id = ANY(%(also)s)"
)
_PEOPLE = """
    SELECT DISTINCT ON (c.id) c.id, upper(coalesce(nullif(r.country, ''), c.country, '')),
        coalesce(nullif(r.phone, ''), c.phone, ''),
        EXISTS (SELECT FROM orders_order b WHERE b.shop_id = c.shop_id AND b.contact_id = c.id
            AND b.payment_state IN ('paid', 'partly_refunded') AND b.total > 0 AND NOT b.is_test)
    FROM (({recent}) UNION ALL ({inside})) r JOIN customers_contact c ON c.id = r.contact_id AND c.erased_at IS NULL
    ORDER BY c.id, r.at DESC
"""
_WORDS = """
    SELECT DISTINCT ON (contact_id, purpose, channel) contact_id, purpose, channel, is_given FROM customers_consentevent
    WHERE shop_id = %s AND contact_id = ANY(%s) AND purpose = ANY(%s) AND became_true_at <= %s
    ORDER BY contact_id, purpose, channel, became_true_at DESC, id DESC
"""


class Word(NamedTuple):
    """Somebody's last word on a purpose over a channel."""

    purpose: str
    channel: str
    is_given: bool


class Reader(NamedTuple):
    """Somebody whom a text may be about. `told` is the country as somebody said it, `country` the one that rules go by."""

    told: str
    country: str
    has_bought: bool
    words: frozenset[Word]


def readers_of(shop_id: int, kind: str, *, now: datetime, also: Sequence[int] = ()) -> Counter[Reader]:
    """Count the people of the newest orders or carts of the last 90 days, and some others, by what rules ask about them.

    A text about a person is counted over both: these are the people whom the shop knows lately.
    """
    values = {"shop": shop_id, "since": now - PERIOD, "now": now, "most": MOST, "also": list(also)}
    people = _rows(_PEOPLE.format(recent=_RECENT[kind], inside=_INSIDE), values)
    words: defaultdict[int, set[Word]] = defaultdict(set)
    for contact_id, *word in _rows(
        _WORDS, [shop_id, [row[0] for row in people], list(CONSENT_PURPOSES), now]
    ):
        words[contact_id].add(Word(*word))
    return Counter(
        Reader(told[:2], told[:2] or country_of_phone(phone), has_bought, frozenset(words[contact_id]))
        for contact_id, told, phone, has_bought in people
    )


def has_anybody_agreed(shop_id: int, content: str, channel: str) -> bool:
    """Tell whether anybody ever agreed to such a message, whatever they have said since."""
    purposes = CONSENT_PURPOSES if content == Content.CART else CONSENT_PURPOSES[:1]
    [(found,)] = _rows(
        "SELECT EXISTS (SELECT FROM customers_consentevent WHERE shop_id = %s AND purpose = ANY(%s) AND channel = %s"
        " AND is_given)",
        [shop_id, list(purposes), channel],
    )
    return bool(found)


def is_left_out(reader: Reader, verdict: str, saying: Saying) -> bool:
    """Tell whether the rules and their word leave somebody out."""
    said = {word.purpose: word.is_given for word in reader.words if word.channel == saying.channel}
    marketing, carts = (said.get(purpose) for purpose in CONSENT_PURPOSES)
    is_cart = saying.content == Content.CART  # who agreed to reminders of a cart agreed to nothing else
    has_agreed = bool(marketing or (is_cart and carts))
    return (
        verdict == Class.FORBIDDEN
        or (verdict == Class.NEEDS_CONSENT and not has_agreed)
        or (verdict == Class.SOFT_OPT_IN and marketing is False)
        or (verdict != Class.CONTRACT and is_cart and carts is False)
    )


def relation_to(reader: Reader, book: RuleBook, saying: Saying, *, is_paid: bool = False) -> str:
    """Return what somebody is to the shop for a text about their order, paid or not, their cart or themselves."""
    is_order = saying.kind == Template.Kind.ORDER
    return relation_of(
        saying.content,
        is_about_order=is_order and (saying.content == Content.CONTRACT or not is_paid),
        has_bought=reader.has_bought,
        has_ground=book.has_ground,
    )


def left_out(shop_id: int, book: RuleBook, saying: Saying, *, now: datetime) -> LeftOut:
    """Count the people of the newest orders or carts of the last 90 days whom the rules and their word leave out today."""
    readers, count = readers_of(shop_id, saying.kind, now=now), 0
    for reader, people in readers.items():
        relation = relation_to(reader, book, saying)
        verdict = book.verdict(reader.country, saying.content, relation, saying.channel)
        count += people * is_left_out(reader, verdict, saying)
    return LeftOut(readers.total(), count)


def _rows(sql: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
