"""Unsubscribing: one click leaves, a robot does not (R21; T52, T53, T55)."""

from datetime import timedelta

import pytest
from django.test import Client

from recoup.core.models import Activity
from recoup.customers.actions import Consent, record_consent, suppress
from recoup.customers.models import ConsentEvent, ContactGate, Suppression
from recoup.customers.queries import find_consent, suppression_scopes
from recoup.shops.models import Shop
from tests.factories.messages import make_message
from tests.factories.moments import NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.storefront.conftest import MakeLink

FAR = NOW + timedelta(days=9999)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def test_one_click_leaves_at_once_without_cookie_origin_or_referer(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    order = make_order(shop)
    path = link("out", order, message=make_message(order, state="sent"))

    answers = [buyer.post(path, ONE_CLICK, headers={"origin": "null"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert ["Location" in answer.headers for answer in answers] == [False, False]
    assert suppression_scopes(shop.pk, order.contact.email) == {"reminders"}  # type: ignore[union-attr]
    assert Suppression.objects.count() == 1


def test_one_click_may_come_as_a_multipart_form(shop: Shop, link: MakeLink, buyer: Client) -> None:
    order = make_order(shop)
    body = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'

    answer = buyer.post(link("out", order), body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 200
    assert Suppression.objects.count() == 1


def test_leaving_by_the_link_of_a_short_message_ends_short_messages(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    anna = make_contact(shop, email="anna@example.com", phone="+48601000002")
    cart = make_cart(shop, contact=anna)
    for channel in ("email", "sms"):
        record_consent(anna, [Consent("marketing", True, "test", NOW, channel=channel)], now=NOW)
    told = {"channel": "sms", "recipient": "+48601000002", "message_class": "needs_consent"}
    path = link("out", cart, message=make_message(cart, state="sent", **told))

    buyer.post(path, {"do": "leave"})

    assert suppression_scopes(shop.pk, "+48601000002", channel="sms") == {"marketing"}
    assert suppression_scopes(shop.pk, "anna@example.com") == set()
    agreed = [
        find_consent(anna, purposes=["marketing"], at=FAR, channel=channel) is not None
        for channel in ("email", "sms")
    ]
    assert agreed == [True, False]
    assert "You get no more of these" in buyer.get(path).content.decode()

    buyer.post(path, {"do": "return"})

    assert suppression_scopes(shop.pk, "+48601000002", channel="sms") == set()
    assert find_consent(anna, purposes=["marketing"], at=FAR, channel="sms") is not None


def test_leaving_at_one_number_takes_back_what_was_given_for_another(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    anna = make_contact(shop, phone="+48601000002")
    cart = make_cart(shop, contact=anna)
    record_consent(anna, [Consent("marketing", True, "test", NOW, channel="sms")], now=NOW)
    told = {"channel": "sms", "recipient": "+48602000009", "message_class": "soft_opt_in"}

    buyer.post(link("out", cart, message=make_message(cart, state="sent", **told)), {"do": "leave"})

    assert find_consent(anna, purposes=["marketing"], at=FAR, channel="sms", address=anna.phone) is None


@pytest.mark.parametrize(
    "form",
    [{}, {"List-Unsubscribe": "one-click"}, {"List-Unsubscribe": ""}, {"do": "unsubscribe"}, {"x": "1"}],
)
def test_any_other_post_is_refused_and_changes_nothing(
    shop: Shop, link: MakeLink, buyer: Client, form: dict[str, str]
) -> None:
    path = link("out", make_order(shop))

    assert buyer.post(path, form).status_code == 400
    assert (
        buyer.post(path, b'{"List-Unsubscribe":"One-Click"}', content_type="application/json").status_code
        == 400
    )
    assert buyer.post(path, b"\x00broken", content_type="multipart/form-data; boundary=x").status_code == 400
    assert Suppression.objects.count() == 0


def test_the_page_has_a_button_that_works(shop: Shop, link: MakeLink, buyer: Client) -> None:
    order = make_order(shop)
    path = link("out", order)

    before = buyer.get(path).content.decode()
    after = buyer.post(path, {"do": "leave"})

    assert 'name="do" value="leave"' in before
    assert after.status_code == 200
    assert "You get no more of these" in after.content.decode()
    assert "You get no more of these" in buyer.get(path).content.decode()
    assert suppression_scopes(shop.pk, order.contact.email) == {"reminders"}  # type: ignore[union-attr]


def test_leaving_touches_what_the_sender_locks(shop: Shop, link: MakeLink, buyer: Client) -> None:
    order = make_order(shop)
    gate = ContactGate.objects.get(contact=order.contact)

    buyer.post(link("out", order), ONE_CLICK)

    assert ContactGate.objects.get(contact=order.contact).changes > gate.changes


def test_leaving_a_cart_reminder_takes_the_consents_back_and_leaves_order_mail(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    cart = make_cart(shop)
    assert cart.contact is not None
    record_consent(
        cart.contact, [Consent(purpose="marketing", is_given=True, source="shop", at=NOW)], now=NOW
    )
    message = make_message(cart, state="sent", message_class="needs_consent")

    buyer.post(link("out", cart, message=message), ONE_CLICK)

    assert suppression_scopes(shop.pk, cart.contact.email) == {"marketing"}
    latest = ConsentEvent.objects.order_by("-id")[0]
    assert (latest.purpose, latest.is_given, latest.source) == ("marketing", False, "unsubscribe_link")


def test_the_address_that_the_message_went_to_is_the_one_that_leaves(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    order = make_order(shop)
    message = make_message(order, state="sent", recipient="old@mail.example")

    buyer.post(link("out", order, message=message), ONE_CLICK)

    assert suppression_scopes(shop.pk, "old@mail.example") == {"reminders"}


def test_coming_back_needs_the_button_and_leaves_a_new_record_of_consent(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    cart = make_cart(shop, locale="de")
    contact = cart.contact
    assert contact is not None
    record_consent(contact, [Consent(purpose="marketing", is_given=True, source="shop", at=NOW)], now=NOW)
    path = link("out", cart, message=make_message(cart, state="sent", message_class="needs_consent"))
    buyer.post(path, ONE_CLICK)
    for verb in ("get", "head", "options"):
        getattr(buyer, verb)(path)
    assert suppression_scopes(shop.pk, contact.email) == {"marketing"}

    answer = buyer.post(path, {"do": "return"}, REMOTE_ADDR="203.0.113.77")

    assert answer.status_code == 200
    assert suppression_scopes(shop.pk, contact.email) == set()
    latest = ConsentEvent.objects.order_by("-id")[0]
    assert (latest.purpose, latest.is_given, latest.address_class, latest.locale) == (
        "marketing",
        True,
        "203.0.113.0/24",
        "de",
    )
    assert shop.name in latest.text
    assert latest.text in buyer.post(path, {"do": "leave"}).content.decode().replace("&amp;", "&")


def test_coming_back_adds_no_consent_that_was_never_given(shop: Shop, link: MakeLink, buyer: Client) -> None:
    cart = make_cart(shop)
    assert cart.contact is not None
    path = link("out", cart)

    buyer.post(path, {"do": "return"})

    assert ConsentEvent.objects.count() == 0
    assert find_consent(cart.contact, purposes=["marketing"], at=NOW) is None


def test_coming_back_does_not_revive_an_address_that_bounces(
    shop: Shop, link: MakeLink, buyer: Client
) -> None:
    order = make_order(shop)
    assert order.contact is not None
    suppress(shop.pk, order.contact.email, scope="reminders", reason="bounced", now=NOW)

    buyer.post(link("out", order), {"do": "return"})

    assert suppression_scopes(shop.pk, order.contact.email) == {"reminders"}


def test_leaving_stays_within_the_shop(shop: Shop, link: MakeLink, buyer: Client) -> None:
    other = make_shop()
    make_contact(other, email="anna@mail.example")
    order = make_order(shop, contact=make_contact(shop, email="anna@mail.example"))

    buyer.post(link("out", order), ONE_CLICK)

    assert suppression_scopes(other.pk, "anna@mail.example") == set()
    assert Activity.objects.get(verb="storefront.contact.left").actor_kind == "buyer"
