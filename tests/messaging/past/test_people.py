"""What is known of people at an instant is what the sender would have read at it."""

import random
from collections.abc import Iterator

import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.customers.actions import suppress
from recoup.customers.models import ConsentEvent, ContactIdentity
from recoup.customers.queries import address_hash
from recoup.messaging.classes import CONSENT_PURPOSES
from recoup.messaging.past.people import About, Number, Wanted, read_people
from recoup.messaging.sender.shop_facts import AT_NUMBERS, CONSENT
from recoup.shops.models import Shop
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.mark.parametrize("seed", range(3))
def test_words_come_to_what_the_sender_reads_at_every_instant(shop: Shop, seed: int) -> None:
    dice = random.Random(seed)
    people = [make_contact(shop) for _ in range(8)]
    ConsentEvent.objects.bulk_create(
        ConsentEvent(
            shop=shop,
            contact=dice.choice(people),
            purpose=dice.choice(["marketing", "cart_reminder"]),
            channel=dice.choice(["email", "sms"]),
            is_given=dice.random() < 0.6,
            source="test",
            became_true_at=(at := NOW + dice.randrange(6) * HOUR),
            learnt_at=at,
        )
        for _ in range(40)
    )
    ids = [one.pk for one in people]
    found = read_people(Wanted(shop.pk, ids))

    for hour in range(-1, 7):
        at = NOW + hour * HOUR
        for channel in ("email", "sms"):
            with connection.cursor() as cursor:
                cursor.execute(CONSENT, [shop.pk, ids, list(CONSENT_PURPOSES), channel, at])
                read = {row[0]: tuple(map(bool, row[1:])) for row in cursor.fetchall()}
            known = {key: found.persons[key].standing(channel, at) for key in ids}
            assert {key: word[:4] for key, word in known.items() if word.is_known} == read


@pytest.mark.parametrize("seed", range(3))
def test_words_at_a_number_come_to_what_the_sender_reads(shop: Shop, seed: int) -> None:
    dice = random.Random(seed)
    numbers = ["+48601000001", "+48602000002", "+48603000003"]
    person = make_contact(shop, phone=numbers[0])
    ConsentEvent.objects.bulk_create(
        ConsentEvent(
            shop=shop,
            contact=person,
            purpose=dice.choice(["marketing", "cart_reminder"]),
            channel="sms",
            is_given=dice.random() < 0.7,
            source="test",
            number_hash=dice.choice([None, *(address_hash(shop.pk, "sms", one) for one in numbers)]),
            became_true_at=(at := NOW + hour * HOUR),
            learnt_at=at,
        )
        for hour in range(12)
    )
    found = read_people(Wanted(shop.pk, [person.pk])).persons[person.pk]

    for hour in range(-1, 13):
        at = NOW + hour * HOUR
        hashes = [address_hash(shop.pk, "sms", one) for one in numbers]
        with connection.cursor() as cursor:
            cursor.execute(
                AT_NUMBERS, [[person.pk] * 3, numbers, hashes, shop.pk, list(CONSENT_PURPOSES), "sms", at]
            )
            read = {row[1]: tuple(map(bool, row[2:])) for row in cursor.fetchall()}
        known = {one: found.standing("sms", at, at_number=Number(shop.pk, one)) for one in numbers}
        assert {one: word[:4] for one, word in known.items() if word.is_known} == read


def test_word_that_was_heard_of_late_counts_from_then_on_but_for_what_was_imported(shop: Shop) -> None:
    anna = make_contact(shop)
    ConsentEvent(
        shop=shop, contact=anna, purpose="marketing", is_given=True, source="file",
        became_true_at=NOW, learnt_at=NOW + 9 * DAY,
    ).save(force_insert=True)  # fmt: skip

    person = read_people(Wanted(shop.pk, [anna.pk])).persons[anna.pk]

    assert not person.standing("email", NOW + DAY).wants_offers
    assert person.standing("email", NOW + DAY, is_imported=True).wants_offers
    assert person.standing("email", NOW + 10 * DAY).wants_offers


def test_number_is_there_from_its_first_sight_on_or_with_the_order(shop: Shop) -> None:
    anna = make_contact(shop, phone="+48512345678")
    ContactIdentity.objects.filter(kind="phone").update(first_seen_at=NOW + DAY)
    order = make_order(shop, contact=anna, buyer={"phone": "+48512345679"})

    found = read_people(Wanted(shop.pk, [anna.pk], [order.pk], channels=("sms",)))
    person, about = found.persons[anna.pk], found.about(order.pk, None)

    assert [person.address("sms", About(), NOW + hour * HOUR) for hour in (0, 24)] == ["", "+48512345678"]
    assert person.address("sms", about, NOW) == "+48512345679"
    assert person.address("sms", About(is_imported=True), NOW) == "+48512345678"


def test_address_is_stopped_from_its_word_on_in_its_own_channel(shop: Shop) -> None:
    anna = make_contact(shop, phone="+48512345678")
    suppress(shop.pk, anna.email, scope="reminders", reason="unsubscribed", now=NOW)

    found = read_people(Wanted(shop.pk, [anna.pk], channels=("email", "sms")))

    scopes = [found.scopes("email", anna.email, NOW + hour * HOUR) for hour in (-1, 1)]
    assert scopes == [set(), {"reminders"}]
    assert found.scopes("sms", anna.phone, NOW + HOUR) == set()


def test_somebody_has_bought_once_we_have_heard_of_it_and_not_what_was_given_back(shop: Shop) -> None:
    anna, bert = make_contact(shop), make_contact(shop)
    make_order(shop, contact=bert, payment_state="refunded", paid_at=NOW, paid_learnt_at=NOW)
    make_order(shop, contact=anna, payment_state="paid", paid_at=NOW, paid_learnt_at=NOW + HOUR)

    people = read_people(Wanted(shop.pk, [anna.pk, bert.pk], asks_for_purchases=True)).persons
    person = people[anna.pk]

    assert not people[bert.pk].has_bought(NOW + HOUR)
    assert [person.has_bought(NOW + hour * HOUR) for hour in (0, 2)] == [False, True]
