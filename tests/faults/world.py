"""Shops, people, orders and due messages, put into a database in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django_scopes import scopes_disabled

from recoup.core.clock import trade_now
from recoup.customers.models import Contact, ContactGate
from recoup.messaging.actions import MessageOrder, queue_messages
from recoup.messaging.models import Lane, MessageSource, Template
from recoup.orders.models import Order, OrderLine
from recoup.shops.models import Shop, Source
from tests.factories.messages import make_mail_account, make_message_source
from tests.factories.moments import DAY
from tests.factories.shops import make_shop, make_source
from tests.factories.templates import make_template


@dataclass(frozen=True, slots=True)
class Road:
    """A shop that sends, and what its messages are made with."""

    shop: Shop
    source: Source
    message_source: MessageSource
    template: Template


def make_road(port: int, *, slug: str, way: str = "batch", rate: float = 100_000.0) -> Road:
    """Make a shop that sends through a server on this machine."""
    with scopes_disabled():
        shop = make_shop(slug=slug, name="Pottery", live_since=trade_now() - timedelta(days=60))
        make_mail_account(shop, port=port)
        Lane(shop=shop, way=way, rate=rate, burst=rate, tokens=rate).save(force_insert=True)
        source = make_source(shop, live_since=shop.live_since)
        return Road(shop, source, make_message_source(shop), make_template(shop))


def make_people(shop: Shop, count: int, *, first: int = 0) -> list[int]:
    """Make people with their gates, numbered from `first` on."""
    people = [
        Contact(
            shop=shop,
            name="Anna Nowak",
            email=f"u{number}@{shop.slug}.example",
            locale="en",
            sort_name="anna nowak",
            first_seen_at=trade_now() - DAY,
        )
        for number in range(first, first + count)
    ]
    with scopes_disabled():
        Contact.objects.bulk_create(people, batch_size=5000)
    ContactGate.objects.bulk_create(
        [ContactGate(contact=person, shop_id=shop.pk) for person in people], batch_size=5000
    )
    return [person.pk for person in people]


def make_orders(road: Road, contact_ids: Sequence[int]) -> list[tuple[int, int]]:
    """Make an unpaid order of each person, a day old; return orders with their people."""
    placed_at = trade_now() - timedelta(hours=25)
    orders = [
        Order(
            shop=road.shop,
            source=road.source,
            ref=f"r{contact_id}",
            number=f"A{contact_id}",
            contact_id=contact_id,
            status="unpaid",
            currency="EUR",
            total=Decimal("149.00"),
            locale="en",
            method="card",
            product_refs=["cream"],
            placed_at=placed_at,
            learnt_at=placed_at,
            version_at=placed_at,
            unpaid_at=placed_at + DAY,
        )
        for contact_id in contact_ids
    ]
    with scopes_disabled():
        Order.objects.bulk_create(orders, batch_size=5000)
        OrderLine.objects.bulk_create([_line(order) for order in orders], batch_size=5000)
    return [(order.pk, order.contact_id or 0) for order in orders]


def _line(order: Order) -> OrderLine:
    return OrderLine(
        shop_id=order.shop_id,
        order=order,
        position=1,
        product_ref="cream",
        name="Hand cream",
        quantity=1,
        unit_price=order.total,
        total=order.total,
    )


def queue_reminders(road: Road, orders: Sequence[tuple[int, int]], *, first_enrolment: int = 1) -> int:
    """Queue a due reminder about each order."""
    now = trade_now()
    return queue_messages(
        [
            MessageOrder(
                shop_id=road.shop.pk,
                contact_id=contact_id,
                template_key=road.template.key,
                locale="en",
                due_at=now,
                not_after=now + timedelta(days=1),
                source_id=road.message_source.pk,
                enrolment_id=first_enrolment + number,
                step_no=1,
                node="n1",
                order_id=order_id,
            )
            for number, (order_id, contact_id) in enumerate(orders)
        ],
        now=now,
    )


def make_world(port: int, *, messages: int, roads: int = 2, slug: str = "pottery") -> list[Road]:
    """Make shops with due reminders, as many in each."""
    made = []
    for number in range(roads):
        road = make_road(port, slug=f"{slug}-{number}", way="single" if number % 2 else "batch")
        people = make_people(road.shop, messages // roads)
        queue_reminders(road, make_orders(road, people), first_enrolment=1 + number * messages)
        made.append(road)
    return made
