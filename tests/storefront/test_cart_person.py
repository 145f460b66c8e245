"""The person behind a link: masked until they have named their address (C4, T57)."""

import html
import re
from decimal import Decimal
from typing import Any

import pytest
from django.core import signing
from django.test import Client

from recoup.catalog.models import Product
from recoup.core.models import Activity
from recoup.customers.actions import Consent, record_consent
from recoup.customers.queries import find_consent
from recoup.orders.models import Order
from recoup.orders.particulars import delivery_of, invoice_of
from recoup.shops.models import Shop, Source
from tests.factories.messages import make_message
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_source
from tests.storefront.conftest import MakeLink
from tests.support.bank import TestBank


@pytest.fixture
def source(shop: Shop) -> Source:
    """Return a connected shop at candles.example."""
    return make_source(shop, base_url="https://candles.example")


def line(ref: str, *, price: str = "20.00", quantity: Any = "1", **values: Any) -> dict[str, Any]:
    """Return a line as intake keeps it."""
    total = Decimal(price) * Decimal(str(quantity)) if str(quantity).replace(".", "").isdigit() else price
    return {
        "product_ref": ref,
        "name": ref.capitalize(),
        "quantity": quantity,
        "unit_price": price,
        "total": str(total),
        **values,
    }


def make_product(source: Source, ref: str, **values: Any) -> Product:
    """Make a product of 20.00 that there is plenty of."""
    product = Product(
        **{
            "shop_id": source.shop_id,
            "source": source,
            "ref": ref,
            "name": ref.capitalize(),
            "price": Decimal("20.00"),
            "currency": "EUR",
            "version_at": NOW,
            **values,
        }
    )
    product.save(force_insert=True)
    return product


def anna(shop: Shop) -> Any:
    """Return a buyer with everything that must not be seen."""
    return make_contact(
        shop, name="Anna Kowalska", email="anna@mail.pl", phone="+48600100200", company="Anna s.c."
    )


SECRETS = ("Anna", "Kowalska", "anna@mail.pl", "600100200", "Anna s.c.")
DELIVERY = {
    "method": "inpost_locker",
    "title": "InPost Paczkomat KRA01M",
    "point": {"ref": "KRA01M", "name": "przy sklepie", "address": "ul. Pawia 5, 31-154 Krosno"},
    "name": "Jan Wilk",
    "phone": "+48500400300",
    "address": {"street": "Boczna 9", "postcode": "38-400", "city": "Jasło"},
}
INVOICE = {"is_wanted": True, "company": "Lipa Biuro", "tax_id": "5252248481", "address": {"city": "Gorlice"}}
PLACES = ("KRA01M", "przy sklepie", "Pawia", "Krosno", "Jan Wilk", "500400300", "Boczna", "38-400", "Jasło",
          "Lipa Biuro", "5252248481", "Gorlice", "LATO10")  # fmt: skip


@pytest.mark.parametrize("purpose", ["cart", "pay", "why", "out", "paid", "later", "stop"])
def test_a_forwarded_link_shows_no_name_mail_phone_or_address(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client, purpose: str
) -> None:
    bank.account(shop)
    contact = anna(shop)
    buyer_data = {
        "name": "Anna Kowalska",
        "email": "anna@mail.pl",
        "address": {"street": "Cicha 7", "city": "Kielce"},
    }
    coupons = [{"code": "LATO10", "discount": "5"}]
    order = make_order(
        shop, contact=contact, buyer=buyer_data, delivery=DELIVERY, invoice=INVOICE, coupons=coupons
    )
    message = make_message(order, state="sent")

    body = buyer.get(link(purpose, order, message=message)).content.decode()

    assert [secret for secret in (*SECRETS, "Cicha", "Kielce", *PLACES) if secret in body] == []


def test_the_person_is_masked_until_they_name_their_address(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    cart = make_cart(shop, source=source, contact=anna(shop), lines=[line("cream")])
    path = link("cart", cart)

    shown = buyer.get(path).content.decode()
    wrong = buyer.post(path, {"confirm": "1", "email": "bob@mail.pl"})
    right = buyer.post(path, {"confirm": "1", "email": " ANNA@mail.pl "})
    later = buyer.get(path).content.decode()

    assert "A•••a K•••a, a•••@m•••.pl" in shown
    assert (wrong.status_code, [s for s in SECRETS if s in wrong.content.decode()]) == (422, [])
    assert right.status_code == 200
    assert [s for s in SECRETS if s not in right.content.decode()] == []
    assert [s for s in SECRETS if s in later] == []


def test_addresses_cannot_be_guessed_without_end(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    path = link("cart", make_cart(shop, source=source, contact=anna(shop), lines=[line("cream")]))

    tries = [buyer.post(path, {"confirm": "1", "email": f"a{n}@m.pl"}).status_code for n in range(7)]

    assert tries == [422] * 5 + [429] * 2
    assert buyer.post(path, {"confirm": "1", "email": "anna@mail.pl"}).status_code == 429


def test_fresh_links_of_a_cart_give_no_more_tries(
    shop: Shop, source: Source, link: MakeLink, buyer: Client
) -> None:
    order = make_order(shop, source=source, contact=anna(shop), pay_url="https://candles.example/pay/1")
    cart = make_cart(shop, source=source, contact=order.contact, lines=[line("cream")], order_ref=order.ref)
    path = link("cart", cart)

    answers = []
    for number in range(6):
        fresh = buyer.post(path).headers["Location"]
        guess = {"show": "1", "email": f"a{number}@mail.pl"}
        answers += [buyer.post(fresh, guess).status_code for _ in range(4)]

    assert answers == [422] * 20 + [429] * 4


def test_nobody_orders_in_the_name_of_somebody_who_was_erased(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    contact = anna(shop)
    path = link("cart", make_cart(shop, source=source, contact=contact, lines=[line("cream")]))
    contact.erased_at = NOW
    contact.save()

    shown = buyer.get(path).content.decode()
    pressed = buyer.post(path, {"terms": "1", "total": "20.00", "terms_version": "1"})

    assert shop.phone in shown
    assert [s for s in SECRETS if s in shown] == []
    assert (pressed.status_code, Order.objects.count()) == (409, 0)


def test_delivery_and_invoice_are_masked_in_a_cart_until_its_person_is_there(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    bill = {"address": {"street": "Cicha 7", "city": "Kielce"}, "name": "Anna Kowalska"}
    cart = make_cart(
        shop,
        source=source,
        contact=anna(shop),
        lines=[line("cream")],
        buyer=bill,
        delivery=DELIVERY,
        invoice=INVOICE,
        coupon="LATO10",
        shipping_total=Decimal("12.99"),
    )
    path = link("cart", cart)

    shown = buyer.get(path).content.decode()
    whole = buyer.post(path, {"confirm": "1", "email": "anna@mail.pl"}).content.decode()

    assert [secret for secret in (*SECRETS, *PLACES, "Cicha", "Kielce") if secret in shown] == []
    facts = ["InPost Paczkomat •••", "K•••M", "K•••e", "L•••a B•••o", "•••81"]
    assert [words for words in facts if f"<dd>{words}</dd>" not in shown] == []
    assert [secret for secret in (*SECRETS[:4], *PLACES, "Cicha", "Kielce") if secret not in whole] == []
    assert "€32.99" in shown


def test_the_order_placed_again_keeps_delivery_and_invoice(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    order = make_order(
        shop,
        source=source,
        contact=anna(shop),
        total="20.00",
        status="cancelled",
        cancelled_at=NOW,
        delivery=DELIVERY,
        invoice=INVOICE,
        shipping_total=Decimal("12.99"),
    )

    answer = buyer.post(
        link("cart", order), {"terms": "1", "total": "32.99", "terms_version": shop.terms_version}
    )

    again = Order.objects.get(source__kind="own")
    assert (answer.status_code, again.shipping_total) == (303, Decimal("12.99"))
    assert (delivery_of(again), invoice_of(again)) == (delivery_of(order), invoice_of(order))


def test_the_pay_page_masks_delivery_and_shows_it_to_its_person_once(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    path = link("pay", make_order(shop, contact=anna(shop), delivery=DELIVERY, invoice=INVOICE))

    shown = buyer.get(path).content.decode()
    wrong = buyer.post(path, {"show": "1", "email": "bob@mail.pl"})
    right = buyer.post(path, {"show": "1", "email": "Anna@mail.pl"}).content.decode()
    later = buyer.get(path).content.decode()

    assert "<dd>K•••M</dd>" in shown
    assert (
        wrong.status_code,
        "not the address that the order was placed with" in wrong.content.decode(),
    ) == (
        422,
        True,
    )
    for body in (shown, wrong.content.decode(), later):
        assert [secret for secret in (*SECRETS, *PLACES) if secret in body] == []
    assert [secret for secret in (*SECRETS[:4], *PLACES[:-1]) if secret not in right] == []
    assert f"call {shop.phone}" in right


def test_an_order_without_delivery_has_no_place_for_it(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)

    body = buyer.get(link("pay", make_order(shop, contact=anna(shop)))).content.decode()

    assert "Delivery and invoice" not in body
    assert 'class="facts"' not in body


def test_somebody_who_was_erased_has_no_delivery_either(
    shop: Shop, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    contact = anna(shop)
    path = link("pay", make_order(shop, contact=contact, delivery=DELIVERY, invoice=INVOICE))
    contact.erased_at = NOW
    contact.save()

    body = buyer.get(path).content.decode()

    assert 'class="facts"' not in body
    assert "K•••M" not in body


def proof_in(body: str) -> str:
    """Return what the page's form brings back of somebody who has named their address."""
    found = re.search(r'name="proof" value="([^"]+)"', body)
    assert found
    return found[1]


def test_the_person_may_change_what_is_filled_in_before_ordering(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    cart = make_cart(
        shop, source=source, contact=anna(shop), lines=[line("cream")], delivery=DELIVERY, invoice=INVOICE
    )
    path = link("cart", cart)
    form = {"change": "1", "terms": "1", "total": "20.00", "terms_version": shop.terms_version}

    without = buyer.post(path, {**form, "point": "WAW01A"})
    whole = buyer.post(path, {"confirm": "1", "email": "anna@mail.pl"}).content.decode()
    form["proof"] = proof_in(whole)
    wrong = buyer.post(path, {**form, "name": "", "phone": "x", "point": " "})
    kept = wrong.content.decode()
    assert (without.status_code, wrong.status_code, Order.objects.count()) == (422, 422, 0)
    assert ("K•••M" in without.content.decode(), kept.count('class="error"')) == (True, 3)
    assert 'id="own-phone" name="phone" value="x"' in kept

    right = buyer.post(
        path, {**form, "point": "WAW01A", "name": "Anna Nowak", "company": "Dom", "invoice": "1"}
    )

    order = Order.objects.get()
    assert right.status_code == 303
    assert (order.buyer["name"], delivery_of(order).point.ref, delivery_of(order).name) == (
        "Anna Nowak",
        "WAW01A",
        "Jan Wilk",
    )
    assert (invoice_of(order).company, invoice_of(order).tax_id) == ("Dom", "5252248481")


def test_what_was_left_as_it_was_filled_in_stays_part_by_part(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    cart = make_cart(
        shop, source=source, contact=anna(shop), lines=[line("cream")], delivery=DELIVERY, invoice=INVOICE
    )
    path = link("cart", cart)
    whole = buyer.post(path, {"confirm": "1", "email": "anna@mail.pl"}).content.decode()
    sent = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', whole)}

    buyer.post(path, {key: value for key, value in sent.items() if key not in {"confirm", "email"}})

    order = Order.objects.get()
    assert (delivery_of(order), invoice_of(order)) == (delivery_of(cart), invoice_of(cart))


def test_the_pay_page_lets_the_buyer_of_an_order_placed_here_correct_it(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    contact = anna(shop)
    own = make_order(
        shop,
        source=make_source(shop, kind="own"),
        contact=contact,
        delivery=DELIVERY,
        invoice=INVOICE,
        buyer={"name": "Anna Kowalska", "email": "anna@mail.pl", "phone": "+48600100200"},
    )
    path = link("pay", own)
    whole = buyer.post(path, {"show": "1", "email": "anna@mail.pl"}).content.decode()
    form = {"change": "1", "point": "WAW01A", "invoice": "1"}

    refused = buyer.post(path, {**form, "proof": "x"})
    taken = buyer.post(path, {**form, "proof": proof_in(whole)})

    own.refresh_from_db()
    assert (refused.status_code, taken.status_code, delivery_of(own).point.ref) == (422, 200, "WAW01A")
    assert invoice_of(own) == invoice_of(make_order(shop, invoice=INVOICE))
    line_of = Activity.objects.get(verb="orders.order.corrected")
    assert (line_of.actor_kind, line_of.details["what"]) == ("buyer", ["delivery"])
    assert "WAW01A" not in str(line_of.details)


def test_another_phone_is_written_down_and_has_agreed_to_nothing(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    contact = make_contact(shop, email="anna@mail.pl", phone="+48600100200")
    record_consent(contact, [Consent("marketing", True, "shop", NOW, channel="sms")], now=NOW)
    buyer_data = {"name": "Anna", "email": "anna@mail.pl", "phone": "+48600100200", "country": "PL"}
    source = make_source(shop, kind="own")
    own = make_order(shop, source=source, contact=contact, buyer=buyer_data, delivery=DELIVERY)
    path = link("pay", own)
    whole = buyer.post(path, {"show": "1", "email": "anna@mail.pl"}).content.decode()

    for _ in range(2):
        buyer.post(path, {"change": "1", "phone": "601 200 300", "proof": proof_in(whole)})

    own.refresh_from_db()
    contact.refresh_from_db()
    agreed = {
        number: find_consent(contact, purposes=["marketing"], at=NOW + DAY, channel="sms", address=number)
        is not None
        for number in ("+48600100200", "+48601200300")
    }
    assert (own.buyer["phone"], contact.phone) == ("+48601200300", "+48600100200")
    assert agreed == {"+48600100200": True, "+48601200300": False}
    line_of = Activity.objects.get(verb="orders.order.phone_corrected")
    assert (line_of.subject_id, line_of.actor_kind, line_of.details) == (own.pk, "buyer", {})


def test_the_data_of_an_order_of_a_foreign_shop_are_the_shops_to_change(
    shop: Shop, source: Source, bank: TestBank, link: MakeLink, buyer: Client
) -> None:
    bank.account(shop)
    order = make_order(shop, contact=anna(shop), delivery=DELIVERY)
    path = link("pay", order)
    whole = buyer.post(path, {"show": "1", "email": "anna@mail.pl"}).content.decode()

    answer = buyer.post(path, {"change": "1", "point": "WAW01A", "proof": signing.dumps(1, salt="x")})

    order.refresh_from_db()
    assert 'name="change"' not in whole
    assert (answer.status_code, delivery_of(order).point.ref) == (409, "KRA01M")
