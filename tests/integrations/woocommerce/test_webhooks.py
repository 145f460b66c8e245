"""What WooCommerce calls with, from the ping of a saved webhook to a deleted order."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.catalog.models import Product
from recoup.core.models import InboxItem, OutboxEvent
from recoup.hooks import at_once, known, limits
from recoup.hooks.apply import apply_waiting
from recoup.orders.models import Order
from recoup.payments.models import Attempt
from recoup.shops.models import Source
from tests.factories.shops import make_shop, make_source
from tests.hooks.calls import send_woo
from tests.integrations.woocommerce.shop import Shop

DELIVERY = "x-wc-webhook-delivery-id"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(autouse=True)
def _fresh_door(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(at_once, "is_quiet", lambda: False)  # the worker applies, when the test says so
    known.forget()
    limits.forget()
    yield
    known.forget()


@pytest.fixture
def source() -> Source:
    return make_source(make_shop(), kind="woocommerce")


def told(client: Client, source: Source, topic: str, **body: Any) -> tuple[str, str]:
    """Send an event, apply it, and return the state and reason of what was kept."""
    assert send_woo(client, source, json.dumps(body).encode(), topic).status_code == 200
    apply_waiting()
    item = InboxItem.objects.latest("id")
    return item.state, item.reason


def order() -> dict[str, Any]:
    return Shop(url="https://shop.example").add_order(727)


@pytest.mark.parametrize("kind", ["woocommerce", "generic"])
def test_the_ping_is_answered_and_keeps_nothing(client: Client, kind: str) -> None:
    """WooCommerce sends it unsigned when a webhook is saved, and keeps the hook off unless it is answered 200."""
    source = make_source(make_shop(), kind=kind)

    ping = client.post(f"/hooks/{source.key}", data=b"webhook_id=12", content_type=FORM)

    assert ping.status_code == (200 if kind == "woocommerce" else 401)
    assert InboxItem.objects.count() == 0


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"webhook_id=12&status=paid", FORM),
        (b"webhook_id=x", FORM),
        (b"webhook_id=12", "application/json"),
        (b'{"webhook_id": 12}', "application/json"),
    ],
)
def test_what_only_looks_like_a_ping_is_refused(
    client: Client, source: Source, raw: bytes, content_type: str
) -> None:
    answer = client.post(f"/hooks/{source.key}", data=raw, content_type=content_type)

    assert (answer.status_code, InboxItem.objects.count()) == (401, 0)


def test_an_order_comes_in_whole(client: Client, source: Source) -> None:
    body = order() | {
        "payment_method": "bacs",
        "meta_data": [{"id": 1, "key": "wpml_language", "value": "pl"}],
        "billing": {
            "first_name": "Anna",
            "last_name": "Nowak",
            "email": "Anna@Example.com",
            "phone": "600 100 200",
            "country": "PL",
        },
    }

    assert told(client, source, "order.created", **body) == ("applied", "")

    with scopes_disabled():
        found = Order.objects.select_related("contact").get()
        names = list(found.lines.values_list("name", "total"))
    assert found.contact is not None
    assert (found.contact.name, found.contact.email, found.contact.phone) == (
        "Anna Nowak",
        "anna@example.com",
        "+48600100200",
    )
    assert (found.number, found.locale, found.is_offline_method, found.pay_url) == (
        "727",
        "pl",
        True,
        body["payment_url"],
    )
    assert [(name, str(total)) for name, total in names] == [("Cream", "149.0000")]


@pytest.mark.parametrize(
    ("status", "method", "needs_payment", "is_looked_at", "has_link"),
    [
        ("pending", "stripe", True, True, True),
        ("on-hold", "bacs", False, True, False),
        ("processing", "cod", False, False, False),  # the courier takes the money
    ],
)
def test_what_no_link_can_pay_has_none_and_what_the_courier_takes_is_not_chased(
    client: Client,
    source: Source,
    status: str,
    method: str,
    needs_payment: bool,
    is_looked_at: bool,
    has_link: bool,
) -> None:
    body = order() | {"status": status, "payment_method": method, "needs_payment": needs_payment}
    told(client, source, "order.created", **body)

    with scopes_disabled():
        found = Order.objects.get()
    assert (found.check_at is not None, bool(found.pay_url)) == (is_looked_at, has_link)


def test_a_deleted_order_is_cancelled_and_keeps_its_history(client: Client, source: Source) -> None:
    told(client, source, "order.created", **order())

    assert told(client, source, "order.deleted", id=727) == ("applied", "")

    with scopes_disabled():
        assert list(Order.objects.values_list("status", "cancel_reason", "check_at")) == [
            ("cancelled", "source: deleted", None)
        ]


def test_an_order_that_is_deleted_a_second_time_is_cancelled_again(client: Client, source: Source) -> None:
    """Its body is the same each time; the clock of the shop runs ahead of ours."""
    ahead = datetime.now(UTC) + timedelta(hours=2)
    body, gone = order(), json.dumps({"id": 727}).encode()
    told(client, source, "order.created", **body)
    send_woo(client, source, gone, "order.deleted", **{DELIVERY: "1"})
    apply_waiting()
    told(client, source, "order.restored", **body | {"date_modified_gmt": f"{ahead:%Y-%m-%dT%H:%M:%S}"})
    with scopes_disabled():
        assert Order.objects.get().status == "new"

    for _ in range(2):
        send_woo(client, source, gone, "order.deleted", **{DELIVERY: "2"})
    apply_waiting()

    with scopes_disabled():
        assert Order.objects.get().status == "cancelled"
    assert InboxItem.objects.filter(topic="order.deleted").count() == 2


@pytest.mark.parametrize(
    ("story", "state", "failures", "news"),
    [
        (["failed", "failed"], "failed", 1, 1),  # a note was added: the same failure
        (["failed", "on-hold"], "on_hold", 1, 1),  # the card failed, the buyer chose a transfer
        (["failed", "pending"], "owed", 1, 1),
        (["failed", "pending", "failed", "failed"], "failed", 2, 2),  # declined a second time
    ],
)
def test_failure_lasts_until_the_shop_says_otherwise(
    client: Client, source: Source, story: list[str], state: str, failures: int, news: int
) -> None:
    for minute, status in enumerate(story):
        changed = {"status": status, "date_modified_gmt": f"2026-11-02T12:{minute:02d}:00"}
        told(client, source, "order.updated", **order() | changed)

    with scopes_disabled():
        found = Order.objects.get()
        assert (found.payment_state, found.failure_class) == (state, "unknown" if state == "failed" else "")
        assert Attempt.objects.filter(state="failed").count() == failures
    assert OutboxEvent.objects.filter(kind="payments.PaymentFailed").count() == news


def test_a_whole_order_sent_again_as_deleted_deletes_nothing(client: Client, source: Source) -> None:
    """The topic is a header and not part of what is signed."""
    told(client, source, "order.created", **order())

    assert told(client, source, "order.deleted", **order()) == ("quarantined", "not_a_deletion")

    with scopes_disabled():
        assert Order.objects.get().status == "new"


def test_an_order_from_the_bin_is_alive_again(client: Client, source: Source) -> None:
    body = order()
    told(client, source, "order.updated", **body)
    told(
        client,
        source,
        "order.updated",
        **body | {"status": "trash", "date_modified_gmt": "2026-11-02T12:01:00"},
    )
    told(client, source, "order.restored", **body | {"date_modified_gmt": "2026-11-02T12:02:00"})

    with scopes_disabled():
        assert list(Order.objects.values_list("status", "cancelled_at")) == [("new", None)]


def test_products_are_known_changed_and_gone(client: Client, source: Source) -> None:
    shop = Shop(url="https://shop.example")
    shop.add_product(5)
    body = shop.products[5]

    told(client, source, "product.created", **body)
    told(
        client,
        source,
        "product.updated",
        **body | {"price": "59.00", "date_modified_gmt": "2026-11-02T12:01:00"},
    )
    with scopes_disabled():
        assert [str(price) for price in Product.objects.values_list("price", flat=True)] == ["59.0000"]
    told(client, source, "product.deleted", id=5)

    with scopes_disabled():
        assert list(Product.objects.values_list("name", "is_deleted", "is_available")) == [
            ("Product 5", True, False)
        ]


@pytest.mark.parametrize(
    ("values", "state", "is_completed"),
    [
        ({"status": "processing"}, "on_hold", False),  # cash on delivery: the money is awaited
        ({"status": "completed", "date_completed_gmt": "2026-11-02T12:00:00"}, "paid", True),
        ({"status": "processing", "date_paid_gmt": "2026-11-02T12:00:00"}, "paid", True),
        ({"status": "failed"}, "failed", False),
        ({"status": "wc-lent"}, "owed", False),
        ({"status": "shipped", "date_paid_gmt": "2026-11-02T12:00:00"}, "paid", True),  # a plugin's word
    ],
)
def test_words_of_woocommerce(
    client: Client, source: Source, values: dict[str, str], state: str, is_completed: bool
) -> None:
    told(client, source, "order.updated", **order() | values)

    with scopes_disabled():
        found = Order.objects.get()
    assert (found.payment_state, found.status == "completed") == (state, is_completed)
