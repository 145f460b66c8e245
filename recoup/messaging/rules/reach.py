"""Whom a text could reach: where the rules forbid it or ask for consent, and how many people that would have left out."""

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
from recoup.messaging.sender.shop_facts import CONSENT

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
_PEOPLE = """
    SELECT DISTINCT ON (c.id) c.id, upper(coalesce(nullif(r.country, ''), c.country, '')),
        coalesce(nullif(r.phone, ''), c.phone, ''),
        EXISTS (SELECT FROM orders_order b WHERE b.shop_id = c.shop_id AND b.contact_id = c.id
            AND b.payment_state IN ('paid', 'partly_refunded') AND b.total > 0 AND NOT b.is_test)
    FROM ({recent}) r JOIN customers_contact c ON c.id = r.contact_id AND c.erased_at IS NULL
    ORDER BY c.id, r.at DESC
"""


def left_out(shop_id: int, book: RuleBook, saying: Saying, *, now: datetime) -> LeftOut:
    """Count the people of the newest orders or carts of the last 90 days whom the rules and their word leave out today.

    A text about a person is counted over both: these are the people whom the shop knows lately.
    """
    values = {"shop": shop_id, "since": now - PERIOD, "now": now, "most": MOST}
    people = _rows(_PEOPLE.format(recent=_RECENT[saying.kind]), values)
    words = _rows(CONSENT, [shop_id, [row[0] for row in people], list(CONSENT_PURPOSES), saying.channel, now])
    is_cart = saying.content == Content.CART  # who agreed to reminders of a cart agreed to nothing else
    consenting = {row[0] for row in words if (row[1] if is_cart else row[2])}
    objecting = {row[0] for row in words if row[3]}
    refusing = {row[0] for row in words if row[4] and is_cart}
    count = 0
    for contact_id, country, phone, has_bought in people:
        relation = relation_of(
            saying.content,
            is_about_order=saying.kind == Template.Kind.ORDER,
            has_bought=has_bought,
            has_ground=book.has_ground,
        )
        verdict = book.verdict(
            country[:2] or country_of_phone(phone), saying.content, relation, saying.channel
        )
        count += (
            verdict == Class.FORBIDDEN
            or (verdict == Class.NEEDS_CONSENT and contact_id not in consenting)
            or (verdict == Class.SOFT_OPT_IN and contact_id in objecting)
            or (verdict != Class.CONTRACT and contact_id in refusing)
        )
    return LeftOut(len(people), count)


def _rows(sql: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
