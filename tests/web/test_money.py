"""Giving money back and freeing a stuck payment, on the page of the order (R29, T73, T76)."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django_scopes import scopes_disabled

from recoup.core.models import AttentionItem
from recoup.orders.models import Order
from recoup.payments import asking, sessions
from recoup.payments.models import Attempt, OperatorAccount, Refund
from recoup.payments.sessions import Opening
from recoup.payments.ways import Way
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop
from tests.support.bank import TestBank, test_bank
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops(db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def bank() -> Iterator[TestBank]:
    """Return a bank in threads."""
    with test_bank() as running_bank:
        yield running_bank


@pytest.fixture
def shop() -> Shop:
    """Return a shop on a Monday noon."""
    set_clock(NOW)
    return make_shop(slug="lumen")


def open_session(account: OperatorAccount, order: Order) -> Attempt:
    """Open a pay session of an order."""
    way = Way(account, "card")
    return sessions.open_session(order, Opening(way, "", "http://127.0.0.1:8000/x", "en", "Order"), now=NOW)


def paid_twice(bank: TestBank, account: OperatorAccount, order: Order) -> list[Attempt]:
    """Pay an order in two sessions."""
    first = open_session(account, order)
    sessions.release_session(first, user_id=1, now=NOW)
    second = open_session(account, order)
    for attempt in (first, second):
        bank.act(attempt, do="pay")
        asking.ask_attempt(attempt, now=NOW)
    return [first, second]


def test_the_second_payment_is_given_back_by_one_button(shop: Shop, bank: TestBank) -> None:
    client, order = sign_in(shop), make_order(shop)
    _, second = paid_twice(bank, bank.account(shop), order)
    page = f"/s/lumen/orders/{order.pk}/"

    shown = client.get(page).content.decode()
    answer = client.post(f"{page}give-back/", {"attempt": str(second.pk)})

    order.refresh_from_db()
    assert "Give a payment back" in shown
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert (order.captured, order.refunded, order.payment_state) == (
        Decimal(298),
        Decimal(149),
        "partly_refunded",
    )
    assert not AttentionItem.objects.filter(kind="payments.double_payment", settled_at=None).exists()
    assert "Give a payment back" not in client.get(page).content.decode()


def test_a_second_press_is_a_conflict_and_gives_nothing_back_again(shop: Shop, bank: TestBank) -> None:
    client, order = sign_in(shop), make_order(shop)
    first, second = paid_twice(bank, bank.account(shop), order)
    path = f"/s/lumen/orders/{order.pk}/give-back/"

    answers = [client.post(path, {"attempt": str(second.pk)}).status_code for _ in range(2)]
    other = client.post(path, {"attempt": str(first.pk)}).status_code

    assert (answers, other) == ([303, 409], 409)  # what is left is the order's own payment
    assert Refund.objects.filter(order=order).count() == 1


def test_an_order_paid_once_has_nothing_to_give_back(shop: Shop, bank: TestBank) -> None:
    client, order = sign_in(shop), make_order(shop)
    attempt = open_session(bank.account(shop), order)
    bank.act(attempt, do="pay")
    asking.ask_attempt(attempt, now=NOW)

    answer = client.post(f"/s/lumen/orders/{order.pk}/give-back/", {"attempt": str(attempt.pk)})

    assert answer.status_code == 409
    assert Refund.objects.count() == 0


def test_a_payment_that_nobody_can_tell_of_is_freed_by_a_person(shop: Shop, bank: TestBank) -> None:
    client, order = sign_in(shop), make_order(shop)
    account = bank.account(shop)
    attempt = open_session(account, order)
    page = f"/s/lumen/orders/{order.pk}/"
    assert "Let it be paid again" not in client.get(page).content.decode()
    OperatorAccount.objects.update(base_url="http://127.0.0.1:9")
    asking.ask_open_attempts(now=NOW + DAY)
    assert AttentionItem.objects.get(settled_at=None).kind == "payments.outcome_unknown"

    shown = client.get(page).content.decode()
    wrong = client.post(f"{page}free/", {"attempt": "0"})
    right = client.post(f"{page}free/", {"attempt": str(attempt.pk)})

    assert "Let it be paid again" in shown
    assert (wrong.status_code, right.status_code) == (409, 303)
    assert not Attempt.objects.filter(is_open_session=True).exists()
    assert not AttentionItem.objects.filter(settled_at=None).exists()


@pytest.mark.parametrize("role", ["viewer", "marketer", "service"])
def test_others_see_no_button_and_are_refused(shop: Shop, bank: TestBank, role: str) -> None:
    client, order = sign_in(shop, role), make_order(shop)
    _, second = paid_twice(bank, bank.account(shop), order)
    page = f"/s/lumen/orders/{order.pk}/"

    assert "Give a payment back" not in client.get(page).content.decode()
    assert client.post(f"{page}give-back/", {"attempt": str(second.pk)}).status_code == 403
    assert Refund.objects.count() == 0
