"""What a person has ordered, in numbers: for lists of people and the card beside an order."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from recoup.core.money import Money
from recoup.shops.models import Shop


@dataclass(frozen=True, slots=True)
class OrdersOfPerson:
    """How much somebody has ordered; sums by currency, never added."""

    orders: int = 0
    paid: int = 0
    unpaid: int = 0
    last_placed_at: datetime | None = None
    paid_sums: tuple[Money, ...] = ()
    unpaid_sums: tuple[Money, ...] = ()


def orders_of_people(shop: Shop, contact_ids: Collection[int]) -> dict[int, OrdersOfPerson]:
    """Return the numbers of each of these people; False orders do not count (E10)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT contact_id, currency, count(*), count(*) FILTER (WHERE payment_state IN ('paid', 'partly_refunded')),"
            " count(*) FILTER (WHERE status IN ('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')"
            "   AND payment_state IN ('owed', 'on_hold', 'failed', 'partly_paid')),"
            " max(placed_at), sum(captured - refunded),"
            " sum(total - discount_given - captured + refunded) FILTER ("
            " WHERE payment_state IN ('owed', 'on_hold', 'failed', 'partly_paid')"
            "   AND status IN ('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid'))"
            " FROM orders_order WHERE shop_id = %s AND contact_id = ANY(%s) AND status <> 'false'"
            " GROUP BY contact_id, currency ORDER BY contact_id, currency",
            [shop.pk, sorted(set(contact_ids))],
        )
        rows = cursor.fetchall()
    found: dict[int, OrdersOfPerson] = {}
    for contact_id, currency, orders, paid, unpaid, last, taken, owed in rows:
        one = found.get(contact_id, OrdersOfPerson())
        found[contact_id] = OrdersOfPerson(
            orders=one.orders + orders,
            paid=one.paid + paid,
            unpaid=one.unpaid + unpaid,
            last_placed_at=max(one.last_placed_at, last) if one.last_placed_at else last,
            paid_sums=(*one.paid_sums, Money(taken, currency)) if taken else one.paid_sums,
            unpaid_sums=(*one.unpaid_sums, Money(owed, currency)) if owed else one.unpaid_sums,
        )
    return found
