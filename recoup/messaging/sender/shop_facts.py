"""What a shop, its sources and its people say about sending, read at the last look."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from recoup.customers.clocks import clocks_of_person
from recoup.customers.queries import address_hash
from recoup.messaging.classes import CONSENT_PURPOSES, blocking_scopes
from recoup.messaging.models import ChannelKind, Message
from recoup.messaging.sender.limits import WEEK, Caps, Quiet, free_from, loud_from
from recoup.messaging.sender.records import Claimed
from recoup.shops.adapters import can_ask

# Whose a word is: a person's; over any channel but e-mail, the person's at the number that it was given for.
Reader = int | tuple[int, str]


def reader_at(channel: str, contact_id: int, recipient: str) -> Reader:
    """Return whose word a message hangs on. Who answers at another number has agreed to nothing."""
    return contact_id if channel == ChannelKind.EMAIL else (contact_id, recipient)


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """Everything that holds for a batch of one shop."""

    live_since: datetime | None
    is_silenced: bool
    caps: Caps
    quiet_hours: tuple[Quiet, ...]
    zone: str
    states: dict[int, str]  # of message sources
    sources_live_since: dict[int, datetime]  # of sources of orders
    erased: set[int]
    zones: dict[int, str]  # of contacts
    consenting: set[Reader]  # to reminders of a cart: by a word on them, or on offers
    objecting: set[Reader]  # took their consent to offers back: no advertising, whatever the country
    suppressed: dict[str, set[str]]  # scopes by recipient
    wanting_offers: set[Reader] = field(default_factory=set)  # consenting to all advertising
    refusing_carts: set[Reader] = field(default_factory=set)  # took their consent to reminders of a cart back
    countries: dict[int, str] = field(default_factory=dict)  # of contacts
    country: str = ""  # of the shop
    ranks: dict[int, int] = field(default_factory=dict)  # of message sources
    channel_caps: Caps | None = None  # of this channel alone
    channel_recent: dict[int, list[datetime]] = field(default_factory=dict)  # hand-overs of it by contact
    askable: set[int] = field(default_factory=set)  # sources of orders that can be asked for one

    def zones_of(self, contact_id: int) -> tuple[ZoneInfo, ...]:
        """Return the clocks that a person may live by."""
        return clocks_of_person(
            self.zones.get(contact_id, ""),
            self.countries.get(contact_id, ""),
            shop_zone=self.zone,
            shop_country=self.country,
        ).quiet

    def country_of(self, contact_id: int) -> str:
        """Return the country of a person; the shop's if it is not known."""
        return self.countries.get(contact_id, "") or self.country

    def loud_from(self, contact_id: int, at: datetime) -> datetime:
        """Return when quiet hours allow a message to a person, from an instant on."""
        if not self.quiet_hours:
            return at
        country = self.country_of(contact_id)
        return loud_from(
            self.quiet_hours, self.zones_of(contact_id), at, contact_id=contact_id, country=country
        )

    def channel_free_from(self, contact_id: int, at: datetime) -> datetime:
        """Return when the caps of this channel have room for one more; those of all channels are another question."""
        if self.channel_caps is None:
            return at
        return free_from(self.channel_recent.get(contact_id, ()), self.channel_caps, at)

    def rank_of(self, message: Claimed) -> int:
        """Return the rank of the process that sends a message."""
        return self.ranks.get(message.source_id or 0, 0)

    def is_suppressed(self, message: Claimed) -> bool:
        """Tell whether the recipient gets nothing of this class."""
        scopes = self.suppressed.get(message.recipient, set())
        return bool(scopes & blocking_scopes(message.message_class, is_asked_for=message.is_asked_for))


_SHOP = """
    SELECT s.live_since, s.time_zone, s.country, coalesce(l.per_day, 2), coalesce(l.per_week, 5),
        coalesce(l.per_order, 3), coalesce(l.sms_per_day, 1), coalesce(l.sms_per_week, 2),
        EXISTS (SELECT FROM core_installation WHERE silenced_at IS NOT NULL)
    FROM shops_shop s LEFT JOIN messaging_sendinglimits l ON l.shop_id = s.id WHERE s.id = %s
"""
CONSENT = """
    SELECT contact_id, bool_or(is_given), bool_or(is_given AND purpose = 'marketing'),
        bool_or(NOT is_given AND purpose = 'marketing'), bool_or(NOT is_given AND purpose = 'cart_reminder') FROM (
        SELECT DISTINCT ON (contact_id, purpose) contact_id, purpose, is_given FROM customers_consentevent
        WHERE shop_id = %s AND contact_id = ANY(%s) AND purpose = ANY(%s) AND channel = %s
            AND became_true_at <= %s
        ORDER BY contact_id, purpose, became_true_at DESC, id DESC) AS latest
    GROUP BY contact_id
"""
# A consent counts for its number; one taken back is taken back for all.
AT_NUMBERS = """
    SELECT contact_id, number, bool_or(is_given), bool_or(is_given AND purpose = 'marketing'),
        bool_or(NOT is_given AND purpose = 'marketing'), bool_or(NOT is_given AND purpose = 'cart_reminder') FROM (
        SELECT DISTINCT ON (w.contact_id, w.number, k.purpose) w.contact_id, w.number, k.purpose, k.is_given
        FROM unnest(%s::bigint[], %s::text[], %s::bytea[]) AS w (contact_id, number, hash)
        JOIN customers_contact c ON c.id = w.contact_id
        JOIN customers_consentevent k ON k.contact_id = w.contact_id
        WHERE k.shop_id = %s AND k.purpose = ANY(%s) AND k.channel = %s AND k.became_true_at <= %s
            AND (NOT k.is_given OR k.number_hash = w.hash OR (k.number_hash IS NULL AND c.phone = w.number))
        ORDER BY w.contact_id, w.number, k.purpose, k.became_true_at DESC, k.id DESC) AS latest
    GROUP BY contact_id, number
"""


class _Word(NamedTuple):
    """What the words of a reader come to."""

    has_agreed: bool
    wants_offers: bool
    objects: bool
    refuses_carts: bool


def _words(shop_id: int, messages: Sequence[Claimed], channel: str, now: datetime) -> dict[Reader, _Word]:
    """Return the words that messages hang on, by their reader."""
    needing = [m for m in messages if m.message_class != Message.MessageClass.CONTRACT]
    if not needing:
        return {}
    with connection.cursor() as cursor:
        if channel == ChannelKind.EMAIL:
            ids = sorted({m.contact_id for m in needing})
            cursor.execute(CONSENT, [shop_id, ids, list(CONSENT_PURPOSES), channel, now])
            return {contact_id: _Word(*word) for contact_id, *word in cursor.fetchall()}
        whom = sorted({(m.contact_id, m.recipient) for m in needing})
        ids, numbers = [one for one, _ in whom], [number for _, number in whom]
        hashes = [address_hash(shop_id, channel, number) for number in numbers]
        cursor.execute(AT_NUMBERS, [ids, numbers, hashes, shop_id, list(CONSENT_PURPOSES), channel, now])
        return {(contact_id, number): _Word(*word) for contact_id, number, *word in cursor.fetchall()}


def read(shop_id: int, messages: Sequence[Claimed], now: datetime) -> ShopFacts:
    """Read them in a few statements for the whole batch, which is of one channel."""
    channel = messages[0].channel
    contacts = sorted({message.contact_id for message in messages})
    with connection.cursor() as cursor:
        cursor.execute(_SHOP, [shop_id])
        live_since, zone, country, *limits, is_silenced = cursor.fetchone()
        per_day, per_week, per_order, sms_per_day, sms_per_week = limits
        cursor.execute(
            "SELECT starts, ends, weekdays, keeps_holidays FROM messaging_quiethours"
            " WHERE shop_id = %s AND channel = %s",
            [shop_id, channel],
        )
        quiet_hours = tuple(
            Quiet(starts, ends, tuple(days), keeps) for starts, ends, days, keeps in cursor.fetchall()
        )
        cursor.execute(
            "SELECT id, state, priority FROM messaging_messagesource WHERE shop_id = %s", [shop_id]
        )
        sources = cursor.fetchall()
        cursor.execute("SELECT id, live_since, kind FROM shops_source WHERE shop_id = %s", [shop_id])
        order_sources = cursor.fetchall()
        cursor.execute(
            "SELECT id, erased_at IS NOT NULL, time_zone, country FROM customers_contact WHERE id = ANY(%s)"
            " AND (erased_at IS NOT NULL OR time_zone <> '' OR country <> '')",
            [contacts],
        )
        people = cursor.fetchall()
    words = _words(shop_id, messages, channel, now)
    return ShopFacts(
        live_since=live_since,
        is_silenced=is_silenced,
        caps=Caps(per_day, per_week, per_order),
        quiet_hours=quiet_hours,
        zone=zone,
        states={row[0]: row[1] for row in sources},
        ranks={row[0]: row[2] for row in sources if row[2]},
        countries={row[0]: row[3] for row in people if row[3]},
        country=country,
        channel_caps=Caps(sms_per_day, sms_per_week) if channel == ChannelKind.SMS else None,
        channel_recent=_recent(contacts, channel, now) if channel == ChannelKind.SMS else {},
        sources_live_since={row[0]: row[1] for row in order_sources},
        askable={row[0] for row in order_sources if can_ask(row[2])},
        erased={row[0] for row in people if row[1]},
        zones={row[0]: row[2] for row in people if row[2]},
        consenting={one for one, word in words.items() if word.has_agreed},
        wanting_offers={one for one, word in words.items() if word.wants_offers},
        objecting={one for one, word in words.items() if word.objects},
        refusing_carts={one for one, word in words.items() if word.refuses_carts},
        suppressed=_suppressed(shop_id, channel, messages),
    )


def _recent(contacts: Sequence[int], channel: str, now: datetime) -> dict[int, list[datetime]]:
    """Return the reminders that people had over one channel in a week: few, and read only where money is spent."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, array_agg(handed_at) FROM messaging_message"
            " WHERE contact_id = ANY(%s) AND channel = %s AND handed_at > %s AND NOT is_asked_for AND NOT is_test"
            " AND (purpose = 'reminder' OR message_class <> 'contract')"
            " AND state IN ('sent', 'uncertain', 'handing') GROUP BY contact_id",
            [list(contacts), channel, now - WEEK],
        )
        return dict(cursor.fetchall())


def _suppressed(shop_id: int, channel: str, messages: Sequence[Claimed]) -> dict[str, set[str]]:
    recipients = {address_hash(shop_id, channel, m.recipient): m.recipient for m in messages if m.recipient}
    found: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT address_hash, scope FROM customers_suppression"
            " WHERE shop_id = %s AND channel = %s AND address_hash = ANY(%s) AND lifted_at IS NULL",
            [shop_id, channel, list(recipients)],
        )
        for hashed, scope in cursor.fetchall():
            found.setdefault(recipients[bytes(hashed)], set()).add(scope)
    return found
