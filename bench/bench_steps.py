"""A process of 15 blocks against hand-written statements that do the same writes.

A third each of those due stand at a wait (then a condition, a split, a message), at a message that has gone out (then
a wait) and at a question whose time is over (then a condition, a message); 30 of 100 have paid and leave. Goal: at least
0.4 of the statement.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench import bench_engine, harness

ROWS, ROUNDS = 18_000, 5
NOW = bench_engine.NOW
NODES: dict[str, Any] = {
    "n1": {"t": "wait", "for": "PT24H", "out": {"next": "n2"}},
    "n2": {"t": "if", "if": {"f": "order.total", "op": ">", "v": 50}, "out": {"yes": "n3", "no": "n15"}},
    "n3": {"t": "split", "arms": [{"id": "a", "w": 1}, {"id": "b", "w": 1}], "out": {"a": "n4", "b": "n5"}},
    "n4": {"t": "send", "template": "order_reminder_1", "out": {"done": "n6"}},
    "n5": {"t": "send", "template": "order_reminder_2", "out": {"done": "n6"}},
    "n6": {"t": "wait", "for": "PT26H", "out": {"next": "n7"}},
    "n7": {
        "t": "until",
        "on": {"e": "contact.ordered_again"},
        "within": "PT12H",
        "out": {"yes": "n15", "no": "n8"},
    },
    "n8": {"t": "if", "if": {"f": "order.is_paid", "op": "=", "v": False}, "out": {"yes": "n9", "no": "n15"}},
    "n9": {"t": "send", "template": "order_reminder_2", "out": {"done": "n10"}},
    "n10": {"t": "wait", "for": "P2D", "out": {"next": "n11"}},
    "n11": {
        "t": "if",
        "if": {"f": "contact.locale", "op": "=", "v": "en"},
        "out": {"yes": "n12", "no": "n13"},
    },
    "n12": {"t": "send", "template": "order_reminder_3", "out": {"done": "n14"}},
    "n13": {"t": "send", "template": "order_reminder_3", "out": {"done": "n14"}},
    "n14": {"t": "order_status", "to": "not_confirmed", "out": {"next": "n15"}},
    "n15": {"t": "end"},
}
FILL = """
    INSERT INTO processes_enrolment (shop_id, process_id, version_id, contact_id, subject_kind, subject_id, entry_key,
        active_key, state, node, step_no, entered_at, node_at, due_at, run_at, wait_mask, prio, attempt, flags,
        last_message_step)
    SELECT o.shop_id, v.process_id, v.id, o.contact_id, 1, o.id, o.id, o.id, 1, p.node, 1, o.unpaid_at,
        %(now)s - interval '14 hours', t.at, t.at, 1023, 1, 0, 0, CASE WHEN p.node = 4 THEN 1 END
    FROM orders_order o CROSS JOIN LATERAL (SELECT %(now)s - (o.id %% 3000 + 1) * interval '1 second' AS at) t
    CROSS JOIN LATERAL (SELECT (ARRAY[1, 4, 7])[o.id / 10 %% 3 + 1] AS node) p, processes_processversion v
    WHERE v.id = %(version)s;
    INSERT INTO messaging_message (shop_id, source_id, enrolment_id, step_no, node, channel, lane_id, contact_id, order_id,
        locale, purpose, message_class, is_asked_for, is_resent, is_test, recipient, prio, state, queued_at, due_at,
        not_after, attempt, deferrals, message_ref, reason, answer, handed_at, settled_at)
    SELECT e.shop_id, (SELECT min(id) FROM messaging_messagesource), e.id, 1, 'n4', 'email',
        (SELECT min(id) FROM messaging_lane), e.contact_id, e.subject_id, 'en', 'reminder', 'contract', false, false, false,
        'a@example.com', 1, 'sent', e.due_at, e.due_at, e.due_at, 0, 0, 'sent-' || e.id, '', '', e.due_at, e.due_at
    FROM processes_enrolment e WHERE e.node = 4
"""
TWIN = """
WITH due AS (
    SELECT e.id, e.shop_id, e.version_id, e.contact_id, e.subject_id, e.step_no, e.node, e.due_at
    FROM processes_enrolment e WHERE state IN (1, 2) AND prio = 1 AND run_at <= %(now)s
    ORDER BY run_at LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED
), told AS (
    SELECT d.*, o.paid_at IS NOT NULL AS is_paid, o.total > 50 AS is_large, c.email, m.handed_at FROM due d
    JOIN LATERAL (SELECT paid_at, total FROM orders_order WHERE id = d.subject_id) o ON true
    JOIN LATERAL (SELECT email FROM customers_contact WHERE id = d.contact_id) c ON true
    LEFT JOIN LATERAL (SELECT handed_at FROM messaging_message WHERE d.node = 4 AND enrolment_id = d.id) m ON true
), moved AS (
    UPDATE processes_enrolment e SET
        state = CASE WHEN t.is_paid THEN 9 ELSE 1 END, active_key = CASE WHEN t.is_paid THEN NULL ELSE e.active_key END,
        node = CASE WHEN t.is_paid THEN t.node WHEN t.node = 1 THEN 4 + t.contact_id %% 2 WHEN t.node = 4 THEN 6 ELSE 9 END,
        step_no = t.step_no + CASE WHEN t.is_paid THEN 1 WHEN t.node = 4 THEN 0 ELSE 3 END,
        node_at = coalesce(t.handed_at, t.due_at), due_at = CASE WHEN t.node = 4 THEN t.handed_at + interval '26 hours' END,
        run_at = CASE WHEN NOT t.is_paid THEN t.due_at + interval '26 hours' END,
        last_message_step = CASE WHEN t.node = 4 THEN e.last_message_step ELSE t.step_no + 3 END
    FROM told t WHERE e.id = t.id
), logged AS (
    INSERT INTO processes_step_log (enrolment_id, step_no, shop_id, version_id, node, outcome, arm, at, done_at, reason)
    SELECT t.id, t.step_no + l.n, t.shop_id, t.version_id, l.node, l.outcome, l.arm, t.due_at, %(now)s, '' FROM told t
    CROSS JOIN LATERAL (VALUES (1, 2, 20, NULL::int, 1), (2, 3, 24, 1, 1), (3, 4, 10, NULL, 1),
        (1, 7, 21, NULL, 7), (2, 8, 20, NULL, 7), (3, 9, 10, NULL, 7)) AS l (n, node, outcome, arm, at_node)
    WHERE NOT t.is_paid AND l.at_node = t.node
    UNION ALL SELECT id, step_no + 1, shop_id, version_id, node, 91, NULL, due_at, %(now)s, '' FROM told WHERE is_paid
), queued AS (
    INSERT INTO messaging_message (shop_id, source_id, enrolment_id, step_no, node, channel, lane_id, contact_id, order_id,
        locale, purpose, message_class, is_asked_for, is_resent, is_test, recipient, prio, state, queued_at, due_at,
        not_after, attempt, deferrals, message_ref, reason, answer)
    SELECT shop_id, %(source)s, id, step_no + 3, CASE WHEN node = 1 THEN 'n4' ELSE 'n9' END, 'email', %(lane)s, contact_id,
        subject_id, 'en', 'reminder', 'contract', false, false, false, email, 1, 'due', %(now)s, due_at,
        due_at + interval '24 hours', 0, 0, id || '.' || step_no || '@example.com', '', ''
    FROM told WHERE NOT is_paid AND node <> 4
)
SELECT count(*) FROM told
"""


def make_process() -> int:
    """Publish the process of 15 blocks in the shop of the bench; return its version."""
    from django_scopes import scopes_disabled  # local: django

    from recoup.core.activity import SYSTEM  # local: django
    from recoup.messaging.models import MessageSource  # local: django
    from recoup.processes import actions  # local: django
    from recoup.processes.graph.reading import read_document  # local: django
    from recoup.processes.models import Process  # local: django
    from recoup.shops.models import Shop  # local: django

    with scopes_disabled():
        shop = Shop.objects.get()
        source = MessageSource.objects.create(shop=shop, name="steps", state="live")
        process = Process.objects.create(
            shop=shop, name="Steps", salt=9, status="live", message_source=source, live_since=NOW
        )
        document = {
            "schema": 1, "name": "Steps", "entry": {"on": "order.unpaid", "first": "n1"},
            "goals": [{"on": "order.paid"}], "nodes": NODES,
        }  # fmt: skip
        version = actions.publish(process, read_document(document), actor=SYSTEM, now=NOW)
    return int(version.pk)


def fill(version_id: int) -> int:
    """Put every order anew at one of the three places, due now; return how many there are."""
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE processes_enrolment, processes_step_log, messaging_message, core_outbox CASCADE"
        )
        for statement in FILL.split(";"):
            cursor.execute(statement, {"version": version_id, "now": NOW})
        cursor.execute("VACUUM ANALYZE processes_enrolment, messaging_message")
        cursor.execute("SELECT count(*) FROM processes_enrolment")
        return int(cursor.fetchone()[0])


def written() -> tuple[int, int, int]:
    """Return how many messages, lines of the ledger and enrolments that left there are."""
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM messaging_message WHERE state = 'due'), (SELECT count(*) FROM processes_step_log),"
            " (SELECT count(*) FROM processes_enrolment WHERE state = 9)"
        )
        messages, lines, left = cursor.fetchone()
    return int(messages), int(lines), int(left)


def ours(version_id: int, *, threads: int, seen: dict[str, tuple[int, int, int]]) -> float:
    """Advance everything that is due by so many engine threads and return the rate."""
    rows = fill(version_id)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: bench_engine.drain(), range(threads)))
    seconds = time.perf_counter() - started
    if done != rows:
        raise AssertionError(f"{done} of {rows}")
    seen["ours"] = written()
    return done / seconds


def twin(version_id: int, *, threads: int, seen: dict[str, tuple[int, int, int]]) -> float:
    """Do the same writes by one hand-written statement for each batch of 500, over so many connections."""
    rows = fill(version_id)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(lambda _: _drain_by_hand(), range(threads)))
    seconds = time.perf_counter() - started
    if done != rows:
        raise AssertionError(f"{done} of {rows}")
    seen["twin"] = written()
    if seen["twin"] != seen["ours"]:
        raise AssertionError(f"not the same writes: {seen}")
    return rows / seconds


def _drain_by_hand() -> int:
    from django.db import connection  # local: django

    done = 0
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT min(id) FROM messaging_messagesource), (SELECT min(id) FROM messaging_lane)"
            )
            source, lane = cursor.fetchone()
            cursor.execute("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off")
            while True:
                cursor.execute(TWIN, {"now": NOW, "source": source, "lane": lane})
                found = int(cursor.fetchone()[0])
                if not found:
                    return done
                done += found
    finally:
        connection.close()


def main() -> None:
    """Measure and print the figure."""
    with harness.database("steps"):
        from recoup.config.worker import ENGINES, spare_collector  # local: django

        spare_collector()
        bench_engine.prepare(ROWS)
        version_id = make_process()
        seen: dict[str, tuple[int, int, int]] = {}
        ours(version_id, threads=ENGINES, seen=seen)  # the first round fills caches
        ratio, rounds = harness.paired(
            lambda: ours(version_id, threads=ENGINES, seen=seen),
            lambda: twin(version_id, threads=1, seen=seen),
            rounds=ROUNDS,
        )
        alike, _rounds = harness.paired(
            lambda: ours(version_id, threads=ENGINES, seen=seen),
            lambda: twin(version_id, threads=ENGINES, seen=seen),
            rounds=3,
        )
        harness.report(
            "engine.steps.vs_sql",
            ratio=ratio,
            goal=0.4,
            rounds=rounds,
            threads=ENGINES,
            vs_as_many_connections=round(
                alike, 3
            ),  # the statement, run by as many at once as the worker has engines
            written=seen["ours"],
        )


if __name__ == "__main__":
    main()
