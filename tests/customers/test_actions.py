"""Who is the same person, and who only may be (T42)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_scopes import scopes_disabled

from recoup.customers.actions import Consent, recognise, record_consent, suppress
from recoup.customers.models import Contact, ContactGate, MergeSuggestion
from recoup.customers.normalise import email_key, phone_key
from recoup.customers.queries import find_consent, is_suppressed
from recoup.shops.models import Shop
from recoup.shops.snapshots import PersonSnapshot
from tests.factories.moments import HOUR, NOW
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


def see(shop: Shop, **signs: Any) -> Contact | None:
    return recognise(shop, PersonSnapshot(**signs), source_id=1, now=NOW)


@pytest.mark.parametrize(
    "second",
    [
        {"email": "ANNA@Example.COM"},
        {"email": "anna@example.com", "account_ref": "12"},
        {"phone": "+48 600 100 200"},
        {"phone": "600100200", "country": "PL"},
    ],
)
def test_the_same_person_is_recognised_across_case_guest_and_account(second: dict[str, str]) -> None:
    shop = make_shop()
    first = see(shop, email="anna@example.com", phone="+48600100200")

    assert see(shop, **second) == first
    assert Contact.objects.count() == ContactGate.objects.count() == 1


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("mike@example.com", "mıke@example.com", "look_alike"),
        ("mike@example.com", "ｍike@example.com", "look_alike"),
        ("mike@example.com", "mike@ехample.com", "look_alike"),  # two of its letters are Cyrillic
        ("mike@example.com", "mike+shop@example.com", "mail_alias"),
        ("mike+a@example.com", "mike+b@example.com", "mail_alias"),
        ("m.ike@gmail.com", "mi.ke@googlemail.com", "mail_alias"),
        ("mike@example.com", "mika@example.com", ""),
        ("m.ike@example.com", "mike@example.com", ""),
    ],
)
def test_look_alikes_and_aliases_are_suggested_and_never_merged(one: str, other: str, why: str) -> None:
    for first, second in ((one, other), (other, one)):
        shop = make_shop()
        before = see(shop, email=first)

        after = see(shop, email=second)
        see(shop, email=second)

        assert after is not None
        assert after != before
        suggestions = MergeSuggestion.objects.filter(shop=shop)
        assert [suggestion.why for suggestion in suggestions] == ([why] if why else [])


def test_a_look_alike_of_another_shop_is_nobody_here() -> None:
    see(make_shop(), email="mike@example.com")

    see(make_shop(), email="mike+shop@example.com")

    assert MergeSuggestion.objects.count() == 0


def test_a_mailbox_of_many_aliases_is_suggested_five_times_at_most() -> None:
    shop = make_shop()
    for number in range(8):
        see(shop, email=f"mike+{number}@example.com")

    newest = Contact.objects.latest("id")
    assert MergeSuggestion.objects.filter(second=newest).count() == 5


def test_a_phone_shared_by_two_accounts_is_two_people_and_a_suggestion() -> None:
    shop = make_shop()
    first = see(shop, phone="+48600100200", account_ref="1")

    second = see(shop, phone="+48600100200", account_ref="2")

    assert first != second
    assert MergeSuggestion.objects.count() == 1


def test_another_shop_knows_nobody() -> None:
    first = see(make_shop(), email="anna@example.com")

    assert see(make_shop(), email="anna@example.com") != first


@pytest.mark.parametrize(
    ("number", "country", "key"),
    [
        ("600 100 200", "", ""),
        ("600 100 200", "PL", "+48600100200"),
        ("0048600100200", "", "+48600100200"),
        ("123", "PL", ""),
        ("+88212345", "", ""),
        ("٦٠٠١٠٠٢٠٠", "PL", ""),
        ("+486001002003004005006007008", "PL", ""),
    ],
)
def test_a_phone_is_e164_or_nothing_and_its_country_is_never_guessed(
    number: str, country: str, key: str
) -> None:
    assert phone_key(number, country) == key


@pytest.mark.parametrize(
    "text", ["a@b.c, x@y.pl", "a@b.pl;x@y.pl", "a@b.pl\r\nBcc: x@y.pl", "a b@c.pl", "a\x00@b.pl", ""]
)
def test_what_is_not_one_address_is_none(text: str) -> None:
    assert email_key(text) == ""


def test_the_latest_word_on_consent_counts_at_its_instant() -> None:
    anna = see(make_shop(), email="anna@example.com")
    assert anna is not None

    record_consent(anna, [Consent("marketing", is_given=True, source="form", at=NOW)], now=NOW)
    record_consent(anna, [Consent("marketing", is_given=False, source="mail", at=NOW + HOUR)], now=NOW + HOUR)

    assert find_consent(anna, purposes=["marketing"], at=NOW - HOUR) is None
    given = find_consent(anna, purposes=["marketing"], at=NOW)
    assert given is not None
    assert given.source == "form"
    assert find_consent(anna, purposes=["marketing"], at=NOW + HOUR) is None


def test_suppression_is_scoped_and_touches_the_gate() -> None:
    shop = make_shop()
    anna = see(shop, email="anna@example.com")
    assert anna is not None

    suppress(shop.pk, "Anna@example.com", scope="marketing", reason="unsubscribed", now=NOW)
    suppress(shop.pk, "anna@example.com", scope="marketing", reason="unsubscribed", now=NOW)

    assert is_suppressed(shop.pk, "anna@example.com", scopes=["marketing"])
    assert not is_suppressed(shop.pk, "anna@example.com", scopes=["reminders"])
    assert ContactGate.objects.get(contact=anna).changes == 2
