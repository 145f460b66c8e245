"""Who ordered what in the demo's past, and how the shop tells of it."""

from dataclasses import replace

import pytest
from django_scopes import scopes_disabled

from recoup.core.models import InboxItem
from recoup.demo.past import carts, plans
from recoup.demo.telling import cart_as_told, order_as_told, report
from recoup.hooks.apply import apply_waiting
from recoup.orders.models import Cart, Order
from recoup.orders.particulars import delivery_of, invoice_of
from recoup.shops.snapshots import FailureClass, InvoiceSnapshot
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, NOW
from tests.factories.shops import make_shop, make_source

PLANS = plans(NOW - 21 * DAY, days=21)
CARTS = carts(NOW - 21 * DAY, days=21)


def test_an_address_belongs_to_one_person() -> None:
    people = {(plan.snapshot.person.email, plan.snapshot.person.name) for plan in PLANS}

    assert len({email for email, _ in people}) == len(people)
    assert len(people) > 150


def test_only_a_card_expires() -> None:
    refused = {plan.snapshot.method for plan in PLANS if plan.failure[1] == FailureClass.HARD}

    assert refused == {"card"}


def test_some_left_their_cart_and_agreed_to_be_reminded() -> None:
    agreed = [cart for cart in CARTS if cart.person.marketing_consent]

    assert 0 < len(agreed) < len(CARTS)
    assert all(cart.person.marketing_consent_at == cart.version_at for cart in agreed)


def test_goods_are_brought_and_some_want_an_invoice() -> None:
    orders = [plan.snapshot for plan in PLANS]
    collected = [one for one in orders if one.delivery is not None and one.delivery.point.is_known]
    invoices = {one.person.email: one.invoice for one in orders if one.invoice is not None}
    adding_up = [
        sum((line.total for line in one.lines), one.shipping_total or 0) == one.total for one in orders
    ]

    assert len(orders) / 2 < len(collected) < len(orders)
    assert all(
        one.delivery.point.address.endswith(one.person.address["city"]) for one in collected if one.delivery
    )
    assert len(invoices) > 5
    assert all(has_check_digit(one.tax_id) for one in invoices.values())
    assert all(adding_up)


def has_check_digit(nip: str) -> bool:
    """Tell whether the check digit of a Polish tax number is right."""
    weights = (6, 5, 7, 2, 3, 4, 5, 6, 7, -1)
    return sum(weight * int(digit) for weight, digit in zip(weights, nip, strict=True)) % 11 == 0


@pytest.mark.django_db
def test_what_the_shop_tells_is_read_as_it_was_meant() -> None:
    set_clock(NOW)
    source = make_source(make_shop(), kind="generic")
    order, cart = PLANS[0].snapshot, replace(CARTS[0], version_at=NOW - DAY)

    report(source, "order.created", order_as_told(order), at=order.placed_at)
    report(source, "cart.updated", cart_as_told(cart), at=cart.version_at)
    report(source, "order.created", {**order_as_told(order), "id": "L-1", "total": "129,00 zł"}, at=NOW)
    apply_waiting(now=NOW)

    with scopes_disabled():
        found, kept = Order.objects.get(source=source), Cart.objects.get(source=source)
    assert (found.number, found.total, found.placed_at) == (order.number, order.total, order.placed_at)
    assert (kept.ref, kept.total) == (cart.ref, cart.total)
    assert (found.shipping_total, delivery_of(found)) == (order.shipping_total, order.delivery)
    assert (delivery_of(kept), invoice_of(kept)) == (cart.delivery, cart.invoice or InvoiceSnapshot())
    states = InboxItem.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["applied", "applied", "quarantined"]
