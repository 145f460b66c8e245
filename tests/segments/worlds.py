"""Random people with their orders and carts, and random conditions about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from recoup.customers.models import ConsentEvent, Contact, ContactTag, Suppression, Tag
from recoup.customers.queries import address_hash
from recoup.messaging.models import PageVisit
from recoup.orders.models import Cart, Order, OrderLine
from recoup.recovery.models import RecoveryCase
from recoup.segments.facts import Subject
from recoup.segments.field import Field, FieldType
from recoup.segments.fields import FIELDS
from recoup.segments.order_fields import CAUSES, STATUSES, WEEKDAYS
from recoup.segments.tree import OPERATORS
from recoup.shops.models import Shop, Source
from tests.factories.moments import DAY, HOUR, NOW

SUMS = [Decimal(text) for text in ("0", "10", "99.99", "100", "149.5")]
TAGS = ["vip", "gift"]
PRODUCTS = ["cream", "soap", "tea"]
# Around the edges of days and spans, also of the shop's own day.
INSTANTS = [
    *(NOW - hours * HOUR for hours in (0, 1, 12, 24, 25, 48)),
    NOW - 7 * DAY,
    NOW - 30 * DAY,
    datetime(2026, 10, 31, 22, 59, 59, tzinfo=UTC),
    datetime(2026, 10, 31, 23, 0, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # the hour that comes twice in Warsaw
]
DAYS = ["2026-10-25", "2026-10-31", "2026-11-01", "2026-11-02"]
SPANS = ["PT1H", "PT12H", "P1D", "P7D", "P30D"]
PAYMENTS = [
    "owed",
    "failed",
    "authorized",
    "partly_paid",
    "paid",
    "partly_refunded",
    "refunded",
    "disputed",
    "nothing_due",
]
_sums, _at, _words = st.sampled_from(SUMS), st.sampled_from(INSTANTS), st.sampled_from(["", "pl", "de"])
_maybe_at = st.none() | _at


@dataclass(frozen=True)
class Person:
    """A person of a random world."""

    locale: str
    zone: str
    country: str
    email: bool
    phone: bool
    seen_at: datetime
    consents: Sequence[dict[str, Any]]
    suppressions: Sequence[dict[str, Any]]
    tags: Sequence[str]


@dataclass(frozen=True)
class World:
    """People, and orders and carts of one of them or of nobody (`whose`)."""

    people: Sequence[Person]
    orders: Sequence[dict[str, Any]]
    carts: Sequence[dict[str, Any]]


def _rows(**columns: Any) -> Any:
    return st.fixed_dictionaries(columns)


_people = st.builds(
    Person,
    locale=_words,
    zone=st.sampled_from(["", "Europe/Warsaw", "Asia/Tokyo"]),
    country=st.sampled_from(["", "PL", "DE"]),
    email=st.booleans(),
    phone=st.booleans(),
    seen_at=_at,
    consents=st.lists(
        _rows(
            purpose=st.sampled_from(["marketing", "cart_reminder"]),
            channel=st.sampled_from(["email", "sms"]),
            is_given=st.booleans(),
            became_true_at=_at,
            learnt_at=_at,
        ),
        max_size=3,
    ),
    suppressions=st.lists(
        _rows(
            scope=st.sampled_from(["all", "reminders", "marketing"]),
            since=_at,
            lifted_at=_maybe_at,
        ),
        max_size=2,
        unique_by=lambda row: row["scope"],
    ),
    tags=st.lists(st.sampled_from(TAGS), max_size=2, unique=True),
)
_visits = st.lists(
    _rows(page=st.sampled_from(["pay", "cart", "out"]), at=_at, noted_at=_maybe_at, is_machine=st.booleans()),
    max_size=2,
)
_orders = _rows(
    whose=st.integers(-1, 2),
    total=_sums,
    captured=_sums,
    refunded=_sums,
    discount_given=_sums,
    currency=st.sampled_from(["PLN", "EUR"]),
    method=st.sampled_from(["card", "bank", ""]),
    is_offline_method=st.booleans(),
    status=st.sampled_from(STATUSES),
    payment_state=st.sampled_from(PAYMENTS),
    placed_at=_at,
    learnt_at=_at,
    version_at=_at,
    paid_at=_maybe_at,
    paid_learnt_at=_maybe_at,
    cancelled_at=_maybe_at,
    superseded_at=_maybe_at,
    products=st.lists(st.sampled_from(PRODUCTS), max_size=3, unique=True),
    discount_total=st.none() | _sums,
    country=st.sampled_from(["", "PL", "DE"]),
    origin=st.sampled_from(["checkout", "landing", ""]),
    lines=st.integers(0, 3),
    cause=st.none() | st.sampled_from(["", *CAUSES]),
    is_test=st.booleans(),
    is_backfill=st.booleans(),
    visits=_visits,
)
_carts = _rows(
    whose=st.integers(-1, 2),
    total=_sums,
    currency=st.sampled_from(["PLN", "EUR"]),
    products=st.lists(st.sampled_from(PRODUCTS), max_size=3, unique=True),
    last_activity_at=_at,
    coupon=st.sampled_from(["", "SPRING"]),
    lines=st.integers(0, 3),
    visits=_visits,
)
worlds = st.builds(
    World,
    people=st.lists(_people, min_size=1, max_size=3),
    orders=st.lists(_orders, max_size=6),
    carts=st.lists(_carts, max_size=3),
)


def make_world(shop: Shop, source: Source, world: World) -> None:
    """Put a world into a shop, in few statements."""
    people = Contact.objects.bulk_create(
        [
            Contact(
                shop=shop,
                name=f"Person {number}",
                email=f"person{number}@example.com" if one.email else "",
                phone="+48600700800" if one.phone else "",
                locale=one.locale,
                time_zone=one.zone,
                country=one.country,
                first_seen_at=one.seen_at,
            )
            for number, one in enumerate(world.people)
        ]
    )
    ConsentEvent.objects.bulk_create(
        ConsentEvent(shop=shop, contact=contact, source="test", **row)
        for contact, one in zip(people, world.people, strict=True)
        for row in one.consents
    )
    Suppression.objects.bulk_create(
        Suppression(
            shop_id=shop.pk,
            address_hash=address_hash(shop.pk, "email", contact.email),
            reason="by_hand",
            **row,
        )
        for contact, one in zip(people, world.people, strict=True)
        if contact.email
        for row in one.suppressions
    )
    tags = {key: Tag.objects.create(shop=shop, name=key.upper(), key=key, made_at=NOW) for key in TAGS}
    ContactTag.objects.bulk_create(
        ContactTag(shop=shop, contact=contact, tag=tags[key], added_at=NOW, added_kind="system")
        for contact, one in zip(people, world.people, strict=True)
        for key in one.tags
    )
    _make_orders(shop, source, people, world.orders)
    carts = Cart.objects.bulk_create(
        Cart(
            shop=shop,
            source=source,
            ref=f"c{number}",
            contact=_whose(people, row),
            currency=row["currency"],
            locale="en",
            total=row["total"],
            lines=[{"name": "x"}] * row["lines"],
            product_refs=row["products"],
            coupon=row["coupon"],
            started_at=row["last_activity_at"],
            last_activity_at=row["last_activity_at"],
            learnt_at=NOW,
            version_at=NOW,
        )
        for number, row in enumerate(world.carts)
    )
    _make_visits(shop, Subject.CART, carts, world.carts)


def _make_visits(
    shop: Shop, kind: Subject, about: Sequence[Order | Cart], rows: Sequence[dict[str, Any]]
) -> None:
    PageVisit.objects.bulk_create(
        PageVisit(shop=shop, subject_kind=kind, subject_id=one.pk, contact=one.contact, slot=slot, **visit)
        for one, row in zip(about, rows, strict=True)
        for slot, visit in enumerate(row["visits"])
    )


def _whose(people: Sequence[Contact], row: dict[str, Any]) -> Contact | None:
    return people[row["whose"]] if 0 <= row["whose"] < len(people) else None


def _make_orders(
    shop: Shop, source: Source, people: Sequence[Contact], rows: Sequence[dict[str, Any]]
) -> None:
    orders = Order.objects.bulk_create(
        Order(
            shop=shop,
            source=source,
            ref=f"o{number}",
            number=f"o{number}",
            locale="en",
            contact=_whose(people, row),
            buyer={"country": row["country"]} if row["country"] else {},
            product_refs=row["products"],
            **{
                key: value
                for key, value in row.items()
                if key
                not in ("whose", "products", "country", "lines", "cause", "captured", "refunded", "visits")
            },
            captured=row["captured"],
            refunded=min(row["captured"], row["refunded"]),
        )
        for number, row in enumerate(rows)
    )
    _make_visits(shop, Subject.ORDER, orders, rows)
    OrderLine.objects.bulk_create(
        OrderLine(shop=shop, order=order, position=position, name="x", quantity=1, unit_price=1, total=1)
        for order, row in zip(orders, rows, strict=True)
        for position in range(row["lines"])
    )
    RecoveryCase.objects.bulk_create(
        RecoveryCase(
            shop=shop,
            kind="order",
            order=order,
            contact=order.contact,
            cause=row["cause"],
            amount=1,
            currency="PLN",
            opened_at=NOW,
            lapses_at=NOW + timedelta(days=30),
        )
        for order, row in zip(orders, rows, strict=True)
        if row["cause"] is not None
    )


_TEXTS: dict[str, list[str]] = {
    "order.currency": ["PLN", "EUR"],
    "order.method": ["card", "bank"],
    "order.country": ["PL", "DE"],
    "order.origin": ["checkout", "landing"],
    "order.weekday": list(WEEKDAYS),
    "cart.currency": ["PLN", "EUR"],
    "contact.locale": ["pl", "de"],
    "contact.zone": ["Europe/Warsaw", "Asia/Tokyo"],
    "contact.country": ["PL", "DE"],
}


def _numbers(name: str) -> Any:
    if name.endswith(("_count", "hour")):
        return st.integers(0, 3) if name.endswith("_count") else st.integers(0, 23)
    return st.sampled_from([str(value) for value in SUMS]) | st.integers(0, 200)


def _values(fact: Field, operator: str) -> Any:
    match fact.type:
        case FieldType.YES_NO:
            return st.booleans()
        case FieldType.LIST:
            known = ["VIP", "gift"] if fact.folds else PRODUCTS
            return st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True)
        case FieldType.INSTANT:
            return st.sampled_from(DAYS if operator in ("before", "after") else SPANS)
        case FieldType.TEXT:
            one: Any = st.sampled_from(list(fact.choices) or _TEXTS.get(fact.name, ["1"]))
        case FieldType.NUMBER:
            one = _numbers(fact.name)
    return st.lists(one, min_size=1, max_size=3) if operator == "in" else one


@st.composite
def comparisons(draw: st.DrawFn, subject: Subject) -> dict[str, Any]:
    """Draw a comparison that fits a subject."""
    fact = draw(st.sampled_from([one for one in FIELDS.values() if subject in one.subjects]))
    operator = draw(st.sampled_from(OPERATORS[fact.type]))
    raw: dict[str, Any] = {"f": fact.name, "op": operator}
    if operator != "is_set":
        raw["v"] = draw(_values(fact, operator))
    if fact.is_timed and draw(st.booleans()):
        raw["within"] = draw(st.sampled_from(SPANS))
    if fact.is_money:
        raw["currency"] = draw(st.sampled_from(["PLN", "EUR"]))
    return raw


def trees(subject: Subject) -> Any:
    """Return conditions about a subject, nested a few times."""
    return st.recursive(
        comparisons(subject),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts})
            | st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts})
            | inner.map(lambda part: {"not": part})
        ),
        max_leaves=6,
    )
