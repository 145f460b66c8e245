"""Customers who may be one: suggested on their pages and on Home, merged or told apart by who may."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import RIGHTS, Right, Role
from recoup.customers.models import Contact, MergeSuggestion
from recoup.orders.models import Order
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.shops import make_shop
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
S = "/s/lumen/"


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    set_clock(NOW)
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    return make_shop(slug="lumen")


def suggest(shop: Shop, why: str = "look_alike") -> MergeSuggestion:
    first = make_contact(shop, name="Anna Nowak", email="anna@example.com")
    second = make_contact(shop, name="A. Nowak", email="аnna@example.com")
    make_order(shop, contact=second)
    suggestion = MergeSuggestion(shop=shop, first=first, second=second, why=why, made_at=NOW)
    suggestion.save(force_insert=True)
    return suggestion


def decide(client: Client, one: MergeSuggestion, what: str, *, page: int = 0, **posted: Any) -> Any:
    contact_id = page or one.first_id
    return client.post(f"{S}customers/{contact_id}/same/{one.pk}/{what}/", posted)


def rows(client: Client) -> list[int]:
    return [row.id for row in client.get(f"{S}customers/?v=doubles").context["rows"]]


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("look_alike", "an address that looks the same"),
        ("mail_alias", "the same mailbox in another spelling"),
        ("shared_sign", "shares an account, an e-mail or a phone"),
    ],
)
def test_a_page_says_who_may_be_the_same_person_and_why(shop: Shop, why: str, words: str) -> None:
    one = suggest(shop, why)

    for page, other in ((one.first_id, "A. Nowak"), (one.second_id, "Anna Nowak")):
        [double] = (
            sign_in(shop, name=f"Ewa{page} Lis").get(f"{S}customers/{page}/").context["customer"].doubles
        )
        assert (double.name, str(double.why), len(double.actions)) == (other, words, 2)


@pytest.mark.parametrize("kept", ["this", "other"])
def test_a_clerk_merges_two_and_chooses_who_is_kept(shop: Shop, kept: str) -> None:
    one, client = suggest(shop), sign_in(shop, "clerk")
    stays, goes = (one.first, one.second) if kept == "this" else (one.second, one.first)

    answer = decide(client, one, "merge", kept=kept, other=one.second_id)

    assert (answer.status_code, answer["Location"]) == (303, f"{S}customers/{stays.pk}/")
    assert Order.objects.get().contact_id == stays.pk
    assert client.get(f"{S}customers/{goes.pk}/")["Location"] == f"{S}customers/{stays.pk}/"
    page = client.get(f"{S}customers/{stays.pk}/")
    assert page.context["customer"].doubles == []
    assert "Merged with another customer" in [
        str(one.title) for one in page.context["customer"].timeline.events
    ]
    assert rows(client) == []


def test_two_who_are_told_apart_are_not_shown_again(shop: Shop) -> None:
    one, client = suggest(shop), sign_in(shop, "clerk")

    answer = decide(client, one, "apart")

    assert answer.status_code == 303
    assert client.get(f"{S}customers/{one.second_id}/").context["customer"].doubles == []
    assert MergeSuggestion.objects.get().state == "refused"
    assert Contact.objects.filter(merged_into=None).count() == 2


def test_what_a_colleague_has_decided_is_said_and_changes_nothing(shop: Shop) -> None:
    one, client = suggest(shop), sign_in(shop, "clerk")
    decide(client, one, "apart")

    answers = [
        decide(client, one, "apart"),
        decide(client, one, "merge", kept="this", other=one.second_id),
        decide(client, one, "merge", kept="this", other=make_contact(shop).pk),  # led over to somebody else
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    assert "two people" in answers[1].content.decode()
    assert not Contact.objects.exclude(merged_into=None).exists()


def test_pressed_twice_it_leads_to_the_one_who_stays(shop: Shop) -> None:
    one, client = suggest(shop), sign_in(shop, "clerk")
    decide(client, one, "merge", kept="other", other=one.second_id)

    again = decide(client, one, "merge", kept="other", other=one.second_id)

    assert (again.status_code, again["Location"]) == (303, f"{S}customers/{one.second_id}/")
    assert Contact.objects.exclude(merged_into=None).count() == 1


def test_a_suggestion_of_others_or_of_another_shop_is_not_there(shop: Shop) -> None:
    own, foreign = suggest(shop), suggest(make_shop())
    stranger = make_contact(shop)
    client = sign_in(shop)

    asked = [
        decide(client, foreign, what, page=page, kept="this", other=foreign.second_id)
        for what in ("merge", "apart")
        for page in (own.first_id, foreign.first_id)
    ]
    asked.append(decide(client, own, "merge", page=stranger.pk, kept="this", other=own.second_id))

    assert [answer.status_code for answer in asked] == [404] * 5
    assert set(MergeSuggestion.objects.values_list("state", flat=True)) == {"open"}
    assert not Contact.objects.exclude(merged_into=None).exists()


@pytest.mark.parametrize("role", list(Role))
def test_only_who_may_change_customers_decides(shop: Shop, role: Role) -> None:
    one, client = suggest(shop), sign_in(shop, role)
    may = Right.EDIT_CUSTOMERS in RIGHTS[role]

    home = client.get(S) if Right.SEE_ORDERS in RIGHTS[role] else None
    page = client.get(f"{S}customers/{one.first_id}/")
    statuses = {decide(client, one, what).status_code for what in ("apart", "merge")}

    if page.status_code == 200:
        assert bool(page.context["dialogs"]) == may
        assert bool(page.context["customer"].doubles[0].actions) == may
    assert home is None or ("may be the same person as another" in home.content.decode()) == may
    assert (statuses == {403}) != may


def test_home_says_once_how_many_and_leads_to_exactly_them(shop: Shop) -> None:
    one = suggest(shop)
    twins = [make_contact(shop) for _ in range(3)]
    for twin in twins:
        MergeSuggestion(shop=shop, first=one.first, second=twin, why="shared_sign", made_at=NOW).save()
    suggest(make_shop())
    client = sign_in(shop)

    [item] = [item for item in client.get(S).context["attention_items"] if "same person" in str(item.title)]

    assert str(item.title) == "5 customers may be the same person as another"
    assert item.url == f"{S}customers/?v=doubles"
    assert sorted(rows(client)) == sorted([one.first_id, one.second_id, *(twin.pk for twin in twins)])
