"""The last look: lock what forbids a message, then read everything that may forbid it (design 6.4).

Rows are locked in the global order: gates, then orders and carts, then messages; inside a table by key. Whoever writes a
fact updates the row that is locked here, so that nothing comes in between the look and the hand-over; whoever keeps a call
waits at the fence of the names in it (`core.inbox`). The sender itself waits for nobody: what another transaction holds at
this moment is looked at again a little later.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from recoup.core.inbox import fence
from recoup.messaging.rules.book import book_of
from recoup.messaging.sender import shop_facts
from recoup.messaging.sender.facts import CartFacts, Gate, OfferSight, OrderFacts, Sight
from recoup.messaging.sender.names import hold_of, names_of, waiting_news
from recoup.messaging.sender.records import Claimed
from recoup.messaging.sender.shop_facts import ShopFacts
from recoup.orders.siblings import is_newer_twin, is_paid_since

GATE_LOCK = "FOR NO KEY UPDATE OF g SKIP LOCKED"
SUBJECT_LOCK = (
    "FOR SHARE SKIP LOCKED"  # a payment's UPDATE conflicts with it; FOR KEY SHARE would let it pass
)
MESSAGE_LOCK = "FOR NO KEY UPDATE SKIP LOCKED"
RIVALS_WITHIN = timedelta(days=1)  # as long as the shorter of the windows in which messages are counted
# A sender that is frozen in here must not hold payments up for long.
_LONGEST_SILENCE = "10s"

_ORDER_COLUMNS = ", ".join(f"o.{name}" for name in OrderFacts.COLUMNS)
_CART_COLUMNS = ", ".join(f"c.{name}" for name in CartFacts.COLUMNS)


def look(messages: Sequence[Claimed], *, owner: int, now: datetime) -> tuple[dict[int, Sight], ShopFacts]:
    """Lock and read for messages of one shop, in the caller's transaction.

    A message that is missing in the answer is not this sender's any more. `now` is the trade instant of the look.
    """
    shop_id = messages[0].shop_id
    gates = _lock_gates([message.contact_id for message in messages])
    orders = _lock_orders([message.order_id for message in messages if message.order_id is not None])
    carts = _lock_carts([message.cart_id for message in messages if message.cart_id is not None])
    offers = _lock_offers([message.offer_id for message in messages if message.offer_id is not None])
    mine = _lock_messages(messages, owner)
    messages = ruled(messages, now)
    shop = shop_facts.read(shop_id, messages, now)
    _read_relatives(orders, carts, now)
    news = waiting_news(shop_id, [*orders.values(), *carts.values()], now)
    rivals = _rivals(messages, shop, now)
    sights = {}
    for message in messages:
        if message.id not in mine:
            continue
        order = orders.get(message.order_id) if message.order_id is not None else None
        cart = carts.get(message.cart_id) if message.cart_id is not None else None
        subject = order if message.order_id is not None else cart
        sights[message.id] = Sight(
            message_class=message.message_class,
            cancel_reason=mine[message.id],
            gate=gates.get(message.contact_id),
            order=order,
            cart=cart,
            hold=hold_of(names_of(subject), news) if subject is not None else "",
            rivals=rivals.get(message.id, ()),
            offer=offers.get(message.offer_id) if message.offer_id is not None else None,
        )
    return sights, shop


def ruled(messages: Sequence[Claimed], now: datetime) -> list[Claimed]:
    """Return the messages with the class that the rules of their shop make of them now; they may have changed since."""
    book = book_of(messages[0].shop_id, now=now)
    return [
        one._replace(message_class=book.verdict(one.country, one.content, one.relation, one.channel))
        if one.content
        else one
        for one in messages
    ]


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _lock_gates(contact_ids: Sequence[int]) -> dict[int, Gate]:
    rows = _rows(
        f"""
        WITH patience AS MATERIALIZED (
            SELECT set_config('idle_in_transaction_session_timeout', '{_LONGEST_SILENCE}', true),
                set_config('enable_seqscan', 'off', true)) -- all that follows looks up by key, whatever statistics say
        SELECT g.contact_id, g.recent FROM customers_contactgate g, patience
        WHERE g.contact_id = ANY(%s) ORDER BY g.contact_id {GATE_LOCK}
        """,  # noqa: S608 - constants of this file
        [sorted(set(contact_ids))],
    )
    return {row[0]: Gate(row[0], row[1]) for row in rows}


def _lock_orders(order_ids: Sequence[int]) -> dict[int, OrderFacts]:
    if not order_ids:
        return {}
    rows = _rows(
        f"SELECT {_ORDER_COLUMNS} FROM orders_order o WHERE o.id = ANY(%s) ORDER BY o.id {SUBJECT_LOCK}",  # noqa: S608 - constants of this file
        [sorted(set(order_ids))],
    )
    return {row[0]: OrderFacts(*row) for row in rows}


def _lock_carts(cart_ids: Sequence[int]) -> dict[int, CartFacts]:
    if not cart_ids:
        return {}
    rows = _rows(
        f"SELECT {_CART_COLUMNS} FROM orders_cart c WHERE c.id = ANY(%s) ORDER BY c.id {SUBJECT_LOCK}",  # noqa: S608 - constants of this file
        [sorted(set(cart_ids))],
    )
    return {row[0]: CartFacts(*row) for row in rows}


def _lock_offers(offer_ids: Sequence[int]) -> dict[int, OfferSight]:
    if not offer_ids:
        return {}
    rows = _rows(
        f"SELECT id, state, valid_until FROM offers_offer WHERE id = ANY(%s) ORDER BY id {SUBJECT_LOCK}",  # noqa: S608 - a constant of this file
        [sorted(set(offer_ids))],
    )
    return {row[0]: OfferSight(*row[1:]) for row in rows}


def _lock_messages(messages: Sequence[Claimed], owner: int) -> dict[int, str | None]:
    """Lock the messages that are still this sender's; a cancel that was asked for comes with its reason."""
    rows = _rows(
        f"""
        SELECT id, cancel_requested_at IS NOT NULL, reason FROM messaging_message
        WHERE id = ANY(%s) AND state IN ('claimed', 'handing') AND lease_owner = %s
            AND lease_until > clock_timestamp() ORDER BY id {MESSAGE_LOCK}
        """,  # noqa: S608 - constants of this file
        [sorted(message.id for message in messages), owner],
    )
    return {row[0]: row[2] if row[1] else None for row in rows}


def _rivals(messages: Sequence[Claimed], shop: ShopFacts, now: datetime) -> dict[int, list[datetime]]:
    """Return for each message when those of higher rank are due to the same person within a day.

    Read only where some process of the shop ranks higher than the one that sends.
    """
    top = max(shop.ranks.values(), default=0)
    lower = {message.id: shop.rank_of(message) for message in messages if shop.rank_of(message) < top}
    if not lower:
        return {}
    people = {message.contact_id for message in messages if message.id in lower}
    rows = _rows(
        "SELECT contact_id, source_id, due_at FROM messaging_message WHERE contact_id = ANY(%s)"
        " AND state IN ('due', 'claimed', 'handing') AND purpose = 'reminder' AND NOT is_asked_for AND NOT is_test"
        " AND cancel_requested_at IS NULL AND manual_key IS NULL AND source_id IS NOT NULL AND due_at < %s"
        " AND not_after > %s",
        [sorted(people), now + RIVALS_WITHIN, now],
    )
    return {
        message.id: [
            due_at
            for contact_id, source_id, due_at in rows
            if contact_id == message.contact_id
            and shop.ranks.get(source_id, 0) > lower[message.id]
            and shop.states.get(source_id) == "live"
        ]
        for message in messages
        if message.id in lower
    }


_MOST_FENCED = 20  # locks are few: of the siblings and attempts of one order, no more than anybody has
# And of all orders of a look: that is up to 100 messages, several lanes look at once, and PostgreSQL as it comes has some
# 7,000 locks for everybody. Orders beyond it wait a moment; ordinary ones go by four or five names each.
_MOST_FENCED_AT_ONCE = 1_000
# `OFFSET 0` keeps the planner to the index of the order: with old statistics it took one that holds all that was sent. It
# also keeps the names from being read twice. The fence must stand before the statement that reads the inbox.
_RELATIVES = f"""
    SELECT o.id,
        EXISTS (SELECT FROM orders_order p WHERE {is_paid_since("o", "p", "s")}),
        EXISTS (SELECT FROM orders_order t WHERE {is_newer_twin("o", "t", "s")}),
        named.siblings, named.attempts, told.reminders, told.by_hand,
        CASE WHEN sum(3 + cardinality(named.siblings[:{_MOST_FENCED}]) + cardinality(named.attempts[:{_MOST_FENCED}]))
                OVER (ORDER BY o.id) <= {_MOST_FENCED_AT_ONCE} THEN
            (SELECT bool_and({fence("name", "o.shop_id")})
                FROM unnest(ARRAY[o.ref, o.number, o.cart_ref] || named.siblings[:{_MOST_FENCED}]
                    || named.attempts[:{_MOST_FENCED}]) AS name WHERE name <> '')
            ELSE false END
    FROM orders_order o JOIN shops_shop s ON s.id = o.shop_id, LATERAL (
        SELECT ARRAY(SELECT x.ref FROM orders_order x WHERE x.shop_id = o.shop_id AND x.contact_id = o.contact_id
                AND x.placed_at >= o.placed_at AND x.id <> o.id ORDER BY x.placed_at DESC) AS siblings,
            ARRAY(SELECT a.ref FROM payments_attempt a WHERE a.order_id = o.id ORDER BY a.id DESC) AS attempts
        OFFSET 0
    ) AS named, LATERAL (
        SELECT count(*) FILTER (WHERE m.state IN ('sent', 'uncertain')
                OR (m.state = 'handing' AND m.handed_at IS NOT NULL)) AS reminders,
            coalesce(array_agg(m.template_id) FILTER (WHERE m.state = 'sent' AND m.manual_key IS NOT NULL
                AND m.handed_at > %s - interval '1 day'), '{{}}') AS by_hand
        FROM (SELECT * FROM messaging_message WHERE order_id = o.id OFFSET 0) m
        WHERE NOT m.is_asked_for AND NOT m.is_test
    ) AS told
    WHERE o.id = ANY(%s)
"""  # noqa: S608 - conditions of ours over aliases of ours
_CART_RELATIVES = f"""
    SELECT c.id, EXISTS (
        SELECT FROM orders_order o WHERE o.shop_id = c.shop_id AND o.contact_id = c.contact_id
            AND o.placed_at >= c.last_activity_at AND NOT o.is_test),
        (SELECT bool_and({fence("name", "c.shop_id")}) FROM unnest(ARRAY[c.ref, c.order_ref]) AS name WHERE name <> '')
    FROM orders_cart c WHERE c.id = ANY(%s)
"""  # noqa: S608 - a call of ours over columns of ours


def _read_relatives(orders: dict[int, OrderFacts], carts: dict[int, CartFacts], now: datetime) -> None:
    """Read what stands in other rows: newer orders, attempts, what was sent about the order before."""
    if orders:
        for order_id, *values in _rows(_RELATIVES, [now, sorted(orders)]):
            orders[order_id].take_relatives(*values)
    if carts:
        for cart_id, has_order, is_free in _rows(_CART_RELATIVES, [sorted(carts)]):
            carts[cart_id].has_order_since, carts[cart_id].is_free = has_order, is_free
