"""What passed the signature is always kept, and never guessed at (T15-T21, T24-T28)."""

import json
import os
import resource
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from recoup.core import attention
from recoup.core.models import AttentionItem, InboxItem
from recoup.customers.models import ConsentEvent
from recoup.hooks.apply import apply_waiting
from recoup.orders.models import Cart, Order
from recoup.payments.models import Attempt
from recoup.shops.models import Shop, Source
from recoup.shops.reasons import words
from tests.factories.moments import NOW
from tests.factories.shops import make_shop, make_source
from tests.hooks.calls import body_of, order_data, send, send_woo

LATE = "2099-01-01T00:00:00Z"


def ended(
    client: Client, source: Source, raw: bytes, content_type: str = "application/json"
) -> tuple[int, str, str]:
    """Send a body, let the worker look at it, and return the answer's status, the item's state and its reason."""
    answer = send(client, source, raw, content_type=content_type)
    apply_waiting()
    item = InboxItem.objects.latest("id")
    assert bytes(item.raw) == raw
    return answer.status_code, item.state, item.reason


def order_with(**values: Any) -> bytes:
    """Return the body of an order with some fields replaced."""
    return body_of("order.updated", **order_data(**values))


def orders() -> list[tuple[str, Decimal, str]]:
    """Return reference, total and currency of every order."""
    with scopes_disabled():
        return list(Order.objects.order_by("id").values_list("ref", "total", "currency"))


def test_t15_body_100000_brackets_deep_is_quarantined(client: Client, source: Source) -> None:
    assert ended(client, source, b"[" * 100_000) == (200, "quarantined", "too_deep: 64")
    assert ended(client, source, b'{"a":' * 65 + b"1" + b"}" * 65) == (200, "quarantined", "too_deep: 64")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("9" * 5000, "bad_number: data.total: 99999999999999999999… (5000)"),
        ("NaN", "bad_number: data.total: NaN"),
        ("-Infinity", "bad_number: data.total: -Infinity"),
        ("1e999", "bad_number: data.total: 1e999"),
    ],
)
def test_t16_number_that_is_none_is_quarantined_with_its_field(
    client: Client, source: Source, number: str, reason: str
) -> None:
    raw = order_with(total="@").replace(b'"@"', number.encode())

    assert ended(client, source, raw) == (200, "quarantined", reason)
    assert orders() == []


def test_t17_doubled_key_is_quarantined(client: Client, source: Source) -> None:
    raw = order_with().replace(b'"total": "149.00"', b'"total": 1, "total": 100000')

    assert ended(client, source, raw) == (200, "quarantined", "duplicate_key: total")
    assert orders() == []


def test_t18_odd_letters_are_cleaned_and_the_raw_body_is_kept(client: Client, source: Source) -> None:
    name = "Ann\\u0000a \\ud800No\\u202ewak" + "x" * 1_000_0
    raw = order_with().replace(b"Anna Nowak", name.encode())

    assert ended(client, source, raw) == (200, "applied", "")
    with scopes_disabled():
        contact = Order.objects.select_related("contact").get().contact
    assert contact is not None
    assert contact.name == "Anna ?Nowak" + "x" * (200 - 11)


def test_t18_name_of_a_megabyte_is_cut(client: Client, source: Source) -> None:
    raw = order_with().replace(b"Anna Nowak", b"A" * 1_000_000)

    assert ended(client, source, raw) == (200, "applied", "")
    with scopes_disabled():
        contact = Order.objects.select_related("contact").get().contact
    assert contact is not None
    assert contact.name == "A" * 200


@pytest.mark.parametrize(
    "total", ["10,00", "10.005", "-1", "-0", "1e3", "1 000.00", "0x10", "", None, True, []]
)
def test_t19_amount_that_is_none_is_quarantined(client: Client, source: Source, total: object) -> None:
    status, state, reason = ended(client, source, order_with(total=total))

    assert (status, state) == (200, "quarantined")
    assert reason.startswith(("bad_amount: total: ", "bad_field: data.total: "))
    assert orders() == []


@pytest.mark.parametrize(
    ("currency", "total", "kept"),
    [
        ("JPY", "10.50", None),
        ("JPY", "1050", "1050"),
        ("KWD", "1.234", "1.234"),
        ("PLN", "149", "149.00"),
        ("PLN", "149.500", "149.50"),
    ],
)
def test_t19_places_are_those_of_the_currency(
    client: Client, source: Source, currency: str, total: str, kept: str | None
) -> None:
    _, state, _ = ended(client, source, order_with(currency=currency, total=total, items=[]))

    assert state == ("applied" if kept else "quarantined")
    assert orders() == ([("A1", Decimal(kept), currency)] if kept else [])


def test_t19_number_of_json_is_read_exactly(client: Client, source: Source) -> None:
    raw = order_with(total="@").replace(b'"@"', b"1499.90")

    assert ended(client, source, raw) == (200, "applied", "")
    assert orders() == [("A1", Decimal("1499.90"), "EUR")]


@pytest.mark.parametrize(
    ("currency", "state"),
    [("pln", "applied"), ("xxx", "quarantined"), ("", "quarantined"), (5, "quarantined")],
)
def test_t20_currency(client: Client, source: Source, currency: object, state: str) -> None:
    assert ended(client, source, order_with(currency=currency))[:2] == (200, state)


def test_t21_unknown_type_is_kept_as_not_used(client: Client, source: Source) -> None:
    assert ended(client, source, body_of("order.exploded", id="A1")) == (
        200,
        "unused",
        "unknown_topic: order.exploded",
    )


def test_t21_more_fields_than_we_know_are_no_error(client: Client, source: Source) -> None:
    raw = body_of("order.updated", **order_data(), invented={"deep": [1, 2]}).replace(
        b'{"type"', b'{"version": 9, "type"'
    )

    assert ended(client, source, raw) == (200, "applied", "")


def test_t21_unknown_status_is_kept_and_changes_nothing_else(client: Client, source: Source) -> None:
    assert ended(client, source, order_with(status="levitating")) == (200, "applied", "")

    with scopes_disabled():
        order = Order.objects.get()
    assert (order.raw_state, order.shop_state, order.payment_state, order.status) == (
        "levitating",
        "unknown",
        "owed",
        "new",
    )


def test_t21_unknown_status_reminds_nobody_and_asks_a_person_once(client: Client, source: Source) -> None:
    ended(client, source, order_with(status="levitating"))
    attention.settle("orders.unknown_status", shop_id=source.shop_id, key=f"{source.pk}:levitating", now=NOW)
    ended(client, source, body_of("order.updated", **order_data("A2", status="levitating")))

    with scopes_disabled():
        assert list(Order.objects.values_list("check_at", flat=True)) == [None, None]
        assert list(AttentionItem.objects.values_list("kind", "details")) == [
            ("orders.unknown_status", {"source": "Own checkout", "status": "levitating"})
        ]


def test_t21_unknown_status_with_a_date_of_payment_is_paid(client: Client, source: Source) -> None:
    ended(client, source, order_with(status="completed", paid_at="2026-11-02T09:05:00+01:00"))

    with scopes_disabled():
        assert list(Order.objects.values_list("payment_state", "status", "check_at")) == [
            ("paid", "completed", None)
        ]
        assert AttentionItem.objects.count() == 0


def test_t21_unknown_topic_of_woocommerce_is_kept_as_not_used(client: Client, shop: Shop) -> None:
    source = make_source(shop, kind="woocommerce")

    answer = send_woo(client, source, b'{"action":"x","arg":"y"}', "action.woocommerce_add_to_cart")
    apply_waiting()

    item = InboxItem.objects.get()
    assert (answer.status_code, item.state, item.reason) == (
        200,
        "unused",
        "unknown_topic: action.woocommerce_add_to_cart",
    )


@pytest.mark.parametrize(
    "raw", [b"", b"not json at all", b'"text"', b"[]", b"null", b'{"id":', b"\xff\xfe{}"]
)
def test_unreadable_body_of_woocommerce_is_quarantined(client: Client, shop: Shop, raw: bytes) -> None:
    source = make_source(shop, kind="woocommerce")

    answer = send_woo(client, source, raw, "order.updated")
    apply_waiting()

    states = list(InboxItem.objects.values_list("state", "peek_failed"))
    assert (answer.status_code, states) == ((200, [("quarantined", True)]) if raw else (400, []))


def test_error_of_the_rest_api_is_quarantined_with_its_code(client: Client, shop: Shop) -> None:
    source = make_source(shop, kind="woocommerce")
    raw = b'{"code":"woocommerce_rest_cannot_view","message":"Sorry, you cannot view this.","data":{"status":401}}'

    send_woo(client, source, raw, "order.updated")
    apply_waiting()

    item = InboxItem.objects.get()
    assert (item.state, item.reason) == (
        "quarantined",
        "rest_error: woocommerce_rest_cannot_view: Sorry, you cannot view this.",
    )


def test_t24_older_version_changes_nothing(client: Client, source: Source) -> None:
    ended(client, source, order_with(total="150.00", updated_at="2026-11-02T11:00:00Z"))
    ended(client, source, order_with(total="140.00", updated_at="2026-11-02T10:00:00Z"))

    assert orders() == [("A1", Decimal("150.00"), "EUR")]


def test_t24_equal_version_is_compared_by_content(client: Client, shop: Shop) -> None:
    """Whichever of two bodies of the same second comes last, the same one counts."""
    bodies = [order_with(total=total) for total in ("140.00", "150.00")]
    found = []
    for ordered in (bodies, bodies[::-1], [*bodies, bodies[0]]):
        source = make_source(make_shop())
        for raw in ordered:
            ended(client, source, raw)
        with scopes_disabled():
            found.append(Order.objects.get(source=source).total)

    assert len(set(found)) == 1


def test_t24_version_of_the_year_2099_is_quarantined(client: Client, source: Source) -> None:
    status, state, reason = ended(client, source, order_with(updated_at="2099-01-01T00:00:00Z"))

    assert (status, state, reason) == (
        200,
        "quarantined",
        "in_the_future: version_at: 2099-01-01 00:00 UTC",
    )
    assert orders() == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        (
            {"payments": [{"id": "p1", "status": "succeeded", "amount": "149.00", "at": LATE}]},
            "payments.0.at",
        ),
        ({"refunds": [{"id": "r1", "amount": "9.00", "at": LATE}]}, "refunds.0.at"),
        ({"status": "paid", "paid_at": LATE}, "paid_at"),
        (
            {"customer": {"email": "a@b.pl", "marketing": {"consent": False, "at": LATE}}},
            "customer.marketing.at",
        ),
    ],
)
def test_t24_any_instant_of_the_year_2099_is_quarantined(
    client: Client, source: Source, values: dict[str, Any], field: str
) -> None:
    reason = f"in_the_future: {field}: 2099-01-01 00:00 UTC"

    assert ended(client, source, order_with(**values)) == (200, "quarantined", reason)


def test_t24_what_a_clock_ahead_tells_counts_from_now(client: Client, source: Source) -> None:
    """Local time marked as UTC: a withdrawal counts at once, and told again brings nothing back."""
    ahead = {"at": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}
    for given in (True, True, False, True):
        customer = {"email": "anna@example.com", "marketing": {"consent": given, **ahead}}
        payment = {"id": "p1", "status": "succeeded", "amount": "149.00", **ahead}
        placed = {"customer": customer, "payments": [payment]}
        ended(client, source, order_with(**placed))

    with scopes_disabled():
        events = ConsentEvent.objects.order_by("id")
        assert [(one.is_given, one.became_true_at == one.learnt_at) for one in events] == [
            (True, True),
            (False, True),
        ]
        order = Order.objects.get()
    assert (order.payment_state, order.paid_at) == ("paid", order.paid_learnt_at)


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-11-02", "2026-11-02T10:00:00", 1793613600, "0001-01-01T00:00:00+14:00"]
)
def test_time_without_zone_or_sense_is_quarantined(client: Client, source: Source, moment: object) -> None:
    assert ended(client, source, order_with(updated_at=moment))[1] == "quarantined"


def test_t25_payment_for_an_order_of_another_shop_does_nothing_there(client: Client, source: Source) -> None:
    other = make_source(make_shop())
    ended(client, other, order_with())
    payment = {
        "id": "pay-1",
        "order_id": "A1",
        "status": "succeeded",
        "amount": "149.00",
        "currency": "EUR",
        "at": "2026-11-02T09:30:00Z",
    }

    send(client, source, body_of("payment.succeeded", **payment))
    apply_waiting()
    item = InboxItem.objects.get(source_id=source.pk)
    assert (item.state, item.waits_for) == ("new", "A1")
    apply_waiting(now=item.received_at + timedelta(hours=25))

    item.refresh_from_db()
    with scopes_disabled():
        assert not Attempt.objects.exists()
        assert Order.objects.get().payment_state == "owed"
    assert (item.state, item.reason) == ("quarantined", "order_unknown: A1")
    assert list(AttentionItem.objects.values_list("shop_id", "kind")) == [
        (source.shop_id, "hooks.quarantined")
    ]


def test_t26_test_event_on_a_live_source_is_not_applied(client: Client, source: Source) -> None:
    raw = order_with().replace(b'{"type"', b'{"test": true, "type"')

    assert ended(client, source, raw) == (200, "unused", "test_event")
    assert orders() == []


def test_t26_live_event_on_a_test_source_is_not_applied(client: Client, shop: Shop) -> None:
    source = make_source(shop, options={"mode": "test"})
    raw = order_with().replace(b'{"type"', b'{"test": true, "type"')

    assert ended(client, source, order_with()) == (200, "unused", "live_event")
    assert ended(client, source, raw) == (200, "applied", "")
    with scopes_disabled():
        assert list(Order.objects.values_list("is_test", "check_at")) == [(True, None)]


def test_t27_entities_are_never_resolved(client: Client, source: Source) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]><x>&l29;</x>'.encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    unsigned = send(client, source, bomb, webhook_signature="absent")
    status, state, reason = ended(client, source, bomb)

    assert (unsigned.status_code, status, state) == (401, 200, "quarantined")
    assert reason.startswith("not_json: ")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"status=paid&status=failed", "repeated_field: status"),
        (b"status=paid&id=1", "form_body"),
    ],
)
def test_t28_form_is_quarantined(client: Client, source: Source, raw: bytes, reason: str) -> None:
    content_type = "application/x-www-form-urlencoded"

    assert ended(client, source, raw, content_type=content_type) == (200, "quarantined", reason)
    assert ended(client, source, raw + b" ")[2] in {reason, "repeated_field: status", "form_body"}


def test_cart_is_recorded_and_emptied(client: Client, source: Source) -> None:
    cart = {
        "id": "C1",
        "currency": "EUR",
        "total": "99.00",
        "updated_at": "2026-11-02T09:00:00Z",
        "customer": {"email": "anna@example.com"},
        "items": [{"product_id": "cream", "name": "Cream", "quantity": 1, "unit_price": "99.00"}],
        "url": "https://shop.example/cart/C1",
    }

    assert ended(client, source, body_of("cart.created", **cart)) == (200, "applied", "")
    gone = body_of("cart.deleted", id="C1", deleted_at="2026-11-02T09:30:00Z")
    assert ended(client, source, gone) == (200, "applied", "")

    with scopes_disabled():
        kept = Cart.objects.get()
    assert (kept.ref, kept.state, kept.total, kept.url) == ("C1", "emptied", Decimal("0"), "")


def test_every_reason_has_words(client: Client, source: Source) -> None:
    for raw in (b"[" * 100, b"{}", order_with(total="x"), order_with(currency="y")):
        reason = ended(client, source, raw)[2]
        assert words(reason) != reason


def test_random_bytes_never_break_the_door(client: Client, source: Source) -> None:
    good = order_with()
    started = time.process_time()
    for number in range(150):
        junk = bytearray(good if number % 2 else os.urandom(300))
        for _ in range(5):
            junk[int.from_bytes(os.urandom(2), "big") % len(junk)] = os.urandom(1)[0]
        assert send(client, source, bytes(junk)).status_code == 200
    apply_waiting(1000)

    assert set(InboxItem.objects.values_list("state", flat=True)) <= {"applied", "quarantined", "unused"}
    assert not InboxItem.objects.filter(reason__startswith="unexpected").exists()
    assert time.process_time() - started < 30


def test_every_field_replaced_by_nonsense_never_ends_unexpectedly(client: Client, source: Source) -> None:
    event = json.loads(order_with())
    for path in _paths(event["data"]):
        for nonsense in NONSENSE:
            changed = json.loads(json.dumps(event))
            _put(changed["data"], path, nonsense)
            send(client, source, json.dumps(changed).encode())
    apply_waiting(10_000)

    reasons = InboxItem.objects.exclude(state="applied").values_list("state", "reason")
    assert [reason for reason in reasons if reason[0] == "new" or reason[1].startswith("unexpected")] == []


NONSENSE: tuple[Any, ...] = (None, [], {}, "", -1, 1e10, "\u0000", "x" * 5000, True, [[]], {"a": 1})


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for key, inner in pairs:
        found += _paths(inner, (*path, key))
    return found


def _put(value: Any, path: tuple[Any, ...], what: Any) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = what
