"""Trying a draft on one real customer before it is published (D18)."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.config.adapters import CHANNELS
from recoup.core.activity import SYSTEM
from recoup.customers.models import Contact
from recoup.messaging import channels
from recoup.messaging.models import Message
from recoup.orders.models import Order
from recoup.processes.drafts import draft_of, save_draft
from recoup.processes.models import Enrolment, Process, StepLog
from recoup.shops.models import Shop
from recoup.web.words.texts import class_words
from tests.factories.clock import set_clock
from tests.factories.messages import make_mail_account, make_sms_account
from tests.factories.moments import DAY, NOW
from tests.factories.orders import make_order
from tests.factories.people import make_contact
from tests.factories.processes import make_process
from tests.factories.shops import make_shop
from tests.factories.templates import make_template
from tests.web.staff import sign_in

pytestmark = pytest.mark.django_db
NODES: dict[str, dict[str, Any]] = {
    "n1": {"t": "wait", "for": "PT24H", "out": {"next": "n2"}},
    "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
    "n3": {
        "t": "until", "on": {"e": "message.opened", "ref": "n2"}, "within": "P2D", "out": {"yes": "n5", "no": "n4"},
    },
    "n4": {"t": "send", "template": "second", "out": {"done": "n5"}},
    "n5": {"t": "end"},
}  # fmt: skip


@pytest.fixture(autouse=True)
def _all_shops() -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def shop() -> Shop:
    set_clock(NOW)
    return make_shop(slug="lumen", name="Lumen Candles", time_zone="UTC", live_since=NOW - 90 * DAY)


@pytest.fixture
def order(shop: Shop) -> Order:
    make_template(shop, key="first", name="First one")
    make_template(shop, key="second", name="Second one")
    return make_order(shop, contact=make_contact(shop, name="Anna"), status="unpaid", placed_at=NOW)


def text(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def walk(client: Client, process: Process, query: str) -> str:
    answer = client.get(f"/s/lumen/processes/{process.pk}/walk/?{query}")
    assert answer.status_code == 200
    return text(answer.content.decode())


@pytest.mark.parametrize(
    ("what", "said", "not_said"),
    [
        ("nothing", ["“First one” is sent", "“Second one” is sent", "Finished"], []),
        ("pays&hours=5", ["Paid"], ["“First one” is sent", "“Second one” is sent"]),
        ("pays&hours=30", ["“First one” is sent", "Paid"], ["“Second one” is sent"]),
        ("opens", ["“First one” is sent", "Yes", "Finished"], ["“Second one” is sent"]),
    ],
)
def test_somebody_is_walked_to_their_end_and_nothing_is_written(
    shop: Shop, order: Order, what: str, said: list[str], not_said: list[str]
) -> None:
    process = make_process(shop, name="Gentle", nodes=NODES)

    page = walk(sign_in(shop), process, f"as={order.pk}&what={what}")

    assert [one for one in said if one not in page] == []
    assert [one for one in not_said if one in page] == []
    assert (Enrolment.objects.count(), StepLog.objects.count(), Message.objects.count()) == (0, 0, 0)


def test_the_channel_that_it_takes_its_price_and_its_class_are_told(shop: Shop, order: Order) -> None:
    channels.register(CHANNELS)
    make_sms_account(shop, port=9)
    make_mail_account(shop, port=9)
    make_template(shop, key="short", name="Short one", channel="sms")
    Contact.objects.update(email="", phone="+48512345678")
    nodes = {
        "n1": {
            "t": "send", "template": "first", "otherwise": [{"channel": "sms", "template": "short"}], "out": {"done": "n2"},
        },
        "n2": {"t": "send", "template": "first", "out": {"done": "n3"}},
        "n3": {"t": "end"},
    }  # fmt: skip
    process = make_process(shop, name="Gentle", nodes=nodes)

    page = walk(sign_in(shop), process, f"as={order.pk}")

    assert "“Short one” is sent" in page
    none, law = "There is no address for this channel", class_words("contract")
    assert f"E-mail: {none} · SMS · {law} · 1 part, PLN" in page
    assert page.count(none) == 2  # the second text has no other channel


def test_the_draft_is_walked_and_not_what_runs(shop: Shop, order: Order) -> None:
    process = make_process(shop, name="Gentle", nodes=NODES)
    assert process.current_version is not None
    doc = process.current_version.doc
    doc = doc | {"nodes": doc["nodes"] | {"n1": {**doc["nodes"]["n1"], "for": "PT48H"}}}
    save_draft(process, doc, lock=draft_of(process).lock, actor=SYSTEM, now=NOW)

    assert re.search(
        r"is sent (4|04) Nov 2026, 12:00|is sent Nov 4, 2026", walk(sign_in(shop), process, f"as={order.pk}")
    )


def test_who_would_not_be_let_in_or_has_paid_is_told_so(shop: Shop, order: Order) -> None:
    client = sign_in(shop)
    closed = make_process(
        shop, name="Closed", nodes=NODES, entry={"if": {"f": "order.total", "op": ">", "v": 10**6}}
    )
    opened = make_process(shop, name="Open", nodes=NODES)
    assert "They would not be let in" in walk(client, closed, f"as={order.pk}")
    Order.objects.update(paid_at=NOW, paid_learnt_at=NOW, captured=order.total)

    page = walk(client, opened, f"as={order.pk}")

    assert "Paid" in page
    assert "” is sent" not in page


def test_its_texts_can_be_sent_to_oneself_as_this_customer(shop: Shop, order: Order) -> None:
    process = make_process(shop, name="Gentle", nodes=NODES)

    page = sign_in(shop).get(f"/s/lumen/processes/{process.pk}/walk/?as={order.pk}").content.decode()

    for key in ("first", "second"):
        assert re.search(rf'action="/s/lumen/[^"]*{key}/[a-z]+/test/\?as={order.pk}"', page)


def test_a_short_text_that_is_tried_instead_goes_to_the_number_of_the_shop(shop: Shop, order: Order) -> None:
    make_template(shop, key="short", name="Short one", channel="sms")
    nodes = {**NODES, "n2": {**NODES["n2"], "otherwise": [{"channel": "sms", "template": "short"}]}}
    process, client = make_process(shop, name="Gentle", nodes=nodes), sign_in(shop)
    sent = re.compile(
        r'short/[a-z]+/test/[^"]*"><[^>]*csrf[^>]*><input type="hidden" name="to" value="([^"]*)"'
    )
    url = f"/s/lumen/processes/{process.pk}/walk/?as={order.pk}"

    without = client.get(url).content.decode()
    Shop.objects.update(phone="+48601234567")
    with_number = client.get(url).content.decode()

    assert ("Short one" in without, sent.findall(without)) == (True, [])
    assert sent.findall(with_number) == ["+48601234567"]


def test_customers_are_found_and_strangers_are_not(shop: Shop, order: Order) -> None:
    process, client = make_process(shop, name="Gentle", nodes=NODES), sign_in(shop)
    stranger = make_order(make_shop(), status="unpaid")

    found = client.get(f"/s/lumen/processes/{process.pk}/walk/", {"find": order.number}).content.decode()

    assert f"as={order.pk}" in found
    assert client.get(f"/s/lumen/processes/{process.pk}/walk/?as={stranger.pk}").status_code == 404
    assert "Nobody was found." in walk(client, process, "find=zzzzzz")
