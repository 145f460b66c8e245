"""What the pages of processes say before anybody asks why nothing happens."""

from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.processes.models import Process
from recoup.shops.models import Source
from recoup.web.words.blocks import condition
from tests.web.world import World, client_of

WHY = "No connected source reports carts, so there are no cart reminders."


@pytest.mark.parametrize(("kind", "said"), [("woocommerce", WHY), ("generic", "")])
def test_a_cart_process_says_why_it_reminds_nobody(world: World, kind: str, said: str) -> None:
    client = client_of(world.own.people[Role.OWNER])
    with scopes_disabled():
        Source.objects.filter(shop=world.own.shop).update(kind=kind)
        keys = dict(Process.objects.filter(shop=world.own.shop).values_list("key", "pk"))

    rows = client.get("/s/own/processes/").context["rows"]
    pages = {key: client.get(f"/s/own/processes/{pk}/") for key, pk in keys.items()}

    assert sorted(row.idle for row in rows) == ["", said]
    assert {key: page.context["process"].idle for key, page in pages.items()} == {
        "unpaid_order": "",
        "abandoned_cart": said,
    }
    assert (WHY in pages["abandoned_cart"].content.decode()) == bool(said)


def test_without_a_source_a_cart_process_says_so_too(world: World) -> None:
    client: Client = client_of(world.own.people[Role.CLERK])
    with scopes_disabled():
        Source.objects.filter(shop=world.own.shop).delete()

    rows = client.get("/s/own/processes/").context["rows"]

    assert sorted(row.idle for row in rows) == ["", WHY]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"f": "order.is_paid", "op": "=", "v": True}, "Order is paid: yes"),
        ({"f": "order.total", "op": ">=", "v": 100}, "Sum of the order is at least 100"),
        ({"not": {"f": "order.is_offline", "op": "=", "v": False}}, "not: Paid by bank transfer: no"),
    ],
)
def test_a_condition_reads_as_a_sentence(raw: dict[str, Any], sentence: str) -> None:
    assert condition(raw, {}) == sentence
