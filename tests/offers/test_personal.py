"""Offers to a person for whatever they order next: promised by hand, held against the floor, taken off any order."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django_scopes import scope

from recoup.catalog.models import Product
from recoup.core.activity import Actor
from recoup.customers.models import Contact
from recoup.offers import handlers
from recoup.offers.baskets import basket_of
from recoup.offers.events import OfferGranted
from recoup.offers.granting import OfferRefused, Wish, grant_by_hand
from recoup.offers.models import Offer
from recoup.offers.previewing import foresee, reckon
from recoup.offers.pricing import Refusal
from recoup.offers.redeeming import find_applied
from recoup.offers.terms import Kind, Terms
from recoup.shops.models import Shop, Source
from tests.factories.moments import DAY, NOW
from tests.factories.offers import make_settings
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.products import make_product
from tests.factories.shops import make_shop, make_source

D = Decimal
ANNA = Actor("person", 7)
pytestmark = pytest.mark.django_db
TEN = Terms(Kind.PERCENT, percent=D(10), currency="EUR")


@pytest.fixture
def shop() -> Shop:
    """Return a shop whose goods cost 40 %."""
    shop = make_shop(currency="EUR")
    with scope(shop=shop):
        make_settings(shop, floor=D(30))
        make_source(shop)
    return shop


def promise(contact: Contact, terms: Terms = TEN, **values: Any) -> Offer | str:
    """Promise something to a person; return the offer, or why it was refused."""
    wish = replace(Wish(contact.shop_id, contact.pk, terms, NOW + 2 * DAY, is_for_person=True), **values)
    try:
        return grant_by_hand(wish, actor=ANNA, now=NOW)
    except OfferRefused as refused:
        return refused.reason


def test_it_is_taken_off_what_they_order_next_and_off_nobody_elses(shop: Shop) -> None:
    with scope(shop=shop):
        anna = make_contact(shop)
        offer = promise(anna)
        assert isinstance(offer, Offer)
        handlers.look_again([OfferGranted(shop.pk, offer.pk, NOW)])
        hers = find_applied(make_order(shop, contact=anna, total="100.00", currency="EUR"), now=NOW)
        elsewhere = find_applied(make_order(shop, contact=anna, total="100.00", currency="PLN"), now=NOW)
        theirs = find_applied(make_order(shop, total="100.00", currency="EUR"), now=NOW)
        offer.refresh_from_db()

    assert (offer.state, offer.is_for_person, offer.order_id, offer.new_total) == (
        "granted",
        True,
        None,
        None,
    )
    assert hers is not None
    assert (hers.offers, hers.discount) == ((offer,), D("10.00"))
    assert (elsewhere, theirs) == (None, None)


def test_it_is_never_promised_below_the_floor_of_what_was_chosen(shop: Shop) -> None:
    with scope(shop=shop):
        anna = make_contact(shop)
        make_product(make_source(shop), ref="dear", price=D(100), cost=D(65))
        make_product(make_source(shop), ref="cheap", price=D(100), cost=D(10))
        make_settings(shop, floor=D(30))
        found = [
            promise(anna, Terms(Kind.PERCENT, percent=D(60), currency="EUR")),
            promise(anna, replace(TEN, products=("dear", "cheap"))),
            promise(anna, replace(TEN, products=("cheap",))),
        ]
        make_settings(shop, default_cost=None)
        found.append(promise(anna))

    assert found[:2] == ["floor", "floor"]
    assert isinstance(found[2], Offer)
    assert found[3] == "no_cost"


def test_a_preview_says_what_would_be_left_and_writes_nothing(shop: Shop) -> None:
    with scope(shop=shop):
        anna = make_contact(shop)
        make_product(make_source(shop), ref="cup", name="Cup", price=D(100), cost=D(40))
        wish = Wish(shop.pk, anna.pk, replace(TEN, products=("cup",)), NOW + DAY, is_for_person=True)
        reason, lefts, is_guessed = foresee(wish, now=NOW)
        order = make_order(shop, contact=anna, total="100.00", currency="EUR")
        about = foresee(replace(wish, terms=TEN, order_id=order.pk, is_for_person=False), now=NOW)

        assert Offer.objects.count() == 0
    assert (reason, is_guessed) == ("", False)
    assert [(one.name, one.after and one.after.amount, one.margin_after) for one in lefts] == [
        ("Cup", D(90), D(50) / D(90))
    ]
    assert (about[0], about[1][0].after and about[1][0].after.amount, about[2]) == ("", D(90), True)


@pytest.mark.parametrize("is_learnt", [False, True])
def test_the_tax_in_a_price_is_not_earned(shop: Shop, is_learnt: bool) -> None:
    terms = Terms(Kind.PERCENT, percent=D(15))
    with scope(shop=shop):
        make_product(make_source(shop), ref="cup", name="Cup", price=D(123), cost=D(90))
        cart = make_cart(
            shop, total=D(123), currency="EUR", lines=[{"product_ref": "cup", "total": "123.00"}]
        )
        make_settings(shop, floor=D(0))
        without = (reckon(shop, terms, currency="EUR", products=["cup"]).products[0], basket_of(cart).tax)
        if is_learnt:
            make_order(shop, total="246.00", currency="EUR", tax_total=D(46))
        else:
            make_settings(shop, floor=D(0), tax=D(23))
        with_it = (reckon(shop, terms, currency="EUR", products=["cup"]).products[0], basket_of(cart).tax)

    assert (without[0].refusal, without[1]) == (None, D(0))
    assert without[0].after is not None
    assert without[0].after.amount == D("104.55")
    assert (with_it[0].refusal, round(with_it[1], 10)) == (Refusal.FLOOR, D(23))


def test_a_preview_counts_what_a_gift_costs(shop: Shop) -> None:
    gift = Terms(Kind.GIFT, gift="mug")
    with scope(shop=shop):
        source = make_source(shop)
        make_product(source, ref="cup", name="Cup", price=D(100), cost=D(60))
        make_product(source, ref="mug", name="Mug", price=D(80), cost=D(30))
        make_settings(shop, floor=D(0))
        found = reckon(shop, gift, currency="EUR", products=["cup"]).products
        Product.objects.filter(ref="mug").update(cost=D(45))
        make_settings(shop, floor=D(1))
        refused = reckon(shop, gift, currency="EUR", products=["cup"]).products

    assert [(one.margin_before, one.margin_after) for one in found] == [(D("0.4"), D("0.1"))]
    assert [one.refusal for one in refused] == [Refusal.FLOOR]


@pytest.mark.parametrize("kind", ["erased", "pays_itself"])
def test_who_or_what_cannot_have_one_is_refused_with_the_reason(shop: Shop, kind: str) -> None:
    with scope(shop=shop):
        anna = make_contact(shop)
        if kind == "erased":
            Contact.objects.filter(pk=anna.pk).update(erased_at=NOW)
        if kind == "pays_itself":
            Source.objects.filter(shop=shop).update(kind="woocommerce")
        found = promise(anna)

    assert found == {"erased": "erased", "pays_itself": "origin"}[kind]
