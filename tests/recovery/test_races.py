"""Two at once: a payment against the sweep, two sweeps, each with the protection taken out to see that it is needed."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.db import connection
from django_scopes import scopes_disabled

from recoup.orders.models import Order, OrderFact, StatusChange
from recoup.recovery import detection_sql
from recoup.recovery.detection import Counts, open_due_cases
from recoup.recovery.models import RecoveryCase
from tests.factories.moments import HOUR, NOW
from tests.factories.orders import make_order
from tests.factories.shops import make_shop

LOCK = "FOR NO KEY UPDATE OF o SKIP LOCKED"
PAY = "UPDATE orders_order SET payment_state = 'paid', status = 'completed', check_at = NULL WHERE id = %s"


@pytest.fixture(autouse=True)
def everywhere(transactional_db: None) -> Iterator[None]:
    with scopes_disabled():
        yield


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the lock out of the sweep."""
    assert LOCK in detection_sql.OPEN_DUE_CASES
    monkeypatch.setattr(detection_sql, "OPEN_DUE_CASES", detection_sql.OPEN_DUE_CASES.replace(LOCK, ""))


def run_beside(work: Callable[[], object], meanwhile: Callable[[], None]) -> None:
    """Run in a thread with a connection of its own; `meanwhile` runs as soon as it waits for a lock, or is done."""

    def in_thread() -> None:
        with scopes_disabled():
            work()
        connection.close()

    thread = threading.Thread(target=in_thread)
    thread.start()
    deadline = time.monotonic() + 60
    while thread.is_alive() and time.monotonic() < deadline and not _is_waiting():
        time.sleep(0.01)
    meanwhile()
    thread.join(60)
    assert not thread.is_alive()


def _is_waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def sweep_while_it_is_paid(database_url: str) -> tuple[str, int, int]:
    """Return status, cases and history of an order whose payment is being written as the sweep comes by."""
    order = make_order(make_shop())
    with psycopg.connect(database_url) as payer:
        payer.execute(PAY, [order.pk])
        run_beside(lambda: open_due_cases(now=NOW), payer.commit)
    open_due_cases(now=NOW)
    order.refresh_from_db()
    return order.status, RecoveryCase.objects.count(), StatusChange.objects.count()


def test_order_paid_in_the_same_second_stays_paid(database_url: str) -> None:
    assert sweep_while_it_is_paid(database_url) == ("completed", 0, 0)


def test_without_the_lock_a_paid_order_would_become_unpaid(database_url: str, unlocked: None) -> None:
    assert sweep_while_it_is_paid(database_url) == ("unpaid", 1, 1)


def test_payment_waits_for_a_sweep_that_holds_the_order_and_then_stands(database_url: str) -> None:
    order = make_order(make_shop())
    with psycopg.connect(database_url) as sweeper:
        values = {
            "now": NOW,
            "at": NOW.isoformat(),
            "lapses_at": NOW,
            "batch": 10,
            "askable": [],
            "mark_id": 0,
        }
        sweeper.execute(detection_sql.OPEN_DUE_CASES, {**values, "mark_at": NOW - 999 * HOUR})
        run_beside(lambda: pay(order.pk), sweeper.commit)

    order.refresh_from_db()
    assert (order.status, order.payment_state) == ("completed", "paid")
    assert StatusChange.objects.values_list("from_status", "to_status").get() == ("new", "unpaid")


def pay(order_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(PAY, [order_id])


def sweep_twice_at_once(database_url: str) -> tuple[int, int, int, int]:
    """Return cases, moves, facts and news of ten orders that two workers sweep in the same moment."""
    shop = make_shop()
    for _ in range(10):
        make_order(shop)
    with psycopg.connect(database_url) as first:
        values = {
            "now": NOW,
            "at": NOW.isoformat(),
            "lapses_at": NOW,
            "batch": 10,
            "askable": [],
            "mark_id": 0,
        }
        first.execute(detection_sql.OPEN_DUE_CASES, {**values, "mark_at": NOW - 999 * HOUR})
        run_beside(lambda: open_due_cases(now=NOW), first.commit)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_outbox")
        news = cursor.fetchone()[0]
    return RecoveryCase.objects.count(), StatusChange.objects.count(), OrderFact.objects.count(), news


def test_two_sweeps_at_once_move_each_order_once(database_url: str) -> None:
    assert sweep_twice_at_once(database_url) == (10, 10, 10, 10)


def test_without_the_lock_two_sweeps_would_write_the_history_twice(database_url: str, unlocked: None) -> None:
    assert sweep_twice_at_once(database_url) == (10, 20, 20, 10)


def test_many_sweeps_share_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recoup.recovery.detection.BATCH", 7)
    shop = make_shop()
    orders = [make_order(shop) for _ in range(60)]
    found: list[Counts] = []

    def sweep() -> None:
        with scopes_disabled():
            found.append(open_due_cases(now=NOW))
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    found.append(open_due_cases(now=NOW))

    assert sum(counts.opened for counts in found) == 60
    assert sorted(RecoveryCase.objects.values_list("order_id", flat=True)) == [order.pk for order in orders]
    assert StatusChange.objects.count() == OrderFact.objects.count() == 60
    assert set(Order.objects.values_list("status", "check_at")) == {("unpaid", None)}
