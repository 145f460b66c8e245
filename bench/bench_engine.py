"""The engine's step against one hand-written statement and against an ORM loop; the pick under an old snapshot.

A step is: due, paid?, message row, next due, ledger line. Ours is done by as many threads as a worker has engines.
70 of 100 orders are unpaid. Goals: at least 0.5 of the statement,
at least 20 times the loop, and at least 0.8 of the undisturbed rate while an old transaction is open.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg

from bench import harness

ROWS, ORM_ROWS = 20_000, 600
ROUNDS = 5
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)


def prepare(rows: int) -> int:
    """Make a shop with orders, cases and a live process; return the version's id."""
    from django.db import connection  # local: django
    from django_scopes import scopes_disabled  # local: django

    from recoup.core.activity import SYSTEM  # local: django
    from recoup.messaging.models import Lane  # local: django
    from recoup.processes import actions  # local: django
    from recoup.shops.models import Shop, Source  # local: django

    with scopes_disabled():
        shop = Shop.objects.create(slug="bench", name="Bench", live_since=NOW - timedelta(days=90))
        source = Source.objects.create(
            shop=shop, kind="generic", name="b", live_since=NOW - timedelta(days=90)
        )
        Lane.objects.create(shop=shop)
        process = actions.install_shipped(shop, now=NOW, holdout_bp=0)[-1]
        actions.set_status(process, "live", actor=SYSTEM, now=NOW)
        process.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_contact (shop_id, name, email, phone, locale, time_zone, country, company, search,
                sort_name, notes, first_seen_at)
            SELECT %(shop)s, 'Anna', 'a' || i || '@example.com', '', 'en', '', '', '', '{}', '', '', %(now)s
            FROM generate_series(1, %(rows)s) i;
            """,
            {"shop": shop.pk, "now": NOW, "rows": rows},
        )
        cursor.execute(
            """
            INSERT INTO orders_order (shop_id, source_id, ref, number, contact_id, status, payment_state, currency, total,
                captured, refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref, buyer,
                product_refs, search, shop_state, raw_state, placed_at, learnt_at, version_at, version_key, cancel_reason,
                failure_class, failure_code, terms_version, ask_failures, lock_version, is_backfill, is_test, paid_at,
                unpaid_at)
            SELECT %(shop)s, %(source)s, 'r' || id, 'r' || id, id, 'unpaid', 'owed', 'EUR', 100, 0, 0, 'en', 'checkout',
                'card', 'Card', false, '', '', '{}', '{}', '{}', 'pending', '', %(now)s - interval '30 hours',
                %(now)s - interval '30 hours', %(now)s - interval '30 hours', '', '', '', '', '', 0, 0, false, false,
                CASE WHEN id %% 10 < 3 THEN %(now)s - interval '20 hours' END, %(now)s - interval '6 hours'
            FROM customers_contact
            """,
            {"shop": shop.pk, "source": source.pk, "now": NOW},
        )
        cursor.execute("ANALYZE")
    return int(process.current_version_id)


def fill(version_id: int) -> int:
    """Put every order anew before its first reminder, due now; return how many there are."""
    from django.db import connection  # local: django

    from recoup.processes.versions import graph_of  # local: django

    graph = graph_of(version_id)
    wait = graph.node_map["n3"]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE processes_enrolment, processes_step_log, messaging_message CASCADE")
        cursor.execute("TRUNCATE core_outbox")
        cursor.execute(
            """
            INSERT INTO processes_enrolment (shop_id, process_id, version_id, contact_id, subject_kind, subject_id,
                entry_key, active_key, state, node, step_no, entered_at, node_at, due_at, run_at, wait_mask, prio,
                attempt, flags)
            SELECT o.shop_id, v.process_id, v.id, o.contact_id, 1, o.id, o.id, o.id, 1, %(node)s, 1,
                o.unpaid_at, o.unpaid_at, %(now)s - (o.id %% 3000) * interval '1 second',
                %(now)s - (o.id %% 3000) * interval '1 second', %(mask)s, 1, 0, 0
            FROM orders_order o, processes_processversion v WHERE v.id = %(version)s
            """,
            {"node": wait, "now": NOW, "mask": graph.masks[wait], "version": version_id},
        )
        count = int(cursor.rowcount)
        cursor.execute("VACUUM ANALYZE processes_enrolment") if connection.autocommit else None
    return count


def ours(version_id: int, *, threads: int) -> float:
    """Advance everything that is due by so many engine threads and return the rate; asserts what was written."""
    from django.db import connection  # local: django

    rows = fill(version_id)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: drain(), range(threads)))
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM messaging_message), (SELECT count(*) FROM processes_step_log)"
        )
        messages, steps = cursor.fetchone()
    unpaid = rows - rows * 3 // 10
    if not (abs(messages - unpaid) <= 10 and steps == rows == done):
        raise AssertionError(f"rows {rows}, done {done}, messages {messages}, steps {steps}")
    return done / seconds


def drain() -> int:
    """Advance until nothing is due, as one engine thread of the worker does, and return how much that was."""
    from django.db import connection  # local: django
    from django_scopes import scopes_disabled  # local: django

    from recoup.processes.loop import Engine  # local: django

    engine = Engine()
    engine.store.now = lambda: NOW  # type: ignore[method-assign]
    done = 0
    try:
        with scopes_disabled():
            while step := engine.run_once():
                done += step
    finally:
        if threading.current_thread() is not threading.main_thread():
            connection.close()
    return done


STATEMENT = """
WITH due AS (
    SELECT e.id, e.shop_id, e.version_id, e.contact_id, e.subject_id, e.step_no, e.node, e.due_at
    FROM processes_enrolment e WHERE state IN (1, 2) AND prio = 1 AND run_at <= %(now)s
    ORDER BY run_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED
), told AS (
    SELECT d.*, o.paid_at IS NOT NULL AS is_paid, c.email FROM due d
    JOIN LATERAL (SELECT paid_at FROM orders_order WHERE id = d.subject_id) o ON true
    JOIN LATERAL (SELECT email FROM customers_contact WHERE id = d.contact_id) c ON true
), moved AS (
    UPDATE processes_enrolment e SET
        state = CASE WHEN t.is_paid THEN 9 ELSE 1 END, active_key = CASE WHEN t.is_paid THEN NULL ELSE e.active_key END,
        node = t.node + 1, step_no = t.step_no + 1, node_at = t.due_at, due_at = NULL,
        run_at = CASE WHEN t.is_paid THEN NULL ELSE t.due_at + interval '26 hours' END, last_message_step = t.step_no + 1
    FROM told t WHERE e.id = t.id
), logged AS (
    INSERT INTO processes_step_log (enrolment_id, step_no, shop_id, version_id, node, outcome, at, done_at, reason)
    SELECT id, step_no + 1, shop_id, version_id, node, CASE WHEN is_paid THEN 91 ELSE 10 END, due_at, %(now)s, '' FROM told
), queued AS (
    INSERT INTO messaging_message (shop_id, source_id, enrolment_id, step_no, node, channel, lane_id, contact_id, order_id,
        locale, purpose, message_class, is_asked_for, is_resent, is_test, recipient, prio, state, queued_at, due_at,
        not_after, attempt, deferrals, message_ref, reason, answer)
    SELECT shop_id, %(source)s, id, step_no + 1, 'n4', 'email', %(lane)s, contact_id, subject_id, 'en', 'reminder',
        'contract', false, false, false, email, 1, 'due', %(now)s, due_at, due_at + interval '24 hours', 0, 0,
        id || '.' || step_no || '@example.com', '', '' FROM told WHERE NOT is_paid
)
SELECT count(*) FROM told
"""


def twin(version_id: int) -> float:
    """Do the same writes by one hand-written statement for each batch of 500."""
    from django.db import connection  # local: django

    rows = fill(version_id)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT min(id) FROM messaging_messagesource), (SELECT min(id) FROM messaging_lane)"
        )
        source, lane = cursor.fetchone()
        cursor.execute("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off")
        started, done = time.perf_counter(), 0
        while done < rows:
            cursor.execute(STATEMENT, {"now": NOW, "source": source, "lane": lane})
            done += cursor.fetchone()[0]
        seconds = time.perf_counter() - started
        cursor.execute("RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_seqscan")
    return rows / seconds


def orm_loop(version_id: int) -> float:
    """Do the same by objects: what a program without batches does."""
    from django.db import transaction  # local: django
    from django_scopes import scopes_disabled  # local: django

    from recoup.messaging.models import Lane, Message, MessageSource  # local: django
    from recoup.orders.models import Order  # local: django
    from recoup.processes.models import Enrolment, StepLog  # local: django

    fill(version_id)
    with scopes_disabled():
        lane, source = Lane.objects.get(), MessageSource.objects.order_by("id").first()
        ids = list(
            Enrolment.objects.filter(state__in=(1, 2), run_at__lte=NOW)
            .order_by("run_at")
            .values_list("pk", flat=True)[:ORM_ROWS]
        )
        started = time.perf_counter()
        for pk in ids:
            with transaction.atomic():
                enrolment = Enrolment.objects.select_for_update().get(pk=pk)
                order = Order.objects.select_related("contact").get(pk=enrolment.subject_id)
                enrolment.step_no += 1
                enrolment.node += 1
                is_paid = order.paid_at is not None
                enrolment.state = 9 if is_paid else 1
                enrolment.active_key = None if is_paid else enrolment.active_key
                enrolment.run_at = None if is_paid else NOW + timedelta(hours=26)
                enrolment.save()
                StepLog.objects.create(
                    enrolment_id=pk, step_no=enrolment.step_no, shop_id=enrolment.shop_id,
                    version_id=version_id, node=enrolment.node, outcome=10, at=NOW, done_at=NOW,
                )  # fmt: skip
                if not is_paid:
                    Message.objects.create(
                        shop_id=enrolment.shop_id, source=source, enrolment_id=pk, step_no=enrolment.step_no, lane=lane,
                        contact=order.contact, order=order, locale="en", message_class="contract",
                        recipient=order.contact.email if order.contact else "", queued_at=NOW, due_at=NOW,
                        not_after=NOW + timedelta(hours=24), message_ref=f"{pk}@example.com",
                    )  # fmt: skip
        return len(ids) / (time.perf_counter() - started)


def under_snapshot(version_id: int, url: str) -> float:
    """Advance while a REPEATABLE READ transaction that was opened before is still there."""
    fill(version_id)
    with psycopg.connect(url) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("SELECT count(*) FROM orders_order")
        return _drain_only()


def _drain_only() -> float:
    started = time.perf_counter()
    return drain() / (time.perf_counter() - started)


def undisturbed(version_id: int) -> float:
    """Advance with no other transaction open."""
    fill(version_id)
    return _drain_only()


def main() -> None:
    """Measure and print the three figures."""
    with harness.database("engine") as url:
        from recoup.config.worker import ENGINES, spare_collector  # local: django

        spare_collector()
        version_id = prepare(ROWS)
        ours(version_id, threads=ENGINES)  # the first round fills caches
        ratio, rounds = harness.paired(
            lambda: ours(version_id, threads=ENGINES), lambda: twin(version_id), rounds=ROUNDS
        )
        harness.report("engine.step.vs_sql", ratio=ratio, goal=0.5, rounds=rounds, threads=ENGINES)
        ratio, rounds = harness.paired(
            lambda: ours(version_id, threads=1), lambda: twin(version_id), rounds=ROUNDS
        )
        harness.report("engine.step.one_thread_vs_sql", ratio=ratio, goal=0, rounds=rounds)
        ratio, rounds = harness.paired(
            lambda: ours(version_id, threads=ENGINES), lambda: orm_loop(version_id), rounds=3
        )
        harness.report("engine.step.vs_orm", ratio=ratio, goal=20, rounds=rounds)
        ratio, rounds = harness.paired(
            lambda: under_snapshot(version_id, url), lambda: undisturbed(version_id), rounds=ROUNDS
        )
        harness.report("engine.claim.old_snapshot", ratio=ratio, goal=0.8, rounds=rounds)


if __name__ == "__main__":
    main()
