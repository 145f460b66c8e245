"""The pay page of orders that are not simply owed, and of orders that a foreign shop takes the money for (T50, C9)."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recoup.orders.models import Order
from recoup.payments.models import Attempt
from recoup.payments.ways import ways_to_pay
from recoup.shops.models import Shop
from tests.factories.messages import make_message
from tests.factories.moments import NOW
from tests.factories.orders import make_attempt, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_source
from tests.storefront.conftest import MakeLink
from tests.support.bank import TestBank


@pytest.fixture
def order(shop: Shop, bank: TestBank) -> Order:
    """Return an unpaid order of a shop that takes card, BLIK and transfer."""
    bank.account(shop)
    return make_order(shop)


def way(order: Order, method: str = "card") -> dict[str, str]:
    """Return the form with a method chosen."""
    chosen = next(way for way in ways_to_pay(order, order.total).ways if way.method == method)
    return {"way": chosen.code}


def only_attempt(order: Order) -> Attempt:
    """Return the one attempt of an order."""
    return Attempt.objects.get(order=order)


def way_of_nothing() -> dict[str, str]:
    """Return a form with a way that was offered before."""
    return {"way": "1-card"}


STAGES = [
    ({"status": "cancelled"}, "was cancelled"),
    ({"status": "false"}, "was cancelled"),
    ({"payment_state": "authorized"}, "on its way"),
    ({"payment_state": "refunded", "status": "completed"}, "given back"),
    ({"payment_state": "disputed", "status": "completed"}, "given back"),
    ({"payment_state": "paid", "status": "completed", "captured": Decimal(149)}, "is paid"),
    ({"payment_state": "nothing_due", "status": "completed", "total": "0.00"}, "nothing to pay"),
]


@pytest.mark.parametrize(("values", "words"), STAGES)
def test_an_order_that_is_not_owed_has_no_button_and_refuses_a_press(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client, values: dict[str, Any], words: str
) -> None:
    bank.account(shop)
    path = link("pay", make_order(shop, **values))

    shown, pressed = buyer.get(path), buyer.post(path, way_of_nothing())

    assert (shown.status_code, pressed.status_code) == (200, 409)
    assert words in shown.content.decode()
    assert words in pressed.content.decode()
    assert "<button" not in shown.content.decode()
    assert "Still to pay" not in shown.content.decode()
    assert not Attempt.objects.exists()


def test_an_order_replaced_by_a_newer_one_that_was_paid_is_not_paid_again(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    anna = make_contact(shop)
    older = make_order(shop, contact=anna)
    other_goods = make_order(shop, contact=anna, products=["soap"])
    make_order(shop, contact=anna, placed_at=NOW - timedelta(hours=1), paid_at=NOW)

    assert "once more since" in buyer.get(link("pay", older)).content.decode()
    assert buyer.post(link("pay", older), way(older)).status_code == 409
    assert "Pay €149.00" in buyer.get(link("pay", other_goods)).content.decode()


def test_what_was_paid_in_part_leaves_the_rest_to_pay(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    order = make_order(shop, payment_state="partly_paid", captured=Decimal(100))
    make_attempt(order, amount=Decimal(100))
    path = link("pay", order)

    body = buyer.get(path).content.decode()
    buyer.post(path, way(order))

    assert "Pay €49.00" in body
    assert "Already paid" in body
    assert "Still to pay" in body
    assert Attempt.objects.get(is_open_session=True).amount == Decimal(49)


def test_what_stands_between_the_goods_and_the_sum_is_said(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    order = make_order(shop, total="156.99", shipping_total=Decimal("9.99"), discount_total=Decimal("2.00"))
    order.lines.update(total=Decimal("149.00"))
    held = make_order(shop, total="147.00", discount_total=Decimal("2.00"))
    held.lines.update(total=Decimal("147.00"))

    told, silent = (buyer.get(link("pay", one)).content.decode() for one in (order, held))

    assert "Delivery" in told
    assert "€9.99" in told
    assert "-€2.00" in told
    assert "Discount" not in silent


def test_a_session_over_an_older_sum_is_ended_before_another_opens(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    path = link("pay", order)
    buyer.post(path, way(order))
    Order.objects.filter(pk=order.pk).update(total=Decimal("120.00"))

    buyer.post(path, {"continue": "1"})

    amounts = list(Attempt.objects.order_by("id").values_list("amount", "is_open_session"))
    assert amounts == [(Decimal("149.00"), False), (Decimal("120.00"), True)]


# Orders of a foreign shop


def foreign(shop: Shop, **values: Any) -> Order:
    """Return an order whose shop gives its own pay link."""
    source = make_source(shop, kind="woocommerce", base_url="https://candles.example")
    return make_order(
        shop,
        source=source,
        **{"pay_url": "https://candles.example/checkout/order-pay/77/?pay_for_order=true&key=wc_1", **values},
    )


def test_an_order_of_a_foreign_shop_is_paid_by_its_own_link(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    order = foreign(shop)
    path = link("pay", order)

    shown, pressed = buyer.get(path), buyer.post(path, way_of_nothing())

    assert order.pay_url not in shown.content.decode()
    assert 'type="radio"' not in shown.content.decode()
    assert "form-action 'self' https://candles.example" in shown.headers["Content-Security-Policy"]
    assert (pressed.status_code, pressed.headers["Location"]) == (303, order.pay_url)
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    "pay_url",
    [
        "",
        "https://evil.example/pay",
        "http://candles.example/pay",
        "https://candles.example@evil.example/",
        "https://candles.example.evil.example/",
        "https://candles.example:8443/",
        "//candles.example/",
        "javascript:alert(1)",
        "https://candles.example/\\evil",
        "https://candles.example/a b",
        "https://candles.example/\r\nSet-Cookie: a=b",
    ],
)
def test_a_pay_link_that_leads_elsewhere_leads_nowhere(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client, pay_url: str
) -> None:
    bank.account(shop)
    path = link("pay", foreign(shop, pay_url=pay_url))

    shown, pressed = buyer.get(path), buyer.post(path, way_of_nothing())

    assert "cannot be paid by a link" in shown.content.decode()
    assert shop.phone in shown.content.decode()
    assert (pressed.status_code, "Location" in pressed.headers) == (409, False)
    assert not Attempt.objects.exists()


def test_an_order_that_no_account_can_take_says_whom_to_call(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop, options={"most": {"EUR": "100.00"}})
    bank.account(shop, is_active=False)
    bank.account(shop, kind="unheard-of")

    assert shop.phone in buyer.get(link("pay", make_order(shop))).content.decode()


def test_the_message_that_brought_the_buyer_is_kept_with_the_attempt(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    message = make_message(order, state="sent")

    buyer.post(link("pay", order, message=message), way(order))

    assert only_attempt(order).message_id == message.pk


def test_the_page_costs_the_same_with_one_line_and_with_thirty(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    counts = []
    for lines in (1, 30):
        path = link("pay", make_order(shop, products=[f"p{number}" for number in range(lines)]))
        with CaptureQueriesContext(connection) as queries:
            buyer.get(path)
        counts.append(len(queries))

    assert counts[0] == counts[1]
