"""What the pages of processes say before anybody asks why nothing happens."""

from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.accounts.roles import Role
from recoup.processes.models import Process
from recoup.shops.models import Source
from recoup.web.words.blocks import condition
from tests.factories.processes import make_process
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


def test_switching_on_says_which_other_process_reminds_of_the_same(world: World) -> None:
    client = client_of(world.own.people[Role.OWNER])
    with scopes_disabled():
        shop = world.own.shop
        Process.objects.filter(shop=shop).update(status="live")
        copy = make_process(shop, name="Second try", status="test")

    def said() -> list[bool]:
        pages = [client.get(path) for path in ("/s/own/processes/", f"/s/own/processes/{copy.pk}/")]
        return ["“Unpaid order” runs as well" in page.content.decode() for page in pages]

    alone = said()
    with scopes_disabled():
        Process.objects.filter(shop=shop).update(exclusive_group="unpaid")

    assert (alone, said()) == ([True, True], [False, False])
