"""Reads past orders and carts with the instants of everything that was known of them, in pages by person."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any, NamedTuple

from django.db import connection

from recoup.core.arrays import read_instants_quickly
from recoup.orders.queries import OFFLINE_MINUTES, ON_DELIVERY
from recoup.orders.siblings import is_paid_since
from recoup.processes.worlds import Coming, Purchase
from recoup.shops.snapshots import FAILED_BY_WORD

PEOPLE = 400  # of one page: some hundred kilobytes, read in a few hundredths of a second

_ORDERS, _CARTS = (files(__package__).joinpath(f"sql/{name}.sql").read_text() for name in ("orders", "carts"))


class PastOrder(NamedTuple):
    """An order of the period as `sql/orders.sql` tells it."""

    contact_id: int
    id: int
    placed_at: datetime
    learnt_at: datetime
    total: Decimal  # as it was when its case opened
    taken: Decimal  # captured and not given back, as of today
    currency: str
    method: str
    is_offline_method: bool
    products: list[str]
    cause: str
    case_id: int | None
    opened_at: datetime | None
    closed_at: datetime | None
    due_at: datetime  # when its waiting time is over, by the settings of today
    paid_at: datetime | None
    paid_learnt_at: datetime | None
    version_at: datetime
    check_at: datetime | None
    is_test: bool
    is_never_looked_at: (
        bool  # imported, or from before going live: whether its case would have opened is worked out
    )
    is_backfill: bool
    zone: str
    locale: str
    country: str
    shop_zone: str
    shop_country: str


class PastCart(NamedTuple):
    """A cart of the period as `sql/carts.sql` tells it."""

    contact_id: int
    id: int
    started_at: datetime
    last_activity_at: datetime
    learnt_at: datetime
    total: Decimal
    currency: str
    item_count: int
    products: list[str]
    case_id: int | None
    opened_at: datetime | None
    closed_at: datetime | None
    converted_at: datetime | None
    left_after: timedelta
    is_never_looked_at: bool
    is_backfill: bool
    check_at: datetime | None
    zone: str
    locale: str
    country: str
    shop_zone: str
    shop_country: str


class Fact(NamedTuple):
    """One append-only fact of an order or a cart."""

    kind: str
    became_true_at: datetime
    learnt_at: datetime
    total: str | None  # after a change
    was_total: str | None  # before it
    reason: str | None
    products: list[str] | None = None  # after an exchange of goods
    was_products: list[str] | None = None
    cause: str | None = None  # why it was unpaid when its case opened
    shop_state: str | None = None  # after a change


class Failure(NamedTuple):
    """A payment of an order that failed, and why."""

    became_true_at: datetime
    learnt_at: datetime
    cause: str
    is_by_word: bool = False  # told by the shop's word alone


class Held(NamedTuple):
    """What the buyer or a person did to the reminders of an order."""

    verb: str
    at: datetime
    until: datetime | None


@dataclass(slots=True)
class Page:
    """What is known of some people's orders or carts."""

    last_contact: int
    orders: list[PastOrder] = field(default_factory=list)
    carts: list[PastCart] = field(default_factory=list)
    facts: dict[int, list[Fact]] = field(default_factory=dict)
    moves: dict[int, list[tuple[datetime, str]]] = field(default_factory=dict)  # status changes
    held: dict[int, list[Held]] = field(default_factory=dict)
    parts: dict[int, list[tuple[datetime, Decimal]]] = field(
        default_factory=dict
    )  # paid in part, or given back
    failures: dict[int, list[Failure]] = field(default_factory=dict)
    purchases: list[Purchase] = field(default_factory=list)
    visits: list[Coming] = field(default_factory=list)
    paid_since: dict[int, datetime] = field(default_factory=dict)  # by another order, where no fact says it
    twin_at: dict[int, datetime] = field(default_factory=dict)
    ordered_at: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=dict)  # by person


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which past is read, and which of it a process looks at."""

    shop_id: int
    since: datetime
    until: datetime
    now: datetime
    is_about_carts: bool = False
    asks_for_purchases: bool = False
    asks_for_status: bool = False
    asks_for_failures: bool = False
    asks_for_visits: bool = False
    source_id: int | None = None  # of the messages of the process itself


def pages(wanted: Wanted, *, people: int = PEOPLE) -> Iterator[Page]:
    """Yield the past, page by page; each is a few short statements, and nothing is held between them."""
    read = _cart_page if wanted.is_about_carts else _order_page
    after = 0
    while (page := read(wanted, after, people)) is not None:
        yield page
        after = page.last_contact


def count_subjects(wanted: Wanted) -> tuple[int, int]:
    """Return how many orders or carts of known people there are in the period, and how many of unknown ones."""
    table, at = ("orders_cart", "started_at") if wanted.is_about_carts else ("orders_order", "placed_at")
    (row,) = _rows(
        f"SELECT count(contact_id), count(*) - count(contact_id) FROM {table}"  # noqa: S608 - names of ours
        f" WHERE shop_id = %(shop)s AND {at} >= %(since)s AND {at} < %(until)s",
        _values(wanted),
    )
    return int(row[0]), int(row[1])


def _values(wanted: Wanted) -> dict[str, Any]:
    return {
        "shop": wanted.shop_id,
        "since": wanted.since,
        "until": wanted.until,
        "now": wanted.now,
        "offline_minutes": OFFLINE_MINUTES,
        "on_delivery": list(ON_DELIVERY),
    }


def _rows(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        read_instants_quickly(cursor)
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _order_page(wanted: Wanted, after: int, people: int) -> Page | None:
    rows = _rows(_ORDERS, {**_values(wanted), "after": after, "people": people})
    if not rows:
        return None
    orders = [PastOrder._make(row) for row in rows]
    ids = [order.id for order in orders]
    page = Page(orders[-1].contact_id, orders=orders)
    page.facts = _facts("orders_orderfact", "order_id", ids, wanted.now)
    page.held = _held(wanted, ids)
    page.parts = _parts(orders, wanted.now)
    if wanted.asks_for_failures:
        page.failures = _failures(ids, wanted.now)
    if wanted.asks_for_status:
        page.moves = _moves(ids, wanted.now)
    unseen = [order.id for order in orders if order.case_id is None and order.is_never_looked_at]
    if unseen:
        page.paid_since, page.twin_at = _paid_since(unseen, wanted.now), _twins(unseen, wanted.now)
    if wanted.asks_for_purchases:
        page.purchases = _purchases(wanted, {order.contact_id for order in orders})
    if wanted.asks_for_visits:
        page.visits = _visits(wanted, 1, {order.id: order.contact_id for order in orders})
    return page


def _cart_page(wanted: Wanted, after: int, people: int) -> Page | None:
    rows = _rows(_CARTS, {**_values(wanted), "after": after, "people": people})
    if not rows:
        return None
    carts = [PastCart._make(row) for row in rows]
    page = Page(carts[-1].contact_id, carts=carts)
    page.facts = _facts("orders_cartfact", "cart_id", [cart.id for cart in carts], wanted.now)
    contacts = {cart.contact_id for cart in carts}
    page.ordered_at = _orders_of(wanted, contacts)
    if wanted.asks_for_purchases:
        page.purchases = _purchases(wanted, contacts)
    if wanted.asks_for_visits:
        page.visits = _visits(wanted, 2, {cart.id: cart.contact_id for cart in carts})
    return page


def _texts(key: str) -> str:
    """Return SQL of ours for a list of texts in the details of a fact, or nothing where it is not told."""
    return f"CASE WHEN details ? '{key}' THEN ARRAY(SELECT jsonb_array_elements_text(details -> '{key}')) END"


def _facts(table: str, column: str, ids: Sequence[int], now: datetime) -> dict[int, list[Fact]]:
    found: dict[int, list[Fact]] = defaultdict(list)
    statement = (
        f"SELECT {column}, kind, became_true_at, learnt_at, details ->> 'total',"  # noqa: S608 - names of ours
        f" details ->> 'was_total', details ->> 'reason', {_texts('products')}, {_texts('was_products')},"
        f" details ->> 'cause', details ->> 'shop_state' FROM {table}"
        f" WHERE {column} = ANY(%(ids)s) AND learnt_at <= %(now)s AND kind <> 'placed' ORDER BY {column}, id"
    )
    for subject_id, *columns in _rows(statement, {"ids": ids, "now": now}):
        found[subject_id].append(Fact._make(columns))
    return found


def _held(wanted: Wanted, ids: Sequence[int]) -> dict[int, list[Held]]:
    statement = """
        SELECT a.subject_id, a.verb, a.at,
               CASE a.verb WHEN 'orders.order.claimed' THEN a.at + make_interval(hours => shop.claim_hours)
                           ELSE (a.details ->> 'promised_at')::timestamptz END
        FROM core_activity a JOIN shops_shop shop ON shop.id = a.shop_id
        WHERE a.shop_id = %(shop)s AND a.subject_kind = 'order' AND a.subject_id = ANY(%(ids)s) AND a.at <= %(now)s
          AND a.verb IN ('orders.order.payment_promised', 'orders.order.reminders_paused',
                         'orders.order.reminders_resumed', 'orders.order.claimed', 'orders.order.released')
        ORDER BY a.id"""
    found: dict[int, list[Held]] = defaultdict(list)
    for order_id, *columns in _rows(statement, {**_values(wanted), "ids": ids}):
        found[order_id].append(Held._make(columns))
    return found


def _parts(orders: Sequence[PastOrder], now: datetime) -> dict[int, list[tuple[datetime, Decimal]]]:
    """Return what was paid in parts or given back: when we learnt it, and how much."""
    ids = [order.id for order in orders if order.taken]
    if not ids:
        return {}
    statement = """
        SELECT o.id, a.learnt_at, a.amount FROM orders_order o JOIN payments_attempt a ON a.order_id = o.id
        WHERE o.id = ANY(%(ids)s) AND a.state IN ('succeeded', 'refunded', 'disputed') AND a.currency = o.currency
          AND a.amount < o.total - a.discount AND a.learnt_at <= %(now)s
        ORDER BY 2"""
    found: dict[int, list[tuple[datetime, Decimal]]] = defaultdict(list)
    for order_id, learnt_at, amount in _rows(statement, {"ids": ids, "now": now}):
        found[order_id].append((learnt_at, amount))
    return found


# As `payments.queries` has it of the last word: when the failure was learnt, something newer was known to be under way.
_WAS_OVER = """
    EXISTS (SELECT FROM payments_attempt n
        WHERE n.order_id = a.order_id AND n.id <> a.id AND n.currency = a.currency
          AND n.created_at > c.became_true_at AND n.created_at <= c.learnt_at
          AND (n.key <> '' OR EXISTS (SELECT FROM payments_attemptchange d
              WHERE d.attempt_id = n.id AND d.state IN ('pending', 'requires_action') AND d.was_applied
                AND d.learnt_at <= c.learnt_at))
          AND NOT EXISTS (SELECT FROM payments_attemptchange d
              WHERE d.attempt_id = n.id AND d.state NOT IN ('created', 'pending', 'requires_action') AND d.was_applied
                AND d.learnt_at <= c.learnt_at))
    OR 'on_hold' IS NOT DISTINCT FROM (SELECT f.details ->> 'shop_state' FROM orders_orderfact f
        WHERE f.order_id = a.order_id AND f.kind = 'changed' AND f.became_true_at >= c.became_true_at
          AND f.learnt_at <= c.learnt_at
        ORDER BY f.id DESC LIMIT 1)
"""


def _failures(ids: Sequence[int], now: datetime) -> dict[int, list[Failure]]:
    """Return the payments that failed, in the order in which we learnt it; a late word that changed nothing is left out."""
    statement = f"""
        SELECT a.order_id, c.became_true_at, c.learnt_at, a.failure_class,
               starts_with(a.ref, %(by_word)s)
        FROM payments_attempt a JOIN payments_attemptchange c ON c.attempt_id = a.id
        JOIN orders_order o ON o.id = a.order_id
        WHERE a.order_id = ANY(%(ids)s) AND c.state = 'failed' AND c.was_applied AND c.learnt_at <= %(now)s
          AND (o.is_backfill OR NOT ({_WAS_OVER}))
        ORDER BY a.order_id, c.learnt_at, c.id"""  # noqa: S608 - conditions of ours
    found: dict[int, list[Failure]] = defaultdict(list)
    values = {"ids": ids, "now": now, "by_word": FAILED_BY_WORD}
    for order_id, became_true_at, learnt_at, cause, is_by_word in _rows(statement, values):
        found[order_id].append(Failure(became_true_at, learnt_at, cause or "unknown", is_by_word))
    return found


def _moves(ids: Sequence[int], now: datetime) -> dict[int, list[tuple[datetime, str]]]:
    """Return the moves of statuses, but those that a process made: what it would have done is worked out anew."""
    statement = """
        SELECT order_id, at, to_status FROM orders_statuschange
        WHERE order_id = ANY(%(ids)s) AND at <= %(now)s AND actor_kind <> 'process' ORDER BY order_id, id"""
    found: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
    for order_id, at, status in _rows(statement, {"ids": ids, "now": now}):
        found[order_id].append((at, status))
    return found


def _paid_since(ids: Sequence[int], now: datetime) -> dict[int, datetime]:
    statement = f"""
        SELECT o.id, min(greatest(n.paid_at, n.placed_at)) FROM orders_order o
        JOIN shops_shop shop ON shop.id = o.shop_id
        JOIN orders_order n ON {is_paid_since("o", "n", "shop")}
        WHERE o.id = ANY(%(ids)s) AND n.paid_at <= %(now)s GROUP BY o.id"""  # noqa: S608 - conditions of ours
    return dict(_rows(statement, {"ids": ids, "now": now}))


def _twins(ids: Sequence[int], now: datetime) -> dict[int, datetime]:
    """Return when a newer order for the very same products came that was not paid at once."""
    statement = """
        SELECT o.id, min(n.placed_at) FROM orders_order o
        JOIN orders_order n ON n.shop_id = o.shop_id AND n.contact_id = o.contact_id AND n.placed_at > o.placed_at
        WHERE o.id = ANY(%(ids)s) AND n.placed_at <= %(now)s AND NOT n.is_test AND n.total > 0
          AND (n.replaces_id = o.id OR n.source_id = o.source_id AND n.product_refs <> '{}'
               AND n.product_refs @> o.product_refs AND n.product_refs <@ o.product_refs)
          AND (n.paid_at IS NULL OR n.paid_at > n.placed_at + interval '1 hour')
        GROUP BY o.id"""
    return dict(_rows(statement, {"ids": ids, "now": now}))


def _purchases(wanted: Wanted, contacts: Collection[int]) -> list[Purchase]:
    """Return all that these people have ever paid for, as `processes.purchases` counts it."""
    statement = """
        SELECT o.contact_id, o.product_refs, o.paid_at,
               CASE WHEN o.is_backfill THEN o.paid_at ELSE coalesce(o.paid_learnt_at, o.paid_at) END
        FROM orders_order o
        WHERE o.shop_id = %(shop)s AND o.contact_id = ANY(%(contacts)s) AND o.paid_at IS NOT NULL
          AND o.payment_state IN ('paid', 'partly_refunded') AND NOT o.is_test AND o.product_refs <> '{}'
        ORDER BY 4"""
    rows = _rows(statement, {**_values(wanted), "contacts": list(contacts)})
    return [
        Purchase(learnt_at, contact_id, tuple(products), paid_at)
        for contact_id, products, paid_at, learnt_at in rows
        if learnt_at <= wanted.now
    ]


def _visits(wanted: Wanted, kind: int, whose: Mapping[int, int]) -> list[Coming]:
    """Return who came to a page of ours, but by a message of this process: who would follow those is unknown."""
    statement = """
        SELECT subject_id, page, at, last_at, noted_at FROM messaging_pagevisit
        WHERE shop_id = %(shop)s AND subject_kind = %(kind)s AND subject_id = ANY(%(ids)s) AND noted_at <= %(now)s
          AND NOT is_machine AND (source_id IS NULL OR source_id IS DISTINCT FROM %(source)s::bigint)
        ORDER BY noted_at"""
    values = {**_values(wanted), "kind": kind, "ids": list(whose), "source": wanted.source_id}
    return [
        Coming(noted_at + (came_at - first_at), kind, key, whose[key], page, came_at)
        for key, page, first_at, last_at, noted_at in _rows(statement, values)
        for came_at in (first_at, last_at)
        if came_at is not None and noted_at + (came_at - first_at) <= wanted.now
    ]


def _orders_of(wanted: Wanted, contacts: Collection[int]) -> dict[int, list[tuple[datetime, datetime]]]:
    """Return when these people ordered, and when we learnt it."""
    statement = """
        SELECT contact_id, placed_at, CASE WHEN is_backfill THEN placed_at ELSE greatest(learnt_at, placed_at) END
        FROM orders_order
        WHERE shop_id = %(shop)s AND contact_id = ANY(%(contacts)s) AND placed_at >= %(since)s AND placed_at <= %(now)s
        ORDER BY placed_at"""
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for contact_id, placed_at, learnt_at in _rows(statement, {**_values(wanted), "contacts": list(contacts)}):
        found[contact_id].append((placed_at, learnt_at))
    return found
