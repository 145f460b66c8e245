"""A text is seen as a real buyer would get it, and never with somebody of another shop (D18)."""

from decimal import Decimal

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.web.world import World, client_of

ORDER_TEXT = "/s/own/settings/texts/order_reminder_1/en/"
CART_TEXT = "/s/own/settings/texts/cart_reminder_1/en/"


@pytest.fixture
def owner(world: World) -> Client:
    return client_of(world.own.people[Role.OWNER])


def test_an_order_is_found_by_its_number_or_its_buyer_and_shown(owner: Client, world: World) -> None:
    with scopes_disabled():
        contact = make_contact(world.own.shop, name="Zofia Lis", email="zofia@example.com")
        order = make_order(world.own.shop, contact=contact, number="7741", total=Decimal("61.20"))

    found = [owner.get(ORDER_TEXT, {"find": text}).context["chooser"].hits for text in ("7741", "zofia")]
    page = owner.get(ORDER_TEXT, {"as": order.pk})

    assert [[hit.url for hit in hits] for hits in found] == [[f"{ORDER_TEXT}?as={order.pk}"]] * 2
    frame = page.context["preview_url"]
    assert frame == f"{ORDER_TEXT}preview/?as={order.pk}"
    assert "7741" in page.context["text_part"]
    shown = owner.get(frame).content.decode()
    assert "7741" in shown
    assert "7741" not in owner.get(f"{ORDER_TEXT}preview/").content.decode()


def test_a_text_about_carts_is_shown_with_a_cart(owner: Client, world: World) -> None:
    with scopes_disabled():
        contact = make_contact(world.own.shop, name="Zofia Lis", email="zofia@example.com")
        cart = make_cart(world.own.shop, contact=contact)

    (hit,) = owner.get(CART_TEXT, {"find": "zofia"}).context["chooser"].hits

    assert (hit.label, hit.url) == ("Zofia Lis", f"{CART_TEXT}?as={cart.pk}")
    assert "Zofia" in owner.get(f"{CART_TEXT}preview/", {"as": cart.pk}).content.decode()


def test_a_text_about_a_person_is_made_shown_and_sent_as_a_customer(owner: Client, world: World) -> None:
    with scopes_disabled():
        contact = make_contact(world.own.shop, name="Zofia Lis", email="zofia@example.com")
        foreign = make_contact(world.other.shop)
    made = owner.post(
        "/s/own/settings/texts/new/", {"name": "We moved", "kind": "customer", "channel": "email"}
    )
    url = "/s/own/settings/texts/we_moved/en/"
    body = (
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi {{ customer.first_name | fallback: 'you' }}"
        ' <a href="{{ links.unsubscribe }}">Leave</a></mj-text></mj-column></mj-section></mj-body></mjml>'
    )
    saved = owner.post(url, {"subject": "We moved", "body": body, "lock": "0"})
    refused = owner.post(url, {"subject": "{{ order.number }}", "body": body, "lock": "1"})

    (hit,) = owner.get(url, {"find": "zofia"}).context["chooser"].hits
    page = owner.get(url, {"as": contact.pk})

    assert (made.status_code, saved.status_code, refused.status_code) == (302, 302, 422)
    assert (hit.label, hit.url) == ("Zofia Lis", f"{url}?as={contact.pk}")
    assert "Hi Zofia" in page.context["text_part"]
    assert "Hi Zofia" in owner.get(f"{url}preview/", {"as": contact.pk}).content.decode()
    assert page.context["message_class"] == "Advertising"
    assert not any("order." in token for token, *_ in page.context["tokens"])
    assert owner.get(url, {"as": foreign.pk}).status_code == 404


def test_who_was_chosen_stays_in_other_languages_and_after_saving(owner: Client, world: World) -> None:
    order_id = world.own.ids["order_id"]
    page = owner.get(ORDER_TEXT, {"as": order_id})
    form = page.context["form"]
    values = {name: form[name].value() for name in form.fields}
    draft = {name: "" if value is None else value for name, value in values.items()}

    answer = owner.post(f"{ORDER_TEXT}?as={order_id}", draft)

    assert all(link.url.endswith(f"?as={order_id}") for link in page.context["language_links"])
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{ORDER_TEXT}?as={order_id}")


@pytest.mark.parametrize("address", [ORDER_TEXT, f"{ORDER_TEXT}preview/"])
def test_an_order_of_another_shop_is_not_there(owner: Client, world: World, address: str) -> None:
    foreign = str(world.other.ids["order_id"])

    answers = [owner.get(address, {"as": key}).status_code for key in (foreign, "x", "9" * 30)]

    assert answers == [404, 404, 404]
    assert owner.post(f"{ORDER_TEXT}test/?as={foreign}", {"to": "me@own.example"}).status_code == 404
