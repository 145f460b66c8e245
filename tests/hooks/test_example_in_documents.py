"""The example that we print for makers of shops is run as it is printed; what is said about events is what is read."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django_scopes import scopes_disabled

from recoup.hooks.apply import apply_waiting
from recoup.integrations.generic import contract, words
from recoup.orders.models import Order
from recoup.shops.models import Source

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/connect/generic-webhook.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
SECRET = "whsec_" + "a2V5" * 8


def test_the_printed_example_brings_in_an_order(
    client: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[HttpResponse] = []

    def carry(call: urllib.request.Request) -> None:
        headers = dict(call.header_items())
        path = call.full_url.removeprefix("https://recoup.example.com")
        answers.append(
            client.post(path, data=call.data, content_type=headers.pop("Content-type"), headers=headers)  # type: ignore[arg-type]
        )

    monkeypatch.setattr(urllib.request, "urlopen", carry)
    source.secret = SECRET
    source.save()
    names: dict[str, Any] = {"ADDRESS": f"https://recoup.example.com/hooks/{source.key}", "SECRET": SECRET}
    for block in BLOCKS:
        exec(block, names)
    apply_waiting()

    with scopes_disabled():
        order = Order.objects.select_related("contact").get()
        lines = list(order.lines.values_list("name", flat=True))
    assert [answer.status_code for answer in answers] == [200]
    assert (order.number, str(order.total), order.currency, lines) == (
        "1001",
        "149.0000",
        "EUR",
        ["Lavender soap"],
    )
    assert order.contact is not None
    assert (order.contact.email, order.check_at is not None) == ("anna@example.com", True)


def test_the_printed_example_has_ten_lines() -> None:
    assert len([line for line in BLOCKS[0].splitlines() if line]) <= 10


def test_the_document_names_every_event_and_every_status() -> None:
    events, statuses = DOCUMENT.split("## Events")[1].split("Status of an order: ")
    of_order, of_payment = statuses.split("Another word")[0].split("Status of a payment: ")

    def codes(text: str) -> set[str]:
        return set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`(.*?)`", text, re.DOTALL))))

    assert set(re.findall(r"`(\w+\.\w+)`", events)) == set(contract.MODELS)
    assert codes(of_order) == set(words.ORDER_STATES)
    assert codes(of_payment) == set(words.PAYMENT_STATES)


def test_the_schema_is_published_and_describes_every_event(client: Client, db: None) -> None:
    answer = client.get("/hooks/schema.json")

    schema = json.loads(answer.content)
    parts = [schema["$defs"][part["$ref"].rpartition("/")[2]] for part in schema["oneOf"]]
    types = [part["properties"]["type"] for part in parts]
    told = {kind for one in types for kind in one.get("enum", [one.get("const")])}
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/schema+json")
    assert told == set(contract.MODELS)
    order = schema["$defs"]["Order"]
    assert set(order["required"]) == {"id", "status", "currency", "total", "placed_at", "updated_at"}
    assert client.post("/hooks/schema.json").status_code == 405
