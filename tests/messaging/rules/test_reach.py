"""Whom the rules would leave out: by country, by what somebody is to the shop, and by their own word."""

from collections.abc import Iterator

import pytest
from django_scopes import scopes_disabled

from recoup.core.activity import SYSTEM
from recoup.customers.actions import Consent, record_consent
from recoup.messaging.rules.book import CELLS, SHIPPED, Cell, book_of
from recoup.messaging.rules.changing import change_ground, change_rule
from recoup.messaging.rules.law import COUNTRIES
from recoup.messaging.rules.reach import PERIOD, Bar, Saying, bars_of, is_forbidden_everywhere, left_out
from recoup.shops.models import Shop
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db
CART, ORDER, PERSON = Saying("cart", "cart"), Saying("order", "contract"), Saying("customer", "advertising")


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def agrees(contact: object, *, is_given: bool = True) -> None:
    word = Consent(purpose="marketing", is_given=is_given, source="shop", at=NOW - DAY)
    record_consent(contact, [word], now=NOW)  # type: ignore[arg-type]


def test_the_table_says_where_a_text_needs_consent() -> None:
    without_us = tuple(country for country in COUNTRIES if country != "US")

    assert bars_of(SHIPPED, ORDER) == []
    assert bars_of(SHIPPED, CART) == [Bar("needs_consent", "cart", without_us)]
    assert bars_of(SHIPPED, Saying("cart", "cart", "sms")) == [Bar("needs_consent", "cart", COUNTRIES)]
    order_offer = bars_of(SHIPPED, Saying("order", "advertising"))
    assert order_offer == [Bar("needs_consent", "advertising", without_us)]


def test_only_what_every_cell_forbids_is_forbidden_everywhere(shop: Shop) -> None:
    cells = [cell for cell in CELLS if cell.content == "cart"]
    for cell in cells[1:]:
        change_rule(shop, cell, "forbidden", actor=SYSTEM, now=NOW)
    almost = is_forbidden_everywhere(book_of(shop.pk, now=NOW), CART)
    change_rule(shop, cells[0], "forbidden", actor=SYSTEM, now=NOW)

    book = book_of(shop.pk, now=NOW)
    assert (almost, is_forbidden_everywhere(book, CART)) == (False, True)
    assert [bar.verdict for bar in bars_of(book, CART)] == ["forbidden"]
    assert not is_forbidden_everywhere(book, PERSON)


def test_people_of_carts_are_counted_once_by_their_country_and_word(shop: Shop) -> None:
    agreed, silent, american, refusing, erased, old = [
        make_contact(shop, country=country) for country in ("PL", "DE", "US", "US", "PL", "PL")
    ]
    agrees(agreed)
    agrees(refusing, is_given=False)
    for contact in (agreed, silent, silent, american, refusing, erased):
        make_cart(shop, contact=contact, last_activity_at=NOW - DAY)
    make_cart(shop, contact=old, last_activity_at=NOW - PERIOD - DAY)
    make_cart(make_shop(), last_activity_at=NOW - DAY)
    erased.erased_at = NOW
    erased.save()

    found = left_out(shop.pk, book_of(shop.pk, now=NOW), CART, now=NOW)

    assert (found.people, found.left_out) == (4, 2)  # silent; refusing
    by_sms = left_out(shop.pk, book_of(shop.pk, now=NOW), Saying("cart", "cart", "sms"), now=NOW)
    assert (by_sms.people, by_sms.left_out) == (4, 4)


def test_the_country_given_with_the_order_and_a_purchase_count(shop: Shop) -> None:
    buyer = make_contact(shop, country="US")
    make_order(
        shop, contact=buyer, placed_at=NOW - DAY, payment_state="paid", paid_at=NOW, buyer={"country": "de"}
    )
    make_order(shop, contact=make_contact(shop, country="PL"), placed_at=NOW - DAY, is_test=True)
    before = left_out(shop.pk, book_of(shop.pk, now=NOW), PERSON, now=NOW)
    change_ground(shop, is_told=True, actor=SYSTEM, now=NOW)

    after = left_out(shop.pk, book_of(shop.pk, now=NOW), PERSON, now=NOW)

    assert [(one.people, one.left_out) for one in (before, after)] == [(1, 1), (1, 0)]
    assert left_out(shop.pk, book_of(shop.pk, now=NOW), ORDER, now=NOW).left_out == 0
    change_rule(shop, Cell("DE", "contract", "order"), "forbidden", actor=SYSTEM, now=NOW)
    assert left_out(shop.pk, book_of(shop.pk, now=NOW), ORDER, now=NOW).left_out == 1
