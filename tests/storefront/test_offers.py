"""What an offer does on buyers' pages: the price of its person, once, in time (K2, K3, K5; T57, T67, T69, T70)."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from django.test import Client

from recoup.core import outbox
from recoup.core.clock import trade_now
from recoup.core.models import AttentionItem
from recoup.offers.codes import shown
from recoup.offers.ending import expire_due_offers
from recoup.offers.models import Offer, Redemption
from recoup.offers.terms import Kind, Terms
from recoup.orders.models import Cart, Order
from recoup.payments import sessions
from recoup.payments.models import Attempt
from recoup.payments.ways import ways_to_pay
from recoup.shops.models import Shop
from recoup.storefront.expiring import close_expired_sessions
from tests.factories.offers import TEN, make_offer, make_settings
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.storefront.conftest import MakeLink
from tests.support.bank import TestBank

D = Decimal


@pytest.fixture
def order(shop: Shop, bank: TestBank) -> Order:
    """Return an unpaid order of 100.00 of a shop that takes payments by us."""
    bank.account(shop)
    make_settings(shop)
    contact = make_contact(shop, email="anna@mail.pl", time_zone="Europe/Lisbon")
    return make_order(shop, total="100.00", contact=contact)


def offer_for(subject: Order | Cart, terms: Terms = TEN, *, hours: int = 48, **values: object) -> Offer:
    """Grant an offer that ends in so many hours."""
    now = trade_now()
    return make_offer(
        subject, terms, **{"granted_at": now, "valid_until": now + timedelta(hours=hours), **values}
    )


def way(order: Order) -> str:
    """Return the card's code."""
    return ways_to_pay(order, order.total).ways[0].code


def pay(buyer: Client, path: str, order: Order, **form: str) -> str:
    """Press the button and return where it leads."""
    return buyer.post(path, {"way": way(order), **form}).headers["Location"]


def tell(bank: TestBank) -> None:
    """Bring the bank's calls and the news that follow."""
    bank.deliver()
    while outbox.dispatch():
        pass


def test_the_link_gives_the_price_of_its_person_with_its_end_on_their_clock(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    offer_for(order, valid_until=trade_now().replace(year=2030, month=7, day=1, hour=18, minute=30, second=0))

    body = buyer.get(link("pay", order)).content.decode()

    old = '<del><span class="money">€100.00</span></del>'
    wanted = (old, "€90.00", "10%", "You save €10.00", 'value="90.0000 EUR"')
    assert [part for part in wanted if part not in body] == []
    assert "1 Jul 2030, 19:30 (WEST)" in body
    assert "Pay €90.00" in body


def test_it_is_paid_with_the_offer_and_is_paid_in_full(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    offer = offer_for(order)
    other = offer_for(order, Terms(Kind.PERCENT, percent=D(5)))
    place = pay(buyer, link("pay", order), order, quote="90.00 EUR")

    httpx.post(place, data={"do": "pay"}, trust_env=False)
    tell(bank)

    order.refresh_from_db()
    assert (order.payment_state, order.captured, order.discount_given, order.status) == (
        "paid",
        D("90.00"),
        D("10.00"),
        "completed",
    )
    assert [Offer.objects.get(pk=one.pk).state for one in (offer, other)] == ["redeemed", "void"]
    assert not AttentionItem.objects.exists()
    thanks = buyer.get(link("pay", order)).content.decode()
    assert ("Your offer" in thanks, "€90.00" in thanks) == (True, True)


def test_who_pays_the_full_price_gets_no_second_discount(
    order: Order, bank: TestBank, link: MakeLink
) -> None:
    place = pay(Client(), link("pay", order), order)
    offer = offer_for(order)  # granted while the buyer stands at the bank's page

    httpx.post(place, data={"do": "pay"}, trust_env=False)
    tell(bank)

    offer.refresh_from_db()
    order.refresh_from_db()
    assert (offer.state, offer.reason, order.captured) == ("void", "paid_full", D("100.00"))


def test_an_offer_that_ran_out_meanwhile_is_charged_by_nobody(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    offer = offer_for(order)
    path = link("pay", order)
    assert "€90.00" in buyer.get(path).content.decode()
    Offer.objects.filter(pk=offer.pk).update(valid_until=trade_now())

    answer = buyer.post(path, {"way": way(order), "quote": "90.00 EUR"})

    body = answer.content.decode()
    assert answer.status_code == 409
    assert "it was €90.00 and is €100.00 now" in body
    assert Attempt.objects.count() == 0


def test_a_session_opened_in_time_is_ended_after_its_grace_and_opened_anew_at_the_full_price(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    offer = offer_for(order, hours=1)
    path = link("pay", order)
    pay(buyer, path, order, quote="90.00 EUR")
    over = trade_now() + timedelta(hours=1, minutes=10)

    assert (expire_due_offers(now=over), close_expired_sessions(now=over)) == (0, 0)
    assert close_expired_sessions(now=over + timedelta(minutes=10)) == 1
    Offer.objects.filter(pk=offer.pk).update(valid_until=trade_now())
    while outbox.dispatch():
        pass
    offer.refresh_from_db()
    pay(buyer, path, order, quote="100.00 EUR")

    assert offer.state == "expired"
    assert list(Attempt.objects.order_by("id").values_list("amount", "discount", "state")) == [
        (D("90.00"), D("10.00"), "cancelled"),
        (D("100.00"), D("0.00"), "pending"),
    ]


def test_a_declined_payment_frees_the_offer_once_and_it_can_be_used_again(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    offer_for(order)
    path = link("pay", order)
    place = pay(buyer, path, order, quote="90.00 EUR")
    httpx.post(place, data={"do": "decline", "reason": "insufficient_funds"}, trust_env=False)
    tell(bank)
    tell(bank)
    freed = Redemption.objects.filter(freed_at__isnull=False).count()

    pay(buyer, path, order, quote="90.00 EUR")

    assert freed == 1
    assert Redemption.objects.filter(freed_at=None).count() == 1
    assert Attempt.objects.get(is_open_session=True).amount == D("90.00")


def test_a_payment_called_ended_that_succeeds_all_the_same_takes_its_offer_again(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    offer = offer_for(order)
    path = link("pay", order)
    place = pay(buyer, path, order, quote="90.00 EUR")
    attempt = Attempt.objects.get()
    sessions.release_session(attempt, user_id=1, now=trade_now())
    while outbox.dispatch():
        pass
    assert Redemption.objects.filter(freed_at=None).count() == 0

    httpx.post(place, data={"do": "pay"}, trust_env=False)
    tell(bank)

    offer.refresh_from_db()
    order.refresh_from_db()
    assert (order.payment_state, offer.state) == ("paid", "redeemed")


def test_an_order_paid_by_its_own_shop_shows_no_price_of_ours(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    make_settings(shop)
    order = make_order(shop, total="100.00")
    Order.objects.filter(pk=order.pk).update(pay_url="https://elsewhere.example/pay")
    offer_for(order)

    assert "€90.00" not in buyer.get(link("pay", order)).content.decode()


def test_a_forwarded_cart_gives_the_goods_and_not_the_discount(
    order: Order, shop: Shop, link: MakeLink, buyer: Client
) -> None:
    cart = make_cart(shop, contact=order.contact)
    offer_for(cart)
    path = link("cart", cart)
    form = {"terms": "1", "total": "99.00", "terms_version": "1"}

    for_friend = buyer.post(path, form).headers["Location"]
    page = buyer.get(for_friend).content.decode()
    wrong = buyer.post(for_friend, {"confirm": "1", "email": "friend@mail.pl"})
    mine = buyer.post(for_friend, {"confirm": "1", "email": "Anna@mail.pl"}).headers["Location"]

    assert ("€89.10" in page, "There is an offer for the buyer" in page, "anna" in page) == (
        False,
        True,
        False,
    )
    assert wrong.status_code == 422
    assert "€89.10" in buyer.get(mine).content.decode()


def test_who_has_named_their_address_at_the_cart_pays_with_the_offer(
    order: Order, shop: Shop, link: MakeLink, buyer: Client
) -> None:
    cart = make_cart(shop, contact=order.contact)
    offer_for(cart)
    path = link("cart", cart)
    shown_page = buyer.post(path, {"confirm": "1", "email": "anna@mail.pl"}).content.decode()
    proof = re.search(r'name="proof" value="([^"]+)"', shown_page)
    assert proof is not None
    form = {"terms": "1", "total": "99.00", "terms_version": "1", "proof": proof[1]}

    own = buyer.post(path, form).headers["Location"]
    forged = buyer.post(path, {**form, "proof": f"{proof[1]}x"}).headers["Location"]

    assert ["€89.10" in buyer.get(place).content.decode() for place in (own, forged)] == [True, False]


def test_a_code_is_taken_however_it_is_typed_and_makes_the_page_its_persons(
    order: Order, link: MakeLink, buyer: Client
) -> None:
    offer = offer_for(order)
    other = make_order(order.shop, total="50.00", contact=order.contact)

    answer = buyer.post(link("pay", other), {"code": f" {shown(offer.code).lower()} "})

    assert "€45.00" in buyer.get(answer.headers["Location"]).content.decode()


def test_a_code_that_is_not_taken_is_refused_with_its_reason(
    order: Order, shop: Shop, link: MakeLink
) -> None:
    stranger = make_order(shop)
    coupon = make_order(shop, contact=order.contact, discount_total=D(5))
    codes = {
        "another person": (order, offer_for(stranger).code),
        "It counts once": (order, offer_for(order, state="redeemed").code),
        "has expired": (order, offer_for(order, valid_until=trade_now()).code),
        "does not count any more": (order, offer_for(order, state="void").code),
        "other products": (order, offer_for(order, replace(TEN, products=("vase",))).code),
        "beside another discount": (coupon, offer_for(order).code),
        "least sum": (order, offer_for(order, replace(TEN, min_sum=D(500))).code),
        "no such code": (order, "\u0410CDFGHJKMNPQ"),
    }
    found: dict[str, tuple[int, bool]] = {}
    for words, (paid, code) in codes.items():
        client = Client(REMOTE_ADDR=f"10.0.0.{len(found) + 1}")
        answer = client.post(link("pay", paid), {"code": code})
        found[words] = (answer.status_code, words in answer.content.decode())

    assert found == dict.fromkeys(codes, (409, True))


def test_codes_cannot_be_guessed(order: Order, link: MakeLink, buyer: Client) -> None:
    path = link("pay", order)

    answers = [buyer.post(path, {"code": "CDFGHJKMNPQR"}).status_code for _ in range(12)]

    assert answers == [409] * 10 + [429] * 2
    assert AttentionItem.objects.filter(kind="offers.code_guessing").count() == 1


def test_a_gift_is_shown_and_asked_for_at_the_desk(
    order: Order, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    make_product(order.source, ref="bag", name="Linen bag", stock=D(3))
    offer_for(order, Terms(Kind.GIFT, gift="bag"))
    path = link("pay", order)
    page = buyer.get(path).content.decode()

    place = pay(buyer, path, order)
    httpx.post(place, data={"do": "pay"}, trust_env=False)
    tell(bank)

    order.refresh_from_db()
    item = AttentionItem.objects.get(kind="offers.gift_due")
    assert "A gift goes with your order: Linen bag." in page
    assert (order.payment_state, order.captured, item.subject_id) == ("paid", D("100.00"), order.pk)


def test_looking_at_the_page_uses_nothing(order: Order, link: MakeLink, buyer: Client) -> None:
    offer_for(order)
    path = link("pay", order)

    for _ in range(3):
        buyer.get(path)
        buyer.head(path)

    assert Redemption.objects.count() == 0
