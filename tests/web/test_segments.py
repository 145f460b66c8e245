"""Segments: saved from a form, counted, shown page by page, a filter of the lists, and a wall between shops."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.segments.models import Segment
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_cart, make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
S = "/s/lumen/"


@pytest.fixture
def shop() -> Iterator[Shop]:
    set_clock(NOW)
    with scopes_disabled():
        yield make_shop(slug="lumen")


@pytest.fixture
def client(shop: Shop) -> Client:
    return sign_in(shop)


TWICE = {"name": "Twice", "fact0": "contact.paid_count", "op0": ">=", "v0": "2"}


def save(client: Client, about: str = "customers", **typed: str) -> Segment:
    answer = client.post(f"{S}segments/new/{about}/", typed)
    assert answer.status_code == 303, answer.content.decode()[-3000:]
    return Segment.objects.latest("id")


def buyer(shop: Shop, name: str, *, paid: int) -> None:
    contact = make_contact(shop, name=name)
    for _ in range(paid):
        make_order(shop, contact=contact, paid_at=NOW - DAY)


def test_a_segment_is_looked_at_before_it_is_saved_and_then_always_up_to_date(
    shop: Shop, client: Client
) -> None:
    for name, paid in (("Once", 1), ("Twice Buyer", 2), ("Thrice Buyer", 3)):
        buyer(shop, name, paid=paid)

    looked = client.post(f"{S}segments/new/customers/", {**TWICE, "look": "1"}).content.decode()
    assert "2 customers" in looked
    assert "Thrice Buyer" in looked
    assert not Segment.objects.exists()

    segment = save(client, **TWICE)
    page = client.get(f"{S}segments/{segment.pk}/").content.decode()
    assert segment.condition == {"f": "contact.paid_count", "op": ">=", "v": 2}
    assert "Number of paid orders of the customer is at least 2" in page
    assert "2 customers" in page

    buyer(shop, "Late Buyer", paid=2)
    assert "3 customers" in client.get(f"{S}segments/{segment.pk}/").content.decode()
    assert "Twice" in client.get(f"{S}segments/").content.decode()


def test_the_lists_are_filtered_by_a_segment(shop: Shop, client: Client) -> None:
    buyer(shop, "Once", paid=1)
    buyer(shop, "Twice Buyer", paid=2)
    big = make_order(shop, total="500.00", number="BIG")
    make_order(shop, total="5.00", number="SMALL")
    people = save(client, **TWICE)
    orders = save(client, "orders", name="Big ones", fact0="order.total", op0=">", v0="400")

    listed = client.get(f"{S}customers/", {"seg": str(people.pk)}).content.decode()
    assert re.findall(r"Once|Twice Buyer", re.sub(r'<option.*?</option>|aria-label="[^"]*"', "", listed)) == [
        "Twice Buyer"
    ]
    page = client.get(f"{S}orders/", {"v": "all", "seg": str(orders.pk)}).content.decode()
    assert big.number in page
    assert "SMALL" not in page
    assert "1 order" in page
    # That of another kind filters nothing.
    assert "SMALL" in client.get(f"{S}orders/", {"v": "all", "seg": str(people.pk)}).content.decode()


def test_carts_are_shown_page_by_page(shop: Shop, client: Client) -> None:
    contact = make_contact(shop)
    for _ in range(53):
        make_cart(shop, contact=contact)
    segment = save(client, "carts", name="Carts", fact0="cart.item_count", op0="=", v0="1")

    first = client.get(f"{S}segments/{segment.pk}/").content.decode()
    older = re.search(r'href="([^"]*c=older[^"]*)"', first)
    assert older is not None
    second = client.get(older[1].replace("&amp;", "&")).content.decode()
    refs = [set(re.findall(r"cart-\d+", page)) for page in (first, second)]

    assert "53 carts" in first
    assert (len(refs[0]), len(refs[1]), refs[0] & refs[1]) == (50, 3, set())


def test_a_name_is_taken_once_and_a_segment_changed_and_deleted(shop: Shop, client: Client) -> None:
    segment = save(client, **TWICE)

    again = client.post(f"{S}segments/new/customers/", TWICE)
    assert again.status_code == 422
    assert "Another segment has this name." in again.content.decode()
    empty = client.post(f"{S}segments/new/customers/", {"name": "Empty"})
    assert empty.status_code == 422

    changed = client.post(f"{S}segments/{segment.pk}/edit/", {**TWICE, "v0": "3", "match": "not_any"})
    assert changed.status_code == 303
    segment.refresh_from_db()
    assert segment.condition == {"not": {"f": "contact.paid_count", "op": ">=", "v": 3}}

    assert client.post(f"{S}segments/{segment.pk}/delete/").status_code == 303
    assert not Segment.objects.exists()


def test_a_segment_of_another_shop_is_not_found(shop: Shop, client: Client) -> None:
    other = make_shop(slug="other")
    asked = {"f": "contact.has_email", "op": "=", "v": True}
    theirs = Segment(shop=other, name="Theirs", about=3, condition=asked, changed_at=NOW)
    theirs.save(force_insert=True)

    assert client.get(f"{S}segments/{theirs.pk}/").status_code == 404
    assert client.post(f"{S}segments/{theirs.pk}/delete/").status_code == 404
    assert Segment.objects.filter(pk=theirs.pk).exists()
