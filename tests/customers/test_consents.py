"""Consents that sources tell again and again, and addresses that stay suppressed."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django_scopes import scopes_disabled

from recoup.config.environment import secret_keys
from recoup.customers.actions import Consent, record_consent, suppress
from recoup.customers.models import ConsentEvent, Contact
from recoup.customers.queries import find_consent, find_contact, is_suppressed
from recoup.orders.actions import record_order
from recoup.orders.carts import record_cart
from recoup.shops.instants import order_not_ahead
from recoup.shops.models import Source
from recoup.shops.snapshots import CartSnapshot, LineSnapshot, OrderSnapshot, PersonSnapshot, ShopState
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.shops import make_shop, make_source

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def source() -> Source:
    return make_source(make_shop())


def tell_order(source: Source, version_at: datetime, **person: Any) -> None:
    consent = {"email": "anna@example.com", "marketing_consent": True, **person}
    snapshot = OrderSnapshot(
        ref="1", state=ShopState.PENDING, currency="EUR", total=Decimal(9), placed_at=NOW, version_at=version_at,
        person=PersonSnapshot(**consent),
    )  # fmt: skip
    record_order(source, snapshot, now=version_at)


def tell_cart(source: Source, version_at: datetime, *, is_ticked: bool) -> None:
    line = LineSnapshot("cream", "Cream", Decimal(1), Decimal(9), Decimal(9))
    snapshot = CartSnapshot(
        ref="c", currency="EUR", total=Decimal(9), version_at=version_at, lines=(line,),
        person=PersonSnapshot(email="anna@example.com", marketing_consent=is_ticked),
    )  # fmt: skip
    record_cart(source, snapshot, now=version_at)


def anna_of(source: Source) -> Contact:
    found = find_contact(source.shop_id, email="anna@example.com")
    assert found is not None
    return found


def may_write(source: Source, at: datetime) -> bool:
    return find_consent(anna_of(source), purposes=["marketing"], at=at) is not None


def test_an_order_that_is_told_again_takes_no_withdrawal_back(source: Source) -> None:
    tell_order(source, NOW)
    assert may_write(source, NOW)
    taken_back = Consent("marketing", is_given=False, source="mail", at=NOW + HOUR)
    record_consent(anna_of(source), [taken_back], now=NOW + HOUR)

    # The shop tells that it was packed, then sent; the box of that day is still in the body.
    for hours in (2, 3):
        tell_order(source, NOW + hours * HOUR)

    assert not may_write(source, NOW + DAY)
    assert ConsentEvent.objects.count() == 2


def test_a_cart_that_is_told_again_takes_no_withdrawal_back(source: Source) -> None:
    tell_cart(source, NOW, is_ticked=True)
    taken_back = Consent("marketing", is_given=False, source="mail", at=NOW + HOUR)
    record_consent(anna_of(source), [taken_back], now=NOW + HOUR)

    tell_cart(source, NOW + 2 * HOUR, is_ticked=True)

    assert not may_write(source, NOW + DAY)
    assert ConsentEvent.objects.count() == 2


def test_a_box_that_is_cleared_in_the_cart_counts(source: Source) -> None:
    tell_cart(source, NOW, is_ticked=True)
    tell_cart(source, NOW + HOUR, is_ticked=False)

    assert not may_write(source, NOW + HOUR)


def test_words_on_consent_end_alike_in_every_order_of_arrival(source: Source) -> None:
    words = [(True, NOW), (False, NOW + 5 * HOUR), (True, NOW + 9 * HOUR)]
    ends = set()
    for number, order in enumerate(itertools.permutations(words)):
        email = f"anna{number}@example.com"
        for version, (is_given, at) in enumerate(order):
            tell_order(
                source,
                NOW + (10 + version) * HOUR,
                email=email,
                marketing_consent=is_given,
                marketing_consent_at=at,
            )
        contact = find_contact(source.shop_id, email=email)
        assert contact is not None
        ends.add(tuple(_is_given(contact, NOW + hours * HOUR) for hours in (0, 5, 9)))

    assert ends == {(True, False, True)}


def told_ahead(source: Source, at: datetime, said_at: datetime, *, is_given: bool = True) -> None:
    """Tell a word of `said_at` by a clock that may be ahead."""
    tell_order(source, at, marketing_consent=is_given, marketing_consent_at=said_at)


def test_a_box_ticked_again_by_a_clock_ahead_counts_after_a_withdrawal(source: Source) -> None:
    seconds = timedelta(seconds=3)
    told_ahead(source, NOW, NOW + seconds)
    taken_back = Consent("marketing", is_given=False, source="mail", at=NOW + HOUR)
    record_consent(anna_of(source), [taken_back], now=NOW + HOUR)
    told_ahead(source, NOW + HOUR + MINUTE, NOW + seconds)  # the box of the first time, told again
    assert not may_write(source, NOW + 2 * HOUR)

    for minutes in (0, 1):
        told_ahead(source, NOW + 2 * HOUR + minutes * MINUTE, NOW + 2 * HOUR + seconds)

    assert may_write(source, NOW + 2 * HOUR)
    assert ConsentEvent.objects.count() == 3


@pytest.mark.parametrize("is_given", [True, False])
def test_a_word_dated_ahead_and_told_again_undoes_nothing_that_was_said_meanwhile(
    source: Source, *, is_given: bool
) -> None:
    for hours in (0, 1, 2, 4):
        told_ahead(source, NOW + hours * HOUR, NOW + 3 * HOUR, is_given=is_given)
        if hours == 0:
            other = Consent("marketing", is_given=not is_given, source="mail", at=NOW + HOUR / 2)
            record_consent(anna_of(source), [other], now=NOW + HOUR / 2)

    assert may_write(source, NOW + DAY) is not is_given
    assert ConsentEvent.objects.count() == 2


def test_a_consent_given_with_an_order_that_a_clock_ahead_placed_takes_no_withdrawal_back(
    source: Source,
) -> None:
    person = PersonSnapshot(email="anna@example.com", marketing_consent=True)
    ahead = NOW + 2 * HOUR
    told = OrderSnapshot(
        "1", ShopState.PENDING, "EUR", Decimal(9), placed_at=ahead, version_at=ahead, person=person
    )
    record_order(source, order_not_ahead(told, NOW), now=NOW)
    assert may_write(source, NOW)
    taken_back = Consent("marketing", is_given=False, source="mail", at=NOW + HOUR)
    record_consent(anna_of(source), [taken_back], now=NOW + HOUR)

    record_order(source, replace(told, version_at=ahead + HOUR), now=ahead + HOUR)

    assert not may_write(source, NOW + DAY)


def _is_given(contact: Contact, at: datetime) -> bool:
    return find_consent(contact, purposes=["marketing"], at=at) is not None


def test_a_new_secret_key_forgets_nobody_who_unsubscribed(
    source: Source, settings: LazySettings, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECOUP_SECRET_KEY_FILE", raising=False)
    file = tmp_path / "secret.key"

    def restart() -> None:
        settings.SECRET_KEY, settings.SECRETS_KEYS, settings.ADDRESS_KEY = secret_keys(tmp_path)

    restart()
    suppress(source.shop_id, "anna@example.com", scope="reminders", reason="unsubscribed", now=NOW)
    file.write_text("n" * 48 + "\n" + file.read_text())
    restart()

    assert settings.SECRET_KEY == "n" * 48
    assert is_suppressed(source.shop_id, "Anna@Example.com", scopes=["reminders"])
