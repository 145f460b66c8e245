"""Tags on the page of a customer, and in the editor of processes."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.core.activity import SYSTEM
from recoup.customers.tagging import tag_by_hand, tags_of
from recoup.processes.drafts import draft_of
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import NOW
from tests.factories.people import make_contact
from tests.factories.processes import make_process
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


def test_a_person_is_tagged_and_a_tag_taken_off_on_their_page(shop: Shop) -> None:
    anna, client = make_contact(shop), sign_in(shop)
    page = f"{S}customers/{anna.pk}/"

    added = client.post(f"{page}tags/", {"add": "vip, called twice"})
    taken_off = client.post(f"{page}tags/", {"remove": "VIP"})

    assert (added.status_code, taken_off.status_code) == (303, 303)
    shown = client.get(page)
    assert [one.name for one in shown.context["customer"].tags] == ["called twice"]
    assert b"Take off the tag called twice" in shown.content


@pytest.mark.parametrize("typed", ["", " , ", "x" * 41])
def test_what_is_no_tag_is_said_and_changes_nothing(shop: Shop, typed: str) -> None:
    anna, client = make_contact(shop), sign_in(shop)

    answer = client.post(f"{S}customers/{anna.pk}/tags/", {"add": typed})

    assert answer.status_code == 422
    assert tags_of(anna) == []


def test_who_may_only_look_sees_tags_and_no_field(shop: Shop) -> None:
    anna = make_contact(shop)
    tag_by_hand(anna, add=["vip"], actor=SYSTEM, now=NOW)

    shown = sign_in(shop, Role.MARKETER).get(f"{S}customers/{anna.pk}/").context["customer"]

    assert ([one.name for one in shown.tags], shown.tags_url) == (["vip"], "")


def insert(client: Client, process: Any, **typed: Any) -> Any:
    url = f"{S}processes/{process.pk}/edit/insert/tag/?at=.first"
    lock = str(draft_of(process).lock)
    return client.post(url, {"lock": lock, **typed})


def test_the_block_is_put_in_by_its_form_and_the_entry_may_be_a_tag(shop: Shop) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[])
    client = sign_in(shop)

    put_in = insert(client, process, add="vip, VIP", remove="new")
    entry = client.post(
        f"{S}processes/{process.pk}/edit/entry/",
        {
            "lock": str(draft_of(process).lock),
            "on": "tag.set",
            "tags": "vip",
            "reentry": "per_subject",
            "anchor": "entered",
        },
    )

    assert (put_in.status_code, entry.status_code) == (303, 303)
    doc = draft_of(process).doc
    assert doc["entry"]["tags"] == ["vip"]
    assert [node for node in doc["nodes"].values() if node["t"] == "tag"] == [
        {"t": "tag", "add": ["vip"], "remove": ["new"], "out": {"next": "n1"}}
    ]
    shown = client.get(f"{S}processes/{process.pk}/edit/")
    assert b"A person is tagged" in shown.content
    assert "+ vip, − new" in shown.content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "Say which tag to set or to take off."),
        ({"add": "vip", "remove": "VIP"}, "The same tag cannot be set and taken off at once."),
        ({"add": "x" * 41}, "A tag has at most 40 letters."),
    ],
)
def test_the_form_says_what_is_wrong(shop: Shop, typed: dict[str, str], words: str) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[])

    answer = insert(sign_in(shop), process, **typed)

    assert answer.status_code == 422
    assert words in answer.content.decode()
