"""Whatever order news arrives in, and however often, one state comes out (R3, R4, T22, T23)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import combinations, pairwise, permutations
from typing import Any

import pytest
from django.db import transaction
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recoup.core import inbox
from recoup.core.models import AttentionItem, InboxItem, OutboxEvent
from recoup.hooks.apply import Outcome, apply_item, apply_waiting
from recoup.integrations.woocommerce import webhook as woo_webhook
from recoup.orders.models import Cart, Order
from recoup.payments.models import Attempt, Refund
from recoup.shops.adapters import platform
from recoup.shops.models import Shop, Source
from tests.factories.moments import HOUR, NOW
from tests.factories.shops import make_source
from tests.hooks.calls import body_of, order_data
from tests.support.sizes import how_many


def at(hour: int) -> str:
    """Return an instant of the story."""
    return (NOW + timedelta(hours=hour)).isoformat()


def payment(ref: str, status: str, hour: int, **values: Any) -> dict[str, Any]:
    """Return an attempt over the whole order."""
    return {"id": ref, "status": status, "amount": "149.00", "at": at(hour), **values}


def told_payment(ref: str, status: str, hour: int, **values: Any) -> bytes:
    """Return the body of a payment that names its order."""
    return body_of("payment.updated", **payment(ref, status, hour), order_id="A1", currency="EUR", **values)


def told_order(hour: int, **values: Any) -> bytes:
    """Return the body of the order as it was at an hour."""
    return body_of("order.updated", **order_data(placed_at=at(0), updated_at=at(hour), **values))


MONEY = (
    told_order(0),
    told_payment("p1", "failed", 1, failure_class="soft", failure_code="insufficient_funds"),
    told_payment("p2", "succeeded", 2),
    told_order(3, status="paid", paid_at=at(2), payments=[payment("p2", "succeeded", 2)]),
    body_of(
        "refund.created", id="r1", order_id="A1", amount="49.00", currency="EUR", at=at(4), payment_id="p2"
    ),
    told_payment("p2", "failed", 5),
)
CART = {
    "id": "C1",
    "currency": "EUR",
    "total": "149.00",
    "customer": {"email": "anna@example.com"},
    "items": [{"product_id": "cream", "name": "Cream", "quantity": 1, "unit_price": "149.00"}],
}
LIFE = (
    body_of("cart.created", **CART, updated_at=at(-2)),
    body_of("cart.updated", **{**CART, "total": "100.00"}, updated_at=at(-1)),
    told_order(0, cart_id="C1"),
    told_order(1, cart_id="C1", total="139.00", status="cancelled", cancelled_at=at(1)),
    told_order(2, cart_id="C1", total="129.00", status="on_hold", is_offline_payment=True),
    body_of("order.deleted", id="A1", deleted_at=at(3)),
)


def kept(source: Source, raw: bytes, number: int, received_at: datetime) -> int:
    """Keep a body as the door does, with the topic of WooCommerce in front of it if there is one."""
    headers = {"webhook-id": f"evt-{number}"}
    if source.kind == "woocommerce":
        topic, _, raw = raw.partition(b"|")
        headers = {"x-wc-webhook-topic": topic.decode()}
    peek = platform(source.kind).peek(raw, headers)
    call = inbox.Call(
        shop_id=source.shop_id,
        source_kind=inbox.SHOP,
        source_id=source.pk,
        event_id=peek.event_id,
        raw=raw,
        headers=headers,
        topic=peek.topic,
        subject_refs=peek.subject_refs,
        received_at=received_at,
    )
    return inbox.keep(call).item_id


def settled_state() -> dict[str, Any]:
    """Return everything that must not depend on the order of arrival; when we learnt it may."""
    with scopes_disabled():
        orders = Order.objects.order_by("id").values_list(
            "ref",
            "number",
            "status",
            "payment_state",
            "total",
            "captured",
            "refunded",
            "shop_state",
            "paid_at",
            "cancelled_at",
            "cancel_reason",
            "check_at",
            "is_offline_method",
            "version_at",
            "cart_ref",
            "contact__email",
        )
        return {
            "orders": list(orders),
            "attempts": sorted(
                Attempt.objects.values_list("ref", "state", "amount", "settled_at", "failure_class")
            ),
            "refunds": sorted(Refund.objects.values_list("ref", "amount", "became_true_at")),
            "carts": list(
                Cart.objects.order_by("id").values_list("ref", "state", "total", "order_ref", "check_at")
            ),
            "inbox": sorted(set(InboxItem.objects.values_list("state", "reason"))),
            "attention": sorted(AttentionItem.objects.values_list("kind", flat=True)),
        }


@contextmanager
def undone() -> Iterator[None]:
    """Let what happens inside be as if it had not."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


RECEIVED = NOW + 6 * HOUR


def until_nothing_is_due() -> None:
    """Let the worker go round an hour later: what was woken in one round is applied in the next."""
    for number in range(5):
        if not apply_waiting(now=RECEIVED + HOUR + timedelta(seconds=number)):
            return


# In the quick size, by how many have arrived: how far behind the first one the next is.
FOLLOWING = {1: 1, 2: 4}


def each_order(
    source: Source, events: tuple[bytes, ...], *, is_full: bool
) -> dict[str, list[tuple[int, ...]]]:
    """Try every order of arrival, sharing their beginnings, and return the states in which they ended.

    Six events have 720 orders: 1,956 applications instead of 4,320. In the quick size every event is the first once
    and two of the others follow it: 36 orders, among them any three events in each order, and any two side by side.
    """
    found: dict[str, list[tuple[int, ...]]] = {}

    def further(done: tuple[int, ...]) -> None:
        rest = [number for number in range(len(events)) if number not in done]
        if not rest:
            until_nothing_is_due()
            found.setdefault(json.dumps(settled_state(), default=str), []).append(done)
        if len(done) in FOLLOWING and not is_full:
            rest = [(done[0] + FOLLOWING[len(done)]) % len(events)]
        for number in rest:
            with undone():
                apply_item(kept(source, events[number], number, RECEIVED), now=RECEIVED)
                further((*done, number))

    further(())
    return found


def one_state(found: dict[str, list[tuple[int, ...]]], *, is_full: bool) -> None:
    """Assert that all orders ended alike; else name what differs, and an order that leads to each."""
    states = [json.loads(state) for state in found]
    differing = {
        key: [
            (state[key], orders[0], len(orders)) for state, orders in zip(states, found.values(), strict=True)
        ]
        for key in states[0]
        if any(state[key] != states[0][key] for state in states)
    }
    assert differing == {}
    [orders] = found.values()
    assert len(set(orders)) == len(orders) == (720 if is_full else 36)
    assert {three for order in orders for three in combinations(order, 3)} == set(permutations(range(6), 3))
    assert {two for order in orders for two in pairwise(order)} == set(permutations(range(6), 2))


@pytest.mark.faults
@pytest.mark.parametrize("events", [MONEY, LIFE], ids=["money", "life"])
def test_all_orders_of_six_events_end_alike(
    source: Source, events: tuple[bytes, ...], is_full_size: bool
) -> None:
    one_state(each_order(source, events, is_full=is_full_size), is_full=is_full_size)


def test_money_ends_paid_and_partly_refunded(source: Source) -> None:
    for number, raw in enumerate(MONEY):
        assert apply_item(kept(source, raw, number, RECEIVED), now=RECEIVED) is Outcome.APPLIED

    state = settled_state()
    order = state["orders"][0]
    assert (order[3], str(order[5]), str(order[6])) == ("partly_refunded", "149.0000", "49.0000")
    assert [(ref, state) for ref, state, *_ in state["attempts"]] == [("p1", "failed"), ("p2", "succeeded")]


@pytest.mark.parametrize(
    "told", [("succeeded", "refunded"), ("refunded", "succeeded"), ("refunded",)], ids=" ".join
)
def test_payment_told_as_refunded_is_given_back_and_never_recovered(
    source: Source, told: tuple[str, ...]
) -> None:
    """No refund names it: its state says all there is."""
    hours = {"succeeded": 2, "refunded": 4}
    raws = [told_order(0), *[told_payment("p1", state, hours[state]) for state in told]]
    for number, raw in enumerate(raws):
        apply_item(kept(source, raw, number, RECEIVED), now=RECEIVED)

    order = settled_state()["orders"][0]
    assert (order[3], str(order[5]), str(order[6])) == ("refunded", "149.0000", "149.0000")
    assert order[8] == NOW + timedelta(hours=min(hours[state] for state in told))
    received = OutboxEvent.objects.filter(kind="payments.PaymentReceived").count()
    assert received == (1 if told[0] == "succeeded" else 0)


@pytest.mark.parametrize("is_order_first", [True, False])
def test_payment_whose_operator_is_told_in_one_place_only_is_one(
    source: Source, is_order_first: bool
) -> None:
    named = payment("p1", "succeeded", 2, operator="stripe")
    raws = [told_order(3, payments=[named]), told_payment("p1", "succeeded", 2)]
    raws = [told_order(0), *(raws if is_order_first else raws[::-1])]
    for number, raw in enumerate(raws):
        apply_item(kept(source, raw, number, RECEIVED), now=RECEIVED)

    state = settled_state()
    assert (str(state["orders"][0][5]), len(state["attempts"]), state["attention"]) == ("149.0000", 1, [])
    with scopes_disabled():
        assert Attempt.objects.get().operator == "stripe"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_woocommerce_knows_one_payment_of_an_order_however_it_is_corrected(
    shop: Shop, order: tuple[int, ...]
) -> None:
    source = make_source(shop, kind="woocommerce")
    bodies = [
        woo("order.updated", 20, **PAID, transaction_id="typed wrong"),
        woo("order.updated", 30, **PAID, transaction_id="pi_1"),
        woo("order.updated", 40, **PAID, transaction_id="pi_1", payment_method="stripe_cc"),
    ]
    for number in order:
        apply_item(kept(source, bodies[number], number, RECEIVED), now=RECEIVED)

    state = settled_state()
    assert (str(state["orders"][0][5]), state["attention"]) == ("149.0000", [])
    with scopes_disabled():
        assert [(one.operator, one.ref) for one in Attempt.objects.all()] == [("stripe_cc", "pi_1")]


@pytest.mark.parametrize(("hour", "state"), [(0, "failed"), (2, "owed")])
def test_failure_is_over_while_a_newer_attempt_is_under_way(source: Source, hour: int, state: str) -> None:
    raws = [told_order(0), told_payment("p1", "failed", 1), told_payment("p2", "pending", hour)]
    for number, raw in enumerate(raws):
        apply_item(kept(source, raw, number, RECEIVED), now=RECEIVED)

    assert settled_state()["orders"][0][3] == state


def test_refund_that_names_no_payment_is_not_added_to_one_told_as_refunded(source: Source) -> None:
    both = [payment("p1", "refunded", 4), payment("p2", "succeeded", 2)]
    refund = {"id": "r1", "amount": "149.00", "at": at(4)}
    apply_item(kept(source, told_order(5, payments=both, refunds=[refund]), 1, RECEIVED), now=RECEIVED)

    order = settled_state()["orders"][0]
    assert (order[3], str(order[5]), str(order[6])) == ("partly_refunded", "298.0000", "149.0000")


WOO_ORDER = {
    "id": 727,
    "number": "727",
    "status": "pending",
    "currency": "EUR",
    "total": "149.00",
    "date_created_gmt": "2026-11-02T08:00:00",
    "date_modified_gmt": "2026-11-02T08:00:00",
    "date_paid_gmt": None,
    "payment_method": "stripe",
    "transaction_id": "",
    "billing": {"email": "anna@example.com", "first_name": "Anna", "last_name": "Nowak"},
    "line_items": [
        {"id": 1, "product_id": 5, "name": "Cream", "quantity": 1, "total": "149.00", "total_tax": "0"}
    ],
    "refunds": [],
}


def woo(topic: str, second: int, **values: Any) -> bytes:
    """Return an event of WooCommerce: its topic, a bar, its body."""
    changed = {**WOO_ORDER, "date_modified_gmt": f"2026-11-02T08:00:{second:02d}", **values}
    return topic.encode() + b"|" + json.dumps(changed).encode()


PAID = {"date_paid_gmt": "2026-11-02T08:00:20", "status": "processing"}
WOO = (
    woo("order.created", 0),
    woo("order.updated", 10, status="failed"),
    woo("order.updated", 20, **PAID),  # the transaction is written a moment later, in the same second
    woo("order.updated", 20, **PAID, transaction_id="pi_1"),
    woo(
        "order.updated",
        40,
        **PAID,
        transaction_id="pi_1",
        refunds=[{"id": 9, "reason": "", "total": "-49.00"}],
    ),
    woo(
        "order.updated",
        50,
        **{**PAID, "status": "completed"},
        transaction_id="pi_1",
        refunds=[{"id": 9, "reason": "", "total": "-49.00"}],
    ),
)


@pytest.mark.faults
def test_all_orders_of_woocommerce_end_alike(shop: Shop, is_full_size: bool) -> None:
    found = each_order(make_source(shop, kind="woocommerce"), WOO, is_full=is_full_size)

    one_state(found, is_full=is_full_size)
    only = json.loads(next(iter(found)))
    assert [(ref, state) for ref, state, *_ in only["attempts"]] == [
        ("failed:727:20261102080010", "failed"),
        ("pi_1", "succeeded"),
    ]
    assert only["attention"] == []


@pytest.mark.faults
@pytest.mark.usefixtures("db")
@settings(
    max_examples=how_many(5, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(numbers=st.lists(st.integers(0, 11), min_size=8, max_size=24))
def test_random_longer_orders_with_repeats_end_alike(shop: Shop, numbers: list[int]) -> None:
    events = MONEY + LIFE
    once = sorted(set(numbers))
    found = []
    for sequence in (numbers, once, once[::-1]):
        with undone():
            source = make_source(shop)
            for number in sequence:
                apply_item(kept(source, events[number], number, RECEIVED), now=RECEIVED)
            until_nothing_is_due()
            state = settled_state()
            del state["attention"]  # what a person was shown on the way may differ; what is true may not
            found.append(state)

    assert found[0] == found[1] == found[2]


def test_corrected_address_counts_whatever_came_first(source: Source) -> None:
    wrong = told_order(0, customer={"email": "ana@example.com"})
    right = told_order(1, customer={"email": "anna@example.com"})
    for events in ((wrong, right), (right, wrong)):
        with undone():
            for number, raw in enumerate(events):
                apply_item(kept(source, raw, number, RECEIVED), now=RECEIVED)
            assert settled_state()["orders"][0][-1] == "anna@example.com"


def test_t22_payment_failed_after_paid_stays_paid(source: Source) -> None:
    for number, raw in enumerate(
        (told_order(0), told_payment("p1", "succeeded", 1), told_payment("p1", "failed", 2))
    ):
        apply_item(kept(source, raw, number, RECEIVED), now=RECEIVED)

    assert settled_state()["orders"][0][3] == "paid"


def test_t22_second_payment_is_looked_at_as_double(source: Source) -> None:
    events = (told_order(0), told_payment("p1", "succeeded", 1), told_payment("p2", "succeeded", 2))
    for number, raw in enumerate(events):
        apply_item(kept(source, raw, number, RECEIVED), now=RECEIVED)

    state = settled_state()
    assert (state["orders"][0][3], state["attention"]) == (
        "paid",
        ["payments.double_payment"],
    )


def test_t23_refund_before_its_payment_waits_for_both(source: Source) -> None:
    refund, paid, order = MONEY[4], MONEY[2], MONEY[0]

    refund_id = kept(source, refund, 1, RECEIVED)
    assert apply_item(refund_id, now=RECEIVED) is Outcome.POSTPONED
    assert apply_item(kept(source, order, 2, RECEIVED), now=RECEIVED) is Outcome.APPLIED
    assert apply_waiting(now=RECEIVED) == 1  # woken by the order, and still before its payment
    assert InboxItem.objects.get(pk=refund_id).state == "new"
    apply_item(kept(source, paid, 3, RECEIVED), now=RECEIVED)
    assert apply_waiting(now=RECEIVED) == 1

    assert settled_state()["orders"][0][3] == "partly_refunded"


def test_t23_what_waits_a_day_is_quarantined_and_shown(source: Source) -> None:
    item_id = kept(source, MONEY[2], 1, RECEIVED)

    assert apply_item(item_id, now=RECEIVED + 23 * HOUR) is Outcome.POSTPONED
    assert apply_waiting(now=RECEIVED + 23 * HOUR + timedelta(minutes=20)) == 0
    assert apply_waiting(now=RECEIVED + 25 * HOUR) == 1

    item = InboxItem.objects.get(pk=item_id)
    assert (item.state, item.reason) == ("quarantined", "order_unknown: A1")
    assert list(AttentionItem.objects.values_list("kind", "key")) == [
        ("hooks.quarantined", f"shop:{source.pk}")
    ]


def test_quarantined_item_is_applied_after_a_retry(source: Source) -> None:
    item_id = kept(source, MONEY[2], 1, RECEIVED)
    apply_item(item_id, now=RECEIVED + 25 * HOUR)
    apply_item(kept(source, MONEY[0], 2, RECEIVED), now=RECEIVED)

    later = RECEIVED + 26 * HOUR
    assert not inbox.retry(item_id, shop_id=source.shop_id + 1, now=later)
    assert inbox.retry(item_id, shop_id=source.shop_id, now=later)
    assert apply_waiting(now=later) == 1

    assert settled_state()["orders"][0][3] == "paid"
    assert not AttentionItem.objects.filter(settled_at=None).exists()
    with scopes_disabled():
        assert Order.objects.get().paid_learnt_at == later


def test_deletion_of_an_order_we_never_had_is_dropped_in_silence(source: Source) -> None:
    item_id = kept(source, LIFE[5], 1, RECEIVED)

    assert apply_item(item_id, now=RECEIVED) is Outcome.POSTPONED
    assert apply_item(item_id, now=RECEIVED + 25 * HOUR) is Outcome.UNUSED

    assert not AttentionItem.objects.exists()


def test_same_body_under_two_delivery_ids_is_one_event() -> None:
    raw = WOO[0].partition(b"|")[2]
    ids = {
        woo_webhook.peek(
            raw, {"x-wc-webhook-topic": "order.created", "x-wc-webhook-delivery-id": number}
        ).event_id
        for number in ("a", "b")
    }
    other = woo_webhook.peek(raw + b" ", {"x-wc-webhook-topic": "order.created"}).event_id

    assert (len(ids), other in ids) == (1, False)
