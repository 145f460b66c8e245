"""Making an offer on the page of a customer: about an order of theirs, or for whatever they order next."""

from decimal import Decimal

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.offers.models import Offer
from recoup.orders.models import Order
from tests.factories.offers import make_settings
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.factories.shops import make_source
from tests.web.world import Place, client_of, make_place

pytestmark = pytest.mark.django_db
FORM = {"what": "percent", "percent": "5", "days": "3", "description": ""}


@pytest.fixture
def shop_place() -> Place:
    place = make_place("own")
    with scopes_disabled():
        make_settings(place.shop, floor=Decimal(50))
    return place


@pytest.fixture
def clerk(shop_place: Place) -> Client:
    return client_of(shop_place.people[Role.CLERK])


def test_it_is_made_about_the_order_that_was_chosen(shop_place: Place, clerk: Client) -> None:
    with scopes_disabled():
        anna = make_contact(shop_place.shop)
        order = make_order(shop_place.shop, contact=anna)
    url = f"/s/own/customers/{anna.pk}/offer/"
    page = clerk.get(url)

    made = clerk.post(url, {**FORM, "about": f"order-{order.pk}"})

    assert [key for key, _label in page.context["form"].fields["about"].choices] == [f"order-{order.pk}", ""]
    assert "margin" in page.context["lines"][0]
    with scopes_disabled():
        offer = Offer.objects.get(contact=anna)
    assert made.headers["Location"] == f"/s/own/offers/{offer.pk}/"
    assert (offer.order_id, offer.is_for_person, offer.granted_by) == (
        order.pk, False, shop_place.people[Role.CLERK].pk,
    )  # fmt: skip


def test_it_is_made_for_whatever_they_order_next_about_chosen_products(
    shop_place: Place, clerk: Client
) -> None:
    with scopes_disabled():
        anna = make_contact(shop_place.shop)
        make_product(make_source(shop_place.shop), ref="cup", name="Cup", price=Decimal(20), cost=Decimal(2))
    url, form = f"/s/own/customers/{anna.pk}/offer/", {**FORM, "products": ["cup"]}

    reckoned = clerk.post(url, {**form, "do": "reckon"})
    with scopes_disabled():
        none_yet = Offer.objects.filter(contact=anna).count()
    clerk.post(url, form)

    assert reckoned.context["lines"] == ["Cup: €20.00 becomes €19.00, margin 90.0% becomes 89.5%."]
    assert none_yet == 0
    with scopes_disabled():
        offer = Offer.objects.get(contact=anna)
    assert (offer.state, offer.is_for_person, offer.terms["products"]) == ("granted", True, ["cup"])
    page = clerk.get(f"/s/own/offers/{offer.pk}/").content.decode()
    assert "whatever they order next" in page


def test_what_would_go_below_the_floor_is_refused_in_words_and_kept_as_typed(
    shop_place: Place, clerk: Client
) -> None:
    with scopes_disabled():
        anna = make_contact(shop_place.shop)
    url = f"/s/own/customers/{anna.pk}/offer/"

    answer = clerk.post(url, {**FORM, "percent": "40"})
    empty = clerk.post(url, {**FORM, "what": "gift", "percent": ""})

    page = answer.content.decode()
    assert (answer.status_code, "below the floor" in page, 'value="40"' in page) == (422, True, True)
    assert (empty.status_code, "Choose the gift" in empty.content.decode()) == (422, True)


def test_the_page_of_a_customer_leads_there_for_those_who_may(shop_place: Place, clerk: Client) -> None:
    contact_id = shop_place.ids["contact_id"]
    service = client_of(shop_place.people[Role.SERVICE])
    pages = [client.get(f"/s/own/customers/{contact_id}/").content.decode() for client in (clerk, service)]

    assert [f"/customers/{contact_id}/offer/" in page for page in pages] == [True, False]
    assert service.get(f"/s/own/customers/{contact_id}/offer/").status_code == 403


@pytest.mark.parametrize("has_another", [False, True])
def test_an_order_that_was_paid_meanwhile_becomes_no_promise_for_the_next_one(
    shop_place: Place, clerk: Client, *, has_another: bool
) -> None:
    with scopes_disabled():
        anna = make_contact(shop_place.shop)
        order = make_order(shop_place.shop, contact=anna)
        if has_another:
            make_order(shop_place.shop, contact=anna)
        Order.objects.filter(pk=order.pk).update(payment_state="paid", status="paid", captured=order.total)

    answer = clerk.post(f"/s/own/customers/{anna.pk}/offer/", {**FORM, "about": f"order-{order.pk}"})

    assert (answer.status_code, "paid or closed meanwhile" in answer.content.decode()) == (422, True)
    with scopes_disabled():
        assert not Offer.objects.filter(contact=anna).exists()
