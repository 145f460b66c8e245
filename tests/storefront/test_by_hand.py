"""A link to pay that is handed to the buyer by somebody of the shop: one, told again; no message, yet a visit."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from recoup.core import links, outbox
from recoup.core.activity import Actor
from recoup.core.clock import trade_now
from recoup.core.models import Activity, Link
from recoup.customers.merging import merge_contacts
from recoup.customers.models import Contact
from recoup.messaging.events import PageVisited
from recoup.messaging.models import MessageVisit, PageVisit
from recoup.messaging.tracking import PATIENCE, note_visits
from recoup.orders.models import Cart, Order
from recoup.payments.models import Attempt
from recoup.payments.ways import ways_to_pay
from recoup.recovery.actions import settle_paid_cases
from recoup.shops.models import Shop
from recoup.storefront.by_hand import (
    LinkRefused,
    find_cart_link,
    find_pay_link,
    make_cart_link,
    make_pay_link,
    pay_address,
)
from recoup.storefront.purposes import CART, LIVES, PAY
from tests.factories.cases import make_case
from tests.factories.messages import make_message
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.operators import make_operator_account
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.support.bank import TestBank
from tests.support.together import together

CLERK = Actor("person", 7)
PERSON: Any = {"HTTP_ACCEPT_LANGUAGE": "en", "HTTP_USER_AGENT": "Mozilla/5.0"}
SECOND = timedelta(seconds=1)


@pytest.fixture
def came() -> Iterator[list[Any]]:
    """Return the visits of pages that were told."""
    heard: list[Any] = []
    outbox.set_routes({PageVisited: (heard.extend,)})
    yield heard
    outbox.set_routes({})


def path_of(order: Order) -> str:
    return f"/pay/{make_pay_link(order, actor=CLERK, now=trade_now()).token}"


def test_one_link_is_told_again_while_it_is_valid_and_its_token_is_kept_nowhere(shop: Shop) -> None:
    order, now = make_order(shop), trade_now()

    first = make_pay_link(order, actor=CLERK, now=now)
    again = make_pay_link(order, actor=Actor("person", 8), now=now + LIVES[PAY] - SECOND)

    stored = Link.objects.get(subject_kind="order", subject_id=order.pk)
    (line,) = Activity.objects.filter(subject_kind="order", subject_id=order.pk)
    assert (again, first.expires_at) == (first, now + LIVES[PAY])
    assert bytes(stored.token_hash) == links.hash_token(first.token)
    assert (stored.purpose, stored.contact_id, stored.message_id) == ("pay", order.contact_id, None)
    assert (line.verb, line.actor_id, line.at) == ("storefront.order.pay_link_made", 7, now)
    assert first.token not in str(line.details)
    assert find_pay_link(order, now=now + LIVES[PAY]) is None
    assert make_pay_link(order, actor=CLERK, now=now + LIVES[PAY]).token != first.token


def test_the_token_hangs_on_the_key_of_the_installation_and_on_the_order(shop: Shop, settings: Any) -> None:
    one, other, now = make_order(shop), make_order(shop), trade_now()
    tokens = {make_pay_link(order, actor=CLERK, now=now).token for order in (one, other)}

    settings.SECRET_KEY = "another key of another installation, long enough"

    assert len(tokens) == 2
    assert all(links.is_token(token) for token in tokens)
    assert find_pay_link(one, now=now) is None
    assert make_pay_link(one, actor=CLERK, now=now + SECOND).token not in tokens


def test_a_link_that_a_message_carries_or_that_was_revoked_is_not_told_again(shop: Shop) -> None:
    order, now = make_order(shop), trade_now()
    links.mint([links.LinkOrder(PAY, shop.pk, "order", order.pk, order.contact_id)], now=now)
    assert find_pay_link(order, now=now) is None
    first = make_pay_link(order, actor=CLERK, now=now)

    links.revoke(shop.pk, "order", order.pk, purposes=[PAY], now=now + SECOND)

    assert find_pay_link(order, now=now + SECOND) is None
    assert make_pay_link(order, actor=CLERK, now=now + SECOND).token != first.token


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_all_get_the_one_link(shop: Shop) -> None:
    order, now = make_order(shop), trade_now()

    def press() -> str:
        return make_pay_link(order, actor=CLERK, now=now + SECOND).token

    assert len(set(together([press] * 4))) == 1
    assert Link.objects.filter(subject_id=order.pk).count() == 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"payment_state": "paid", "status": "completed"}, "paid"),
        ({"payment_state": "authorized"}, "authorized"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "false"}, "false"),
        ({"shop_state": "unknown"}, "unsure"),
        ({"captured": "149.00"}, "paid"),
    ],
)
def test_no_link_leads_to_what_is_not_to_be_paid(shop: Shop, values: dict[str, Any], reason: str) -> None:
    order, now = make_order(shop), trade_now()
    made = make_pay_link(order, actor=CLERK, now=now)
    Order.objects.filter(pk=order.pk).update(**values)
    stale = Order(pk=order.pk, shop_id=shop.pk)  # what a page knew before

    with pytest.raises(LinkRefused) as refused:
        make_pay_link(stale, actor=CLERK, now=now)

    order.refresh_from_db()
    assert refused.value.reason == reason
    assert (links.resolve(PAY, made.token, now=now).subject_id, find_pay_link(order, now=now)) == (
        order.pk,
        None,
    )


def test_no_link_leads_to_an_order_whose_buyer_has_paid_another_for_the_same(shop: Shop) -> None:
    now = trade_now()
    order = make_order(shop, placed_at=now - timedelta(days=2))
    paid = make_order(shop, contact=order.contact, placed_at=now - timedelta(days=1), paid_at=now)

    with pytest.raises(LinkRefused) as refused:
        make_pay_link(order, actor=CLERK, now=now)

    Order.objects.filter(pk=order.pk).update(status="cancelled", superseded_by=paid)
    with pytest.raises(LinkRefused) as closed:
        make_pay_link(order, actor=CLERK, now=now)
    assert [refused.value.reason, closed.value.reason] == ["superseded", "superseded"]


def test_no_link_leads_somebody_who_was_erased(shop: Shop) -> None:
    anna, now = make_contact(shop), trade_now()
    order = make_order(shop, contact=anna)
    make_pay_link(order, actor=CLERK, now=now)
    Contact.objects.filter(pk=anna.pk).update(erased_at=now)
    order = Order.objects.get(pk=order.pk)

    with pytest.raises(LinkRefused) as refused:
        make_pay_link(order, actor=CLERK, now=now)

    assert (refused.value.reason, find_pay_link(order, now=now)) == ("nobody", None)


def test_its_page_masks_the_buyer_as_that_of_a_mail_does(shop: Shop, link: Any, buyer: Client) -> None:
    make_operator_account(shop)
    anna = make_contact(shop, name="Anna Kowalska", email="anna@mail.example")
    order = make_order(shop, contact=anna, buyer={"name": "Anna Kowalska", "email": "anna@mail.example"})
    path, mailed = path_of(order), link("pay", order)

    pages = [buyer.get(at, **PERSON).content.decode().replace(at, "") for at in (path, mailed)]

    assert pages[0] == pages[1]
    assert "Pay €149.00" in pages[0]
    assert not re.search("Kowalska|anna@mail", pages[0])
    assert "sessionid" not in buyer.cookies


def test_who_comes_by_it_came_straight_and_is_told_once_weighed(
    shop: Shop, buyer: Client, came: list[Any]
) -> None:
    order = make_order(shop)
    path = path_of(order)

    buyer.get(path)  # names no language: a machine
    buyer.get(path, **{**PERSON, "HTTP_USER_AGENT": "WhatsApp/2.23"})
    note_visits(now=trade_now() + PATIENCE + SECOND)
    outbox.dispatch()
    assert (came, PageVisit.objects.count()) == ([], 0)

    assert buyer.get(path, **PERSON).status_code == 200
    note_visits(now=trade_now() + PATIENCE + SECOND)
    outbox.dispatch()

    assert [(one.subject_kind, one.subject_id, one.contact_id) for one in came] == [
        (1, order.pk, order.contact_id)
    ]
    assert not MessageVisit.objects.exists()


def test_who_was_merged_comes_as_the_one_who_stayed_and_gets_a_link_of_their_own(
    shop: Shop, buyer: Client, came: list[Any]
) -> None:
    gone, kept = make_contact(shop, email="old@mail.example"), make_contact(shop, email="new@mail.example")
    order = make_order(shop, contact=gone)
    path = path_of(order)
    merge_contacts(kept, gone, actor=CLERK, now=trade_now())
    order.refresh_from_db()

    answer = buyer.get(path, **PERSON)
    note_visits(now=trade_now() + PATIENCE + SECOND)
    outbox.dispatch()

    assert (answer.status_code, [one.contact_id for one in came]) == (200, [kept.pk])
    assert find_pay_link(order, now=trade_now()) is None
    assert path_of(order) != path


@pytest.mark.parametrize("is_reminded", [True, False])
def test_what_is_paid_by_it_is_credited_to_a_reminder_before_it_and_to_nothing_else(
    shop: Shop, bank: TestBank, buyer: Client, is_reminded: bool
) -> None:
    bank.account(shop)
    order, now = make_order(shop, status="unpaid", unpaid_at=NOW, check_at=None), trade_now()
    case = make_case(order, opened_at=now - 2 * HOUR, lapses_at=now + DAY)
    reminder = (
        make_message(order, case_id=case.pk, state="sent", handed_at=now - HOUR) if is_reminded else None
    )
    card = next(way for way in ways_to_pay(order, order.total).ways if way.method == "card")

    assert buyer.post(path_of(order), {"way": card.code}, **PERSON).status_code == 303
    attempt = Attempt.objects.get(order=order)
    Attempt.objects.update(state="succeeded", settled_at=now + HOUR, is_open_session=False)
    paid = {"payment_state": "paid", "status": "completed", "captured": order.total, "paid_at": now + HOUR}
    Order.objects.filter(pk=order.pk).update(**paid)
    settle_paid_cases([order.pk], now=now + HOUR)

    case.refresh_from_db()
    assert (attempt.message_id, case.credited_message_id) == (None, reminder.pk if reminder else None)
    assert case.outcome == ("recovered" if is_reminded else "paid_unaided")
    assert case.recovered_amount == (order.total if is_reminded else None)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"state": "converted"}, "converted"),
        ({"state": "emptied"}, "emptied"),
        ({"state": "expired"}, "expired"),
        ({"lines": []}, "emptied"),
    ],
)
def test_a_left_cart_has_one_link_until_it_is_none(
    shop: Shop, buyer: Client, came: list[Any], values: dict[str, Any], reason: str
) -> None:
    cart, now = make_cart(shop, state="abandoned"), trade_now()
    made = make_cart_link(cart, actor=CLERK, now=now)
    again = make_cart_link(cart, actor=CLERK, now=now + LIVES[CART] - SECOND)
    line = Activity.objects.get(subject_kind="contact", verb="storefront.cart.link_made")

    page = buyer.get(f"/cart/{made.token}", **PERSON)
    note_visits(now=trade_now() + PATIENCE + SECOND)
    outbox.dispatch()
    Cart.objects.filter(pk=cart.pk).update(**values)

    assert (again, made.expires_at, line.actor_id) == (made, now + LIVES[CART], 7)
    assert (page.status_code, buyer.get(f"/pay/{made.token}").status_code) == (200, 404)
    assert [(one.subject_kind, one.subject_id, one.contact_id) for one in came] == [
        (2, cart.pk, cart.contact_id)
    ]
    with pytest.raises(LinkRefused) as refused:
        make_cart_link(cart, actor=CLERK, now=now)
    cart.refresh_from_db()
    assert (refused.value.reason, find_cart_link(cart, now=now)) == (reason, None)


def test_its_address_is_of_the_installation(shop: Shop, settings: Any) -> None:
    settings.PUBLIC_URL = "https://pay.shop.example"
    made = make_pay_link(make_order(shop), actor=CLERK, now=trade_now())

    assert pay_address(made) == f"https://pay.shop.example/pay/{made.token}"
