"""The table of sending rules on the screen: read with its sources, changed with its history."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.models import User
from recoup.accounts.roles import Role
from recoup.core.clock import trade_now
from recoup.messaging.models import SendingRule
from recoup.messaging.rules.book import book_of
from recoup.messaging.rules.law import LAW
from recoup.shops.models import Membership, Shop
from tests.factories.shops import make_shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def owner(shop: Shop) -> Client:
    user = User.objects.create(email="ann@own.example", name="Ann")
    with scopes_disabled():
        Membership.objects.create(user=user, shop=shop, role=Role.OWNER)
    client = Client()
    client.force_login(user)
    return client


def posted(**values: str) -> dict[str, str]:
    return {
        "order": "needs_consent",
        "customer": "soft_opt_in",
        "neither": "needs_consent",
        "note": "",
        **values,
    }


def test_every_rule_stands_beside_its_source(owner: Client, shop: Shop) -> None:
    page = owner.get(f"/s/{shop.slug}/settings/rules/").content.decode()

    for name in ("Poland", "Germany", "Russia", "United Kingdom", "United States", "All other countries"):
        assert name in page
    for law in LAW.values():
        assert str(law.source)[:60].replace("'", "&#x27;") in page
    assert "28 November 2026" in page


def test_where_strangers_get_mails_without_consent_it_is_said_and_gone_once_it_is_changed(
    owner: Client, shop: Shop
) -> None:
    page = f"/s/{shop.slug}/settings/rules/"
    told = "without anybody&#x27;s consent, until the person refuses: "

    before = owner.get(page).content.decode()
    for content in ("cart", "advertising"):
        owner.post(f"{page}US/{content}/", posted(customer="needs_consent", note="Counsel."))
    after = owner.get(page).content.decode()

    assert (before.count(told), after.count(told)) == (1, 0)
    assert told in before[before.index("United States") :]
    assert f"{told}Reminder of a cart; Advertising" in before
    assert "a starting point and no legal advice" in before


def test_a_change_is_kept_with_who_when_why_and_what_was(owner: Client, shop: Shop) -> None:
    address = f"/s/{shop.slug}/settings/rules/DE/cart/"

    done = owner.post(address, posted(neither="forbidden", note="Our lawyer."))

    assert (done.status_code, done.headers["Location"]) == (303, f"/s/{shop.slug}/settings/rules/")
    assert book_of(shop.pk, now=trade_now()).verdict("DE", "cart", "neither") == "forbidden"
    with scopes_disabled():
        changes = SendingRule.objects.values_list("relation", "was", "verdict", "note", "changed_by")
        assert list(changes) == [
            ("neither", "needs_consent", "forbidden", "Our lawyer.", User.objects.get().pk)
        ]
    page = owner.get(address).content.decode()
    assert "Only with consent → Not allowed at all" in page
    assert "Our lawyer." in page
    assert "Ann" in page
    assert "own rule: Only with consent" in owner.get(f"/s/{shop.slug}/settings/rules/").content.decode()


def test_saving_the_same_changes_nothing(owner: Client, shop: Shop) -> None:
    owner.post(f"/s/{shop.slug}/settings/rules/DE/cart/", posted())
    with scopes_disabled():
        assert not SendingRule.objects.exists()


def test_what_is_no_verdict_is_refused(owner: Client, shop: Shop) -> None:
    page = owner.post(f"/s/{shop.slug}/settings/rules/other/cart/", posted(order="whatever"))

    assert page.status_code == 422
    with scopes_disabled():
        assert not SendingRule.objects.exists()


@pytest.mark.parametrize("place", ["FR/cart", "DE/nothing", "xx/cart"])
def test_a_place_that_the_table_does_not_have_is_not_found(owner: Client, shop: Shop, place: str) -> None:
    assert owner.get(f"/s/{shop.slug}/settings/rules/{place}/").status_code == 404


def test_the_shop_says_that_buyers_are_told(owner: Client, shop: Shop) -> None:
    address = f"/s/{shop.slug}/settings/rules/ground/"

    owner.post(address, {"is_told": "1"})
    assert book_of(shop.pk, now=trade_now()).has_ground
    owner.post(address, {"is_told": "0"})
    assert not book_of(shop.pk, now=trade_now()).has_ground
    with scopes_disabled():
        assert SendingRule.objects.filter(content="ground").count() == 2


def test_a_rule_for_a_day_to_come_holds_from_then_and_can_be_withdrawn(owner: Client, shop: Shop) -> None:
    address, now = f"/s/{shop.slug}/settings/rules/DE/cart/", trade_now()
    day = (now + timedelta(days=40)).date()

    early = owner.post(address, posted(neither="forbidden", begins=str((now - timedelta(days=2)).date())))
    owner.post(address, posted(neither="forbidden", begins=str(day)))

    def at(instant: datetime) -> str:
        return book_of(shop.pk, now=instant).verdict("DE", "cart", "neither")

    assert early.status_code == 422
    assert (at(now), at(now + timedelta(days=42))) == ("needs_consent", "forbidden")
    planned = owner.get(f"/s/{shop.slug}/settings/rules/").content.decode()
    assert re.search(r"From \d+ \w+ \d{4}: Not allowed at all", planned)
    with scopes_disabled():
        change = SendingRule.objects.get()
    withdraw = f"/s/{shop.slug}/settings/rules/changes/{change.pk}/withdraw/"
    assert withdraw in owner.get(address).content.decode()

    owner.post(withdraw)

    assert at(now + timedelta(days=42)) == "needs_consent"
    assert "withdrawn by Ann" in owner.get(address).content.decode()
    assert (
        owner.post(f"/s/{make_shop().slug}/settings/rules/changes/{change.pk}/withdraw/").status_code == 404
    )


def test_a_way_back_can_be_planned_and_an_old_page_leaves_alone_what_it_did_not_choose(
    owner: Client, shop: Shop
) -> None:
    address, now = f"/s/{shop.slug}/settings/rules/DE/cart/", trade_now()
    begins, ends = ((now + timedelta(days=days)).date() for days in (40, 50))

    page = owner.get(address).content.decode()
    owner.post(address, {"neither": "soft_opt_in", "begins": str(begins)})
    owner.post(address, {"neither": "needs_consent", "begins": str(ends)})  # what is in force today, again
    owner.post(address, {"neither": "", "customer": "forbidden"})

    assert re.findall(r'<option value="([^"]*)" selected', page) == ["", "", ""]
    assert "No change (now: Only with consent)" in page
    books = [book_of(shop.pk, now=now + timedelta(days=days)) for days in (1, 45, 55)]
    assert [book.verdict("DE", "cart", "neither") for book in books] == [
        "needs_consent",
        "soft_opt_in",
        "needs_consent",
    ]
    assert {book.verdict("DE", "cart", "customer") for book in books} == {"forbidden"}


def test_whoever_takes_recoups_own_rule_withdraws_what_was_planned_there(owner: Client, shop: Shop) -> None:
    address, now = f"/s/{shop.slug}/settings/rules/DE/cart/", trade_now()
    owner.post(address, {"neither": "forbidden"})
    for place in ("DE/cart", "PL/cart"):
        values = {"neither": "soft_opt_in", "begins": str((now + timedelta(days=40)).date())}
        owner.post(f"/s/{shop.slug}/settings/rules/{place}/", values)

    owner.post(address, {"do": "reset"})

    later = book_of(shop.pk, now=now + timedelta(days=50))
    assert [later.rule(country, "cart", "neither").is_own for country in ("DE", "PL")] == [False, True]
    assert "withdrawn by Ann" in owner.get(address).content.decode()


def test_recoups_own_rule_can_be_taken_again(owner: Client, shop: Shop) -> None:
    address = f"/s/{shop.slug}/settings/rules/DE/cart/"
    owner.post(address, posted(neither="forbidden", order="contract"))
    assert "Take Recoup’s own rule" in owner.get(address).content.decode()

    owner.post(address, {"do": "reset"})

    rules = [
        book_of(shop.pk, now=trade_now()).rule("DE", "cart", one) for one in ("order", "customer", "neither")
    ]
    assert [rule.change for rule in rules] == [None, None, None]
    page = owner.get(address).content.decode()
    assert "Not allowed at all → Recoup’s own rule" in page
    assert "Take Recoup’s own rule" not in page
    with scopes_disabled():
        assert SendingRule.objects.count() == 4  # two changes, two taken back; the third had none
