"""The buyer's own controls in every mail (features, section 3, row 11; E12)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from recoup.core.clock import trade_now
from recoup.core.models import Activity, AttentionItem
from recoup.customers.actions import Consent, record_consent
from recoup.orders.models import Order
from recoup.payments.actions import record_payment
from recoup.payments.models import Attempt
from recoup.shops.models import Shop
from recoup.shops.snapshots import AttemptState, PaymentSnapshot
from recoup.storefront import controls
from tests.factories.messages import make_message
from tests.factories.moments import NOW
from tests.factories.orders import make_cart, make_order
from tests.storefront.conftest import MakeLink
from tests.support.bank import TestBank

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.fixture
def asked() -> Iterator[list[int]]:
    """Return the orders whose source was asked, which knows nothing new."""
    orders: list[int] = []
    before = list(controls._askers)

    def ask(order: Order) -> bool:
        orders.append(order.pk)
        return True

    controls.set_asker(ask)
    yield orders
    controls._askers[:] = before


def open_kinds() -> list[str]:
    """Return what asks for a person."""
    return list(AttentionItem.objects.filter(settled_at=None).order_by("id").values_list("kind", flat=True))


# I have paid


def test_who_says_paid_is_believed_until_somebody_has_looked(
    shop: Shop, link: MakeLink, buyer: Client, asked: list[int]
) -> None:
    order = make_order(shop)
    path = link("paid", order)

    answers = [buyer.post(path) for _ in range(2)]

    order.refresh_from_db()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert "Thank you for telling us" in answers[0].content.decode()
    assert order.paused_at is not None
    assert (asked, open_kinds()) == ([order.pk], ["orders.buyer_says_paid"])
    assert order.payment_state == "owed"


def test_a_source_that_knows_of_the_payment_settles_it(shop: Shop, link: MakeLink, buyer: Client) -> None:
    order = make_order(shop)
    before = list(controls._askers)

    def pays(asked_order: Order) -> bool:
        payment = PaymentSnapshot("p1", AttemptState.SUCCEEDED, order.total, order.currency, NOW)
        record_payment(asked_order, payment, now=NOW)
        return True

    controls.set_asker(pays)
    answer = buyer.post(link("paid", order))
    controls._askers[:] = before

    order.refresh_from_db()
    assert "this order is paid" in answer.content.decode()
    assert (order.payment_state, order.paused_at, open_kinds()) == ("paid", None, [])


def test_a_bank_that_forgot_to_tell_is_asked(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client, asked: list[int]
) -> None:
    account = bank.account(shop)
    order = make_order(shop)
    buyer.post(link("pay", order), {"way": f"{account.pk}-card"})
    bank.act(Attempt.objects.get(order=order), do="pay_silently")

    answer = buyer.post(link("paid", order))

    assert "this order is paid" in answer.content.decode()
    assert open_kinds() == []


def test_a_source_that_cannot_be_asked_does_not_stop_the_buyer(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    before = list(controls._askers)

    def fails(_order: Order) -> bool:
        raise TimeoutError

    controls.set_asker(fails)
    answer = buyer.post(link("paid", make_order(shop)))
    controls._askers[:] = before

    assert answer.status_code == 200
    assert open_kinds() == ["orders.buyer_says_paid"]


# Pay later


def test_a_promised_day_rests_the_reminders_until_the_morning_after(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    order = make_order(shop)
    day = trade_now().astimezone(WARSAW).date() + timedelta(days=3)

    answer = buyer.post(link("later", order), {"day": day.isoformat()})

    order.refresh_from_db()
    assert answer.status_code == 200
    assert "We wait until" in answer.content.decode()
    assert order.promised_at == datetime.combine(
        day + timedelta(days=1), datetime.min.time(), WARSAW
    ).replace(hour=9)
    assert Activity.objects.get().verb == "orders.order.payment_promised"


@pytest.mark.parametrize("offset", [-400, -2, 61, 400, None])
def test_a_day_that_is_past_too_far_or_none_is_asked_again(
    shop: Shop, link: MakeLink, buyer: Client, offset: int | None
) -> None:
    order = make_order(shop)
    today = trade_now().astimezone(WARSAW).date()
    form = {} if offset is None else {"other_day": (today + timedelta(days=offset)).isoformat()}

    answer = buyer.post(link("later", order), form)

    order.refresh_from_db()
    assert (answer.status_code, order.promised_at) == (422, None)
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize("text", ["tomorrow", "2026-13-40", "0000-00-00", "9999-12-31", "<b>"])
def test_text_that_is_no_day_changes_nothing(shop: Shop, link: MakeLink, buyer: Client, text: str) -> None:
    order = make_order(shop)

    assert buyer.post(link("later", order), {"day": text}).status_code == 422

    order.refresh_from_db()
    assert order.promised_at is None


# Stop for this order


def test_stopping_rests_this_order_alone_and_can_be_taken_back(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    order = make_order(shop)
    other = make_order(shop, contact=order.contact)
    path = link("stop", order)

    buyer.post(path, {"do": "stop"})
    stopped = Order.objects.get(pk=order.pk).paused_at
    assert stopped is not None
    assert Order.objects.get(pk=other.pk).paused_at is None
    assert 'value="go_on"' in buyer.get(path).content.decode()
    buyer.post(path, {"do": "go_on"})

    assert Order.objects.get(pk=order.pk).paused_at is None
    assert buyer.post(path, {"do": "else"}).status_code == 400


@pytest.mark.parametrize(
    ("purpose", "form"), [("later", {"day": "2030-01-01"}), ("stop", {"do": "stop"}), ("paid", {})]
)
@pytest.mark.parametrize("values", [{"paid_at": NOW}, {"status": "cancelled"}])
def test_an_order_that_is_not_owed_has_nothing_to_rest(
    shop: Shop,
    link: MakeLink,
    buyer: Client,
    asked: list[int],
    purpose: str,
    form: dict[str, str],
    values: dict[str, Any],
) -> None:
    order = make_order(shop, **values)

    body = buyer.post(link(purpose, order), form).content.decode()

    order.refresh_from_db()
    assert (order.paused_at, order.promised_at, asked, open_kinds()) == (None, None, [], [])
    assert "<button" not in body or purpose == "later"


# Why


def test_why_tells_facts_alone(shop: Shop, link: MakeLink, buyer: Client) -> None:
    order = make_order(shop, placed_at=NOW)
    message = make_message(order, state="sent", handed_at=NOW + timedelta(days=1))

    body = buyer.get(link("why", order, message=message)).content.decode()

    assert order.number in body
    assert "2 Nov 2026, 13:00" in body  # in the shop's zone
    assert "3 Nov 2026, 13:00" in body
    assert "Article 6(1)(b)" in body
    assert "<form" not in body
    assert buyer.post(link("why", order)).status_code == 405


def test_why_names_the_consent_of_a_cart_reminder(shop: Shop, link: MakeLink, buyer: Client) -> None:
    cart = make_cart(shop)
    assert cart.contact is not None
    path = link("why", cart)

    assert "does not hold any more" in buyer.get(path).content.decode()
    record_consent(
        cart.contact, [Consent(purpose="marketing", is_given=True, source="shop", at=NOW)], now=NOW
    )
    assert "Because you agreed to it on 2 Nov 2026, 13:00" in buyer.get(path).content.decode()
