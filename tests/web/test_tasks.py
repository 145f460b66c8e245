"""The screens of tasks: mine and all, due and overdue, done one after the other, also on the order and the customer."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.desk.models import Task
from recoup.processes.drafts import draft_of
from recoup.shops.models import Shop
from tests.factories.clock import set_clock
from tests.factories.moments import DAY, HOUR, NOW
from tests.factories.orders import make_order
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


def task(shop: Shop, title: str = "Call Anna", **values: Any) -> Task:
    one = Task(**{"shop": shop, "title": title, "due_at": NOW + DAY, "created_at": NOW, **values})
    one.save(force_insert=True)
    return one


def titles(client: Client, query: str = "") -> list[str]:
    return [row.title for row in client.get(f"{S}tasks/{query}").context["rows"]]


def test_the_list_shows_ones_own_all_overdue_and_what_has_ended(shop: Shop) -> None:
    client = sign_in(shop, Role.CLERK)
    task(shop, "mine", role="clerk")
    task(shop, "everybodys", due_at=NOW - HOUR)
    task(shop, "owners", role="owner", due_at=NOW - DAY)
    task(shop, "ended", state="done", closed_at=NOW)

    assert titles(client) == ["everybodys", "mine"]
    assert titles(client, "?v=all") == ["owners", "everybodys", "mine"]
    assert titles(client, "?v=all&due=overdue") == ["owners", "everybodys"]
    assert titles(client, "?v=all&due=today") == ["owners", "everybodys"]
    assert titles(client, "?v=done") == ["ended"]


def test_done_leads_to_the_next_one_and_then_to_the_empty_list(shop: Shop) -> None:
    client = sign_in(shop, Role.CLERK)
    order = make_order(shop)
    first, second = task(shop, order=order, contact=order.contact), task(shop, "Check", due_at=NOW + 2 * DAY)

    page = client.get(f"{S}tasks/{first.pk}/")
    answers = [
        client.post(f"{S}tasks/{one.pk}/close/", {"do": "done", "result": "Pays on Friday."})
        for one in (first, second)
    ]

    assert page.context["next_url"] == f"{S}tasks/{second.pk}/"
    assert [answer.headers["Location"] for answer in answers] == [f"{S}tasks/{second.pk}/", f"{S}tasks/"]
    assert b"Nothing to do" in client.get(f"{S}tasks/").content
    assert b"Task done" in client.get(f"{S}orders/{order.pk}/").content


def test_what_somebody_else_has_done_is_said(shop: Shop) -> None:
    one = task(shop, state="done", closed_at=NOW)

    answer = sign_in(shop).post(f"{S}tasks/{one.pk}/close/", {"do": "done"})

    assert answer.status_code == 409
    assert b"Somebody else has ended this task before you." in answer.content


def test_a_task_is_handed_on_and_nonsense_is_refused(shop: Shop) -> None:
    client, one = sign_in(shop), task(shop)

    good = client.post(f"{S}tasks/{one.pk}/hand-on/", {"to": "role:service"})
    bad = [
        client.post(f"{S}tasks/{one.pk}/hand-on/", {"to": to}).status_code
        for to in ("person:9", "role:x", "")
    ]

    one.refresh_from_db()
    assert (good.status_code, one.role, bad) == (303, "service", [422, 422, 422])


def test_a_task_stands_on_the_order_the_customer_and_home(shop: Shop) -> None:
    client, order = sign_in(shop), make_order(shop)
    task(shop, "Call about the card", order=order, contact=order.contact, due_at=NOW - HOUR)

    for page in (f"{S}orders/{order.pk}/", f"{S}customers/{order.contact_id}/"):
        assert b"Call about the card" in client.get(page).content
    assert b"1 task is overdue" in client.get(S).content


def test_who_only_looks_has_no_buttons(shop: Shop) -> None:
    one = task(shop)

    shown = sign_in(shop, Role.VIEWER).get(f"{S}tasks/{one.pk}/").context["task"]

    assert (shown.close_url, shown.hand_on_url) == ("", "")


def insert(client: Client, process: Any, **typed: Any) -> Any:
    url = f"{S}processes/{process.pk}/edit/insert/task/?at=.first"
    given = {"priority": "normal", "who": "role:clerk", "due": "1", "due_unit": "D", "within_unit": "D"}
    return client.post(url, {"lock": str(draft_of(process).lock), **given, **typed})


def test_the_block_is_put_in_by_its_form_waiting_or_not(shop: Shop) -> None:
    client = sign_in(shop)
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[])

    plain = insert(client, process, title="Call {customer}")
    waiting = insert(client, process, title="Check", waits="on", within="2")

    assert (plain.status_code, waiting.status_code) == (303, 303)
    nodes = draft_of(process).doc["nodes"]
    first, second = (one for _, one in sorted(nodes.items()) if one["t"] == "task")
    assert (first["title"], first["role"]) == (
        "Call {customer}",
        "clerk",
    )  # the rest is as usual and not written
    assert (set(first["out"]), second["within"], set(second["out"])) == ({"done"}, "P2D", {"done", "timeout"})
    shown = client.get(f"{S}processes/{process.pk}/edit/").content.decode()
    assert "Call {customer}" in shown
    assert "A task: done within 2 days?" in shown


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"title": ""}, "Say what is to be done."),
        ({"title": "x {nobody}"}, "{nobody} means nothing here."),
        ({"title": "x", "waits": "on"}, "Say how long it is waited for."),
    ],
)
def test_the_form_says_what_is_wrong(shop: Shop, typed: dict[str, str], words: str) -> None:
    process = make_process(shop, nodes={"n1": {"t": "end"}}, goals=[])

    answer = insert(sign_in(shop), process, **typed)

    assert answer.status_code == 422
    assert words in answer.content.decode()
