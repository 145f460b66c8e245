"""Offers by what staff see: the list, an offer, making and withdrawing one by hand, what must be left of a sale."""

from decimal import Decimal

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.offers.models import Offer, OfferSettings
from tests.factories.offers import make_offer, make_settings
from tests.factories.orders import make_order
from tests.factories.shops import make_source
from tests.web.world import Place, client_of, make_place

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop_place() -> Place:
    return make_place("own")


@pytest.fixture
def owner(shop_place: Place) -> Client:
    return client_of(shop_place.people[Role.OWNER])


def test_the_list_filters_by_state_and_opens_the_offer(shop_place: Place, owner: Client) -> None:
    with scopes_disabled():
        order = make_order(shop_place.shop, number="7001")
        refused = make_offer(order, state="refused", reason="floor", code="", currency="EUR")
        used = make_offer(order, state="redeemed", expected_discount=Decimal("14.90"))

    not_granted = owner.get("/s/own/offers/?v=refused").content.decode()
    used_ones = owner.get("/s/own/offers/?v=used").content.decode()
    one = owner.get(f"/s/own/offers/{used.pk}/").content.decode()

    assert (f"/offers/{refused.pk}/" in not_granted, f"/offers/{used.pk}/" in not_granted) == (True, False)
    assert "The margin would fall below the floor" in not_granted
    assert (f"/offers/{used.pk}/" in used_ones, "€14.90" in used_ones) == (True, True)
    assert "Withdraw the offer" not in one


def test_an_offer_is_withdrawn_with_a_reason_and_not_without(shop_place: Place, owner: Client) -> None:
    with scopes_disabled():
        offer = make_offer(make_order(shop_place.shop))

    owner.post(f"/s/own/offers/{offer.pk}/withdraw/", {"note": " "})
    with scopes_disabled():
        offer.refresh_from_db()
    kept = offer.state
    owner.post(f"/s/own/offers/{offer.pk}/withdraw/", {"note": "A mistake"})
    with scopes_disabled():
        offer.refresh_from_db()

    assert (kept, offer.state, offer.reason, offer.note) == ("granted", "void", "by_hand", "A mistake")


def test_an_offer_is_made_on_the_page_of_an_order_and_never_below_the_floor(
    shop_place: Place, owner: Client
) -> None:
    with scopes_disabled():
        make_settings(shop_place.shop, floor=Decimal(50))
        order = make_order(shop_place.shop)
    form = {"percent": "5", "days": "2", "description": ""}

    refused = owner.post(f"/s/own/orders/{order.pk}/offer/", {**form, "percent": "40"})
    bad = owner.post(f"/s/own/orders/{order.pk}/offer/", {**form, "percent": "101"})
    made = owner.post(f"/s/own/orders/{order.pk}/offer/", form)

    assert (refused.status_code, "below the floor" in refused.content.decode()) == (422, True)
    assert bad.status_code == 422
    with scopes_disabled():
        offer = Offer.objects.get(order=order, state="granted")
    assert made.headers["Location"] == f"/s/own/offers/{offer.pk}/"
    assert offer.granted_by == shop_place.people[Role.OWNER].pk


def test_what_must_be_left_of_a_sale_is_kept(shop_place: Place, owner: Client) -> None:
    form = {
        "default_cost": "45",
        "fee": "1.9",
        "fixed_fee": "0.30",
        "returns": "8",
        "floor": "15",
        "most_discounts": "2",
        "most_left": "3",
        "memory_days": "60",
    }

    owner.post("/s/own/settings/offers/", form)
    bad = owner.post("/s/own/settings/offers/", {**form, "floor": "120"})

    with scopes_disabled():
        kept = OfferSettings.objects.get()
    assert (kept.default_cost, kept.fee, kept.fixed_fee, kept.floor) == (
        Decimal(45),
        Decimal("1.90"),
        Decimal("0.30"),
        Decimal(15),
    )
    assert bad.status_code == 422


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"what": "amount", "amount": "3", "percent": "5"}, {"kind": "amount", "amount": "3"}),
        ({"what": "percent", "amount": "3", "percent": "5"}, {"kind": "percent", "percent": "5"}),
    ],
)
def test_an_offer_by_hand_is_a_share_or_a_sum(
    shop_place: Place, owner: Client, typed: dict[str, str], kept: dict[str, str]
) -> None:
    with scopes_disabled():
        make_settings(shop_place.shop, floor=Decimal(10))
        order = make_order(shop_place.shop)
    url, form = f"/s/own/orders/{order.pk}/offer/", {"days": "2", "description": ""}

    empty = owner.post(url, {**form, "what": typed["what"]})
    made = owner.post(url, {**form, **typed})

    assert (empty.status_code, made.status_code) == (422, 303)
    with scopes_disabled():
        terms = Offer.objects.get(order=order, state="granted").terms
    assert {name: terms[name] for name in kept} == kept
    assert ("amount" in terms) == (kept["kind"] == "amount")


def test_an_offer_that_the_shop_makes_says_so_until_its_coupon_stands(
    shop_place: Place, owner: Client
) -> None:
    with scopes_disabled():
        woo = make_source(
            shop_place.shop,
            kind="woocommerce",
            name="Candles",
            base_url="https://shop.example",
            credentials="{}",
        )
        make_settings(shop_place.shop)
        order = make_order(shop_place.shop, source=woo, total="100.00")
    path = f"/s/own/orders/{order.pk}/offer/"
    made = owner.post(path, {"kind": "percent", "percent": "10", "days": "2"}, follow=True).content.decode()
    with scopes_disabled():
        offer = Offer.objects.get(order=order)
        asked = offer.state
        Offer.objects.filter(pk=offer.pk).update(remote_trouble="answer_status: 503")
    one = owner.get(f"/s/own/offers/{offer.pk}/").content.decode()

    assert (asked, "The shop is asked to make a coupon" in made) == ("asked", True)
    wanted = ("Being made in the shop", "a coupon of Candles, on the order", "The shop answered 503")
    assert [part for part in wanted if part not in one] == []
