"""What webhooks lost is found, whatever happens to the shop meanwhile (R6, F22-F24)."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django_scopes import scopes_disabled
from pytest_django import Settings

from recoup.core import inbox
from recoup.core.models import AttentionItem, InboxItem, OutboxEvent
from recoup.core.outbox import set_routes
from recoup.hooks import tasks
from recoup.hooks.apply import apply_item, apply_waiting
from recoup.hooks.ask import ask_source, askable_kinds
from recoup.hooks.pages import apply_page
from recoup.hooks.tasks import poll_sources
from recoup.integrations.woocommerce import orders, paging
from recoup.integrations.woocommerce.adapter import WooCommerce
from recoup.orders.events import OrderPlaced
from recoup.orders.models import Order
from recoup.recovery.asking import ask_due_orders
from recoup.recovery.detection import open_due_cases
from recoup.recovery.models import RecoveryCase
from recoup.shops import sources
from recoup.shops.adapters import platform
from recoup.shops.models import Shop as OurShop
from recoup.shops.models import Source
from recoup.shops.ports import SourceRefused, SourceUnavailable
from recoup.shops.snapshots import OrderSnapshot
from tests.factories.moments import DAY, HOUR, MINUTE, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_source
from tests.hooks.test_order_of_arrival import kept
from tests.integrations.woocommerce.shop import KEY, SECRET, Shop, serving
from tests.support.sizes import how_many

POLL = timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten rows a page instead of a hundred, of which one overlaps instead of ten."""
    monkeypatch.setattr(paging, "PAGE", 10)
    monkeypatch.setattr(paging, "STEP", 9)


@pytest.fixture
def woo(settings: Settings) -> Iterator[Shop]:
    """A shop that answers on this machine."""
    settings.IS_TEST = True
    settings.PUBLIC_URL = "https://recoup.example.com"
    with serving(Shop(now=NOW)) as shop:
        yield shop


@pytest.fixture
def connected(shop: OurShop, woo: Shop) -> Source:
    """Our source for it."""
    keys = json.dumps({"consumer_key": KEY, "consumer_secret": SECRET})
    source = make_source(
        shop, kind="woocommerce", base_url=woo.url, credentials=keys, live_since=NOW - DAY, secret="w" * 32
    )
    sources.register_hooks(source, now=NOW)
    woo.asked.clear()
    return source


def poll(woo: Shop, *, after: timedelta = POLL) -> int:
    """Let time pass and poll."""
    woo.now += after
    return poll_sources(now=woo.now)


def states() -> dict[str, str]:
    """Return what every order is thought to be."""
    with scopes_disabled():
        return dict(Order.objects.order_by("ref").values_list("ref", "payment_state"))


def test_orders_that_no_webhook_told_are_found(woo: Shop, connected: Source) -> None:
    woo.add_order(1)
    woo.add_order(2, status="processing", date_paid_gmt="2026-11-02T12:00:00", transaction_id="pi_2")
    assert poll(woo) == 2
    assert states() == {"1": "owed", "2": "paid"}

    woo.change_order(1, status="processing", date_paid_gmt="2026-11-02T12:05:00", transaction_id="pi_1")
    poll(woo)

    assert states() == {"1": "paid", "2": "paid"}


def test_a_poll_beats_before_each_page_for_a_slow_shop_holds_every_one_up(
    woo: Shop, connected: Source
) -> None:
    beats: list[int] = []

    poll_sources(now=woo.now + POLL, beat=lambda: beats.append(len(woo.asked)))

    assert beats == sorted(set(beats))
    assert len(beats) > 1


def test_nothing_is_polled_twice_within_its_time(woo: Shop, connected: Source) -> None:
    poll(woo)
    asked = len(woo.asked)

    assert poll(woo, after=4 * MINUTE) == 0
    assert len(woo.asked) == asked


def test_rows_of_one_second_and_rows_behind_the_last_page_are_all_found(woo: Shop, connected: Source) -> None:
    for number in range(1, 26):
        woo.add_order(number)
    poll(woo)
    assert len(states()) == 25

    woo.now += POLL
    for number in range(1, 26):  # a bulk edit: 25 rows in one second
        woo.change_order(number, status="on-hold")
    poll(woo)

    assert set(states().values()) == {"on_hold"}


def test_row_that_is_deleted_while_pages_are_read_hides_no_other(woo: Shop, connected: Source) -> None:
    for number in range(1, 16):
        woo.add_order(number)
    woo.vanish_after_page = 3

    poll(woo)

    assert len(states()) == 15


def test_what_is_fetched_wins_over_what_was_told_in_the_same_second(woo: Shop, connected: Source) -> None:
    """Two changes of one second: their webhooks came in any order, the older one perhaps after all."""

    def tell(total: str) -> None:
        body = json.dumps({**woo.orders[1], "total": total}).encode()
        apply_item(kept(connected, b"order.updated|" + body, 1, woo.now), now=woo.now)

    woo.add_order(1)
    found = []
    for total in ("139.00", "159.00"):
        for stale in ("129.00", "149.00"):
            tell(stale)
        woo.orders[1]["total"] = total
        poll(woo)
        tell("179.00")
        with scopes_disabled():
            found.append(str(Order.objects.get().total))

    assert found == ["139.0000", "159.0000"]


def test_row_written_late_is_found_by_the_overlap(woo: Shop, connected: Source) -> None:
    poll(woo)
    woo.now += POLL
    late = woo.add_order(7)
    late["date_modified_gmt"] = (woo.now - 8 * MINUTE).strftime("%Y-%m-%dT%H:%M:%S")

    poll(woo)

    assert states() == {"7": "owed"}


def test_bad_row_is_quarantined_and_the_others_are_taken(woo: Shop, connected: Source) -> None:
    woo.add_order(1)
    woo.add_order(2, total="14,90")
    woo.add_order(3)
    poll(woo)
    poll(woo)

    item = InboxItem.objects.get()
    assert sorted(states()) == ["1", "3"]
    assert (item.state, item.reason, item.subject_refs, item.topic) == (
        "quarantined",
        "bad_amount: total: 14,90 EUR",
        ["2"],
        "order.polled",
    )
    assert list(AttentionItem.objects.values_list("kind", flat=True)) == ["hooks.quarantined"]


def test_bad_row_can_be_retried_like_any_other(woo: Shop, connected: Source) -> None:

    woo.add_order(2, total="149.0000")
    woo.add_order(3, total="x")
    poll(woo)
    item = InboxItem.objects.get()
    InboxItem.objects.filter(pk=item.pk).update(raw=bytes(item.raw).replace(b'"x"', b'"10.00"'))

    assert inbox.retry(item.pk, shop_id=connected.shop_id, now=woo.now)
    apply_waiting(now=woo.now)

    assert sorted(states()) == ["2", "3"]


def test_row_that_cannot_be_applied_is_kept_for_the_worker_and_shown(woo: Shop, connected: Source) -> None:
    woo.add_order(1)
    woo.add_order(2)
    poll(woo)
    woo.change_order(1, currency="PLN")
    woo.change_order(2, status="on-hold")
    poll(woo)

    item = InboxItem.objects.get()
    assert (item.state, item.subject_refs, states()["2"]) == ("new", ["1"], "on_hold")
    apply_waiting(now=woo.now)
    poll(woo)

    item.refresh_from_db()
    assert (item.state, item.reason) == ("quarantined", "currency_changed: EUR before, PLN now")
    assert (InboxItem.objects.count(), AttentionItem.objects.get().kind) == (1, "hooks.quarantined")


def test_history_that_is_tried_again_is_still_history(woo: Shop, connected: Source) -> None:
    woo.now = NOW - 3 * DAY
    woo.add_order(2, total="x")
    woo.now = NOW
    sources.request_backfill(connected, since=NOW - 60 * DAY, now=NOW)
    poll(woo, after=timedelta(0))
    item = InboxItem.objects.get()
    InboxItem.objects.filter(pk=item.pk).update(raw=bytes(item.raw).replace(b'"x"', b'"10.00"'))

    inbox.retry(item.pk, shop_id=connected.shop_id, now=NOW + DAY)
    apply_waiting(now=NOW + DAY)

    with scopes_disabled():
        assert list(Order.objects.values_list("ref", "is_backfill", "check_at")) == [("2", True, None)]


def test_checkout_draft_is_no_order(woo: Shop, connected: Source) -> None:
    woo.add_order(1, status="checkout-draft")
    poll(woo)

    assert (states(), InboxItem.objects.count()) == ({}, 0)


def test_shop_that_is_away_is_broken_after_three_tries_and_heals(woo: Shop, connected: Source) -> None:
    woo.fault = "down"
    found = []
    for _ in range(3):
        poll(woo, after=2 * HOUR)
        connected.refresh_from_db()
        found.append((connected.state, connected.trouble))
    open_then = list(AttentionItem.objects.filter(settled_at=None).values_list("kind", "key"))
    woo.fault = ""
    woo.add_order(1)
    poll(woo, after=2 * HOUR)

    connected.refresh_from_db()
    assert found == [
        ("active", ""),
        ("active", ""),
        ("broken", "answer_status: 503 unavailable"),
    ]
    assert open_then == [("shops.source_broken", str(connected.pk))]
    assert (connected.state, connected.trouble, states()) == ("active", "", {"1": "owed"})
    assert not AttentionItem.objects.filter(settled_at=None).exists()


def test_what_nobody_foresaw_is_counted_and_shown_like_any_trouble(
    woo: Shop, connected: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_asked: object, **_more: object) -> None:
        raise TypeError("unhashable type: 'list'")

    monkeypatch.setattr(WooCommerce, "poll", broken)
    for _ in range(3):
        poll(woo, after=2 * HOUR)

    connected.refresh_from_db()
    assert (connected.state, connected.trouble.partition(":")[0]) == ("broken", "unexpected")
    assert list(AttentionItem.objects.values_list("kind", flat=True)) == ["shops.source_broken"]


def test_row_that_breaks_its_reader_hides_no_other(
    woo: Shop, connected: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = orders.read_order

    def odd(body: dict[str, Any]) -> OrderSnapshot:
        if body["id"] == 2:
            raise TypeError("unhashable type: 'list'")
        return read(body)

    monkeypatch.setattr(orders, "read_order", odd)
    for number in (1, 2, 3):
        woo.add_order(number)
    poll(woo)

    item = InboxItem.objects.get()
    assert (sorted(states()), item.state, item.subject_refs) == (["1", "3"], "quarantined", ["2"])
    assert item.reason.startswith("unexpected: ")


def test_pause_after_failures_grows(woo: Shop, connected: Source) -> None:
    woo.fault = "down"
    poll(woo)
    asked = len(woo.asked)

    poll(woo, after=6 * MINUTE)
    assert len(woo.asked) == asked
    poll(woo, after=6 * MINUTE)
    assert len(woo.asked) > asked


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [("redirect", "redirected: https://www.shop.example/"), ("no_api", "no_rest_api: 404 rest_no_route")],
)
def test_refusal_is_shown_at_once(woo: Shop, connected: Source, fault: str, trouble: str) -> None:
    woo.fault = fault
    poll(woo)

    connected.refresh_from_db()
    assert (connected.state, connected.trouble) == ("broken", trouble)


def test_broken_source_does_not_hold_up_another(woo: Shop, connected: Source, shop: OurShop) -> None:
    broken = make_source(shop, kind="woocommerce", base_url=woo.url, credentials="", live_since=NOW - DAY)
    woo.add_order(1)
    poll(woo)

    broken.refresh_from_db()
    assert (broken.state, broken.trouble, states()) == ("broken", "keys_missing", {"1": "owed"})


def test_paused_source_is_left_alone(woo: Shop, connected: Source) -> None:
    sources.set_paused(connected, is_paused=True, now=NOW)
    poll(woo)

    assert woo.asked == []


def test_switched_off_webhook_is_shown_until_it_is_mended(woo: Shop, connected: Source) -> None:
    next(iter(woo.webhooks.values()))["status"] = "disabled"
    del woo.webhooks[max(woo.webhooks)]
    poll(woo)
    shown = AttentionItem.objects.get()
    sources.register_hooks(connected, now=woo.now)
    poll(woo, after=2 * HOUR)

    assert (shown.kind, shown.details["trouble"]) == (
        "shops.hooks_disabled",
        "hook_disabled: order.created; hook_missing: product.restored",
    )
    shown.refresh_from_db()
    assert shown.settled_at is not None


def test_hooks_are_registered_once_with_the_secret(woo: Shop, connected: Source) -> None:
    sources.register_hooks(connected, now=NOW)

    rows = list(woo.webhooks.values())
    assert len(rows) == 8
    assert {(row["delivery_url"], row["secret"], row["status"]) for row in rows} == {
        (f"https://recoup.example.com/hooks/{connected.key}", "w" * 32, "active")
    }


def test_keys_that_may_only_read_cannot_register(woo: Shop, connected: Source) -> None:
    woo.fault = "read_only"

    with pytest.raises(SourceRefused, match="keys_refused: 401 woocommerce_rest_cannot_create"):
        sources.register_hooks(connected, now=NOW)


def test_history_is_fetched_and_announced_to_nobody(woo: Shop, connected: Source) -> None:
    set_routes({OrderPlaced: (lambda _news: None,)})
    woo.now = NOW - 30 * DAY
    for number in range(1, 14):
        woo.add_order(number)
    woo.add_product(5)
    woo.now = NOW
    sources.request_backfill(connected, since=NOW - 60 * DAY, now=NOW)

    poll(woo, after=timedelta(0))

    connected.refresh_from_db()
    state = sources.history_state(connected)
    assert state is not None
    assert (state["is_done"], state["rows"]) == (True, 15)  # one row is read twice, where pages overlap
    with scopes_disabled():
        assert set(Order.objects.values_list("is_backfill", "check_at")) == {(True, None)}
        assert Order.objects.count() == 13
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_outbox")
        assert cursor.fetchone() == (0,)
    set_routes({})


def test_order_placed_while_history_is_read_is_no_history(woo: Shop, connected: Source) -> None:
    """Its webhook is late, and the last page of history brings it first."""
    woo.add_order(1)
    page = platform("woocommerce").backfill(connected, {}, since=NOW - 60 * DAY)

    apply_page(connected, page, now=NOW, is_backfill=True)

    with scopes_disabled():
        assert list(Order.objects.values_list("is_backfill", "check_at")) == [(False, NOW + DAY)]
    assert OutboxEvent.objects.filter(kind="orders.OrderPlaced").count() == 1


def test_long_history_goes_on_in_the_next_round(
    woo: Shop, connected: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MOST_PAGES", 1)
    woo.now = NOW - 30 * DAY
    for number in range(1, 14):
        woo.add_order(number)
    woo.now = NOW
    sources.request_backfill(connected, since=NOW - 60 * DAY, now=NOW)

    rounds = [poll(woo, after=MINUTE) for _ in range(4)]

    assert rounds == [10, 4, 0, 0]
    with scopes_disabled():
        assert Order.objects.count() == 13


@pytest.mark.faults
def test_ten_percent_of_lost_webhooks_leave_no_wrong_order(woo: Shop, connected: Source) -> None:
    """Every tenth order is told by no webhook at all; one poll later all are right."""
    count = how_many(20, 60)
    for number in range(1, count + 1):
        paid = number % 3 == 0
        values = (
            {"status": "processing", "date_paid_gmt": "2026-11-02T12:00:00", "transaction_id": f"pi_{number}"}
            if paid
            else {}
        )
        woo.add_order(number, **values)
    for number, order in woo.orders.items():
        if number % 10:
            kept(connected, b"order.updated|" + json.dumps(order).encode(), number, NOW)
    apply_waiting(1000, now=NOW)
    assert len(states()) == count * 9 // 10

    poll(woo)

    assert states() == {str(n): "paid" if n % 3 == 0 else "owed" for n in range(1, count + 1)}


def test_asking_finds_the_payment_that_nobody_told(woo: Shop, connected: Source) -> None:
    woo.add_order(1)
    poll(woo)
    with scopes_disabled():
        order = Order.objects.get()
    woo.change_order(1, status="processing", date_paid_gmt="2026-11-02T12:20:00", transaction_id="pi_1")

    assert ask_source(order, now=woo.now + HOUR) is True
    assert states() == {"1": "paid"}


def test_asking_about_a_lost_order_records_its_deletion(woo: Shop, connected: Source) -> None:
    woo.add_order(1)
    poll(woo)
    with scopes_disabled():
        order = Order.objects.get()
    del woo.orders[1]

    assert ask_source(order, now=woo.now + HOUR) is True

    order.refresh_from_db()
    assert (order.status, order.cancel_reason) == ("cancelled", "source: deleted")


@pytest.mark.parametrize("fault", ["down", "html", "redirect", "no_api"])
def test_asking_a_shop_that_gives_no_answer_says_so(woo: Shop, connected: Source, fault: str) -> None:
    woo.add_order(1)
    poll(woo)
    with scopes_disabled():
        order = Order.objects.get()
    woo.fault = fault

    with pytest.raises((SourceUnavailable, SourceRefused)):
        ask_source(order, now=woo.now + HOUR)
    assert states() == {"1": "owed"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"currency": "CHF"}, "currency_changed"),
        ({"total": "much"}, ""),
        ({"date_paid_gmt": "2030-01-01T00:00:00"}, "in_the_"),
    ],
)
def test_answer_that_cannot_be_applied_is_kept_for_a_person_and_keeps_no_other_order_from_being_asked(
    woo: Shop, connected: Source, changes: dict[str, str], reason: str
) -> None:
    woo.add_order(1)
    woo.add_order(2)
    poll(woo)
    woo.now += 25 * HOUR
    woo.change_order(1, **changes)

    mark_due(woo.now)
    apply_waiting(10, now=woo.now)

    assert statuses() == {"1": "new", "2": "unpaid"}
    with scopes_disabled():
        item = InboxItem.objects.get()
        assert (item.state, item.subject_refs, item.reason[: len(reason)]) == ("quarantined", ["1"], reason)
        assert list(AttentionItem.objects.values_list("kind", flat=True)) == ["hooks.quarantined"]


def test_asking_a_source_that_cannot_be_asked_is_an_answer(source: Source) -> None:
    assert ask_source(make_order(source.shop, source=source), now=NOW) is True


def mark_due(now: datetime) -> None:
    """Ask the shop and mark what is unpaid, as the worker does."""
    askable = askable_kinds()
    ask_due_orders(ask_source, askable=askable, now=now)
    open_due_cases(now=now, askable=askable)


def statuses() -> dict[str, str]:
    with scopes_disabled():
        return dict(Order.objects.order_by("ref").values_list("ref", "status"))


def test_only_what_the_shop_still_calls_unpaid_is_marked(woo: Shop, connected: Source) -> None:
    """Paid, cancelled and deleted just before, and no webhook told; one was switched to a bank transfer."""
    for number in range(1, 6):
        woo.add_order(number)
    poll(woo)
    woo.now += 25 * HOUR
    woo.change_order(1, status="processing", date_paid_gmt="2026-11-03T12:00:00", transaction_id="pi_1")
    woo.change_order(2, status="cancelled")
    del woo.orders[3]
    woo.change_order(4, payment_method="bacs", status="on-hold")

    mark_due(woo.now)

    assert statuses() == {"1": "completed", "2": "cancelled", "3": "cancelled", "4": "new", "5": "unpaid"}
    with scopes_disabled():
        assert [case.order.ref for case in RecoveryCase.objects.select_related("order") if case.order] == [
            "5"
        ]


def test_nothing_is_marked_while_the_shop_is_silent(woo: Shop, connected: Source) -> None:
    woo.add_order(1)
    poll(woo)
    woo.fault = "down"
    due = woo.now + 25 * HOUR
    for minutes in (0, 6, 12):
        mark_due(due + minutes * MINUTE)
    silent = (statuses(), list(AttentionItem.objects.values_list("kind", flat=True)))
    woo.fault = ""

    mark_due(due + 2 * HOUR)

    assert silent == ({"1": "new"}, ["recovery.source_silent"])
    assert (statuses(), AttentionItem.objects.filter(settled_at=None).count()) == ({"1": "unpaid"}, 0)
