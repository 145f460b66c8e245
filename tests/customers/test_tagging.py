"""Tags of people: one word is one tag, set once, taken off once, and joined when two are one person."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.core import outbox
from recoup.core.activity import SYSTEM, Actor
from recoup.core.models import Activity, OutboxEvent
from recoup.customers.merging import merge_contacts
from recoup.customers.models import Contact, ContactTag, Tag
from recoup.customers.tagging import TagChange, TagRefused, change_tags, read_tags, tag_by_hand, tags_of
from recoup.shops.models import Shop
from tests.factories.moments import HOUR, NOW
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.support.together import together

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def change(contact: Contact, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> int:
    return change_tags([TagChange(contact.shop_id, contact.pk, add, remove)], now=NOW)


def names(contact: Contact) -> list[str]:
    return [one.tag.name for one in tags_of(contact)]


def news() -> list[dict[str, Any]]:
    return list(
        OutboxEvent.objects.filter(kind="customers.TagsChanged")
        .order_by("id")
        .values_list("payload", flat=True)
    )


def test_a_tag_is_set_once_however_it_is_spelt_and_taken_off_once(shop: Shop) -> None:
    anna = make_contact(shop)

    set_ = [change(anna, ("VIP",)), change(anna, ("vip", " Vip "))]
    taken_off = [change(anna, (), ("vIP",)), change(anna, (), ("vip",))]

    assert (set_, taken_off) == ([1, 0], [1, 0])
    assert names(anna) == []
    assert Tag.objects.get().name == "VIP"
    assert [(len(one["added"]), len(one["removed"])) for one in news()] == [(1, 0), (0, 1)]


def test_who_set_a_tag_and_when_is_kept(shop: Shop) -> None:
    anna = make_contact(shop)

    tag_by_hand(anna, add=["vip"], actor=Actor("person", 7), now=NOW)
    tag_by_hand(anna, add=["vip"], actor=Actor("person", 8), now=NOW + HOUR)

    one = ContactTag.objects.get()
    assert (one.added_at, one.added_kind, one.added_by) == (NOW, "person", 7)
    assert [line.details for line in Activity.objects.filter(verb="customers.contact.tagged")] == [
        {"added": ["vip"], "removed": []}
    ]


def test_shops_have_tags_of_their_own_and_tag_nobody_elses_people(shop: Shop) -> None:
    other = make_shop()
    anna, stranger = make_contact(shop), make_contact(other)

    change_tags([TagChange(shop.pk, anna.pk, ("vip",)), TagChange(shop.pk, stranger.pk, ("vip",))], now=NOW)
    change(stranger, ("vip",))

    assert (names(anna), names(stranger), Tag.objects.count()) == (["vip"], ["vip"], 2)
    assert change_tags([TagChange(other.pk, anna.pk, (), ("vip",))], now=NOW) == 0


def test_of_erased_people_nothing_more_is_noted_and_merged_ones_are_who_stays(shop: Shop) -> None:
    kept = make_contact(shop)
    gone = make_contact(shop, merged_into=kept)
    erased = make_contact(shop, erased_at=NOW)

    assert [change(erased, ("vip",)), change(gone, ("vip",)), change(gone, (), ("vip",))] == [0, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_the_same_tag_at_once_is_one_tag_and_one_piece_of_news() -> None:
    shop = make_shop()
    anna = make_contact(shop)

    together([partial(change, anna, ("vip", "new"))] * 8)

    assert (names(anna), Tag.objects.count()) == (["new", "vip"], 2)
    assert sum(len(one["added"]) for one in news()) == 2


def test_two_who_are_one_person_have_the_tags_of_both(shop: Shop) -> None:
    kept, gone = make_contact(shop), make_contact(shop)
    change(kept, ("vip", "loud"))
    change(gone, ("vip", "late"))

    merge_contacts(kept, gone, actor=SYSTEM, now=NOW)
    ContactTag(
        shop=shop, contact=gone, tag=Tag.objects.get(key="loud"), added_at=NOW
    ).save()  # beside the merge
    outbox.dispatch()

    assert (names(kept), names(gone)) == (["late", "loud", "vip"], [])


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 41, "too_long"), ("a\x00b", "with_comma"), (",".join(map(str, range(21))), "too_many")],
)
def test_what_is_no_tag_is_refused(text: str, code: str) -> None:
    with pytest.raises(TagRefused) as refused:
        read_tags(text)

    assert refused.value.code == code


def test_typed_tags_are_read_each_once() -> None:
    assert read_tags(" vip ,, called  twice,VIP") == ("vip", "called twice")
