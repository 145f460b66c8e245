"""Finding the unpaid among 1,000,000 orders and opening their cases, against one hand-written statement.

Both start from copies of one database and must write the same rows: orders, status changes, facts, cases, news. Sources
are not asked. Goal: at most 1.5 times the statement's time. `DETECT_ROUNDS` (3, because a round takes minutes) and
`DETECT_ORDERS` may be set.
"""

import os
import statistics
import time
from datetime import UTC, datetime
from typing import Any

from bench import harness

ORDERS = int(os.environ.get("DETECT_ORDERS", "1000000"))
ROUNDS = int(os.environ.get("DETECT_ROUNDS", "3"))
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)

SEED = """
INSERT INTO shops_shop (slug, name, currency, locale, country, time_zone, phone, email, address, colour, logo_url,
    terms_url, terms_version, unpaid_after_minutes, cart_after_minutes, supersede_scope, max_age_days, claim_hours,
    live_since, collects_carts)
SELECT 'shop-' || i, 'Shop', 'EUR', 'en', '', 'UTC', '', '', '', '#1f6f50', '', '', '1', 1440, 60, 'product', 14, 8,
    %(now)s - interval '400 days', true
FROM generate_series(1, 4) i;
INSERT INTO shops_source (shop_id, kind, name, key, base_url, secret, previous_secret, credentials, options, state,
    trouble, cursor, live_since)
SELECT id, 'generic', 'Own', 'key-' || id, '', '', '', '', '{}', 'active', '', '{}', %(now)s - interval '400 days'
FROM shops_shop;
INSERT INTO customers_contact (shop_id, name, email, phone, locale, time_zone, country, company, search, sort_name,
    notes, first_seen_at)
SELECT 1 + i %% 4, 'Anna', 'anna' || i || '@example.com', '', 'en', '', '', '', '{}', '', '', %(now)s
FROM generate_series(1, %(people)s) i;
INSERT INTO catalog_product (shop_id, source_id, ref, variant_ref, sku, name, currency, is_available, url, image_url,
    is_repeatable, is_deleted, version_at)
SELECT s.shop_id, s.id, 'p' || i, '', '', 'Product', 'EUR', true, '', '', i %% 20 = 0, false, %(now)s
FROM shops_source s, generate_series(0, 199) i;
-- Kept as they were placed. A person has two orders on average; one in ten second ones is for the product of the first.
INSERT INTO orders_order (shop_id, source_id, ref, number, contact_id, status, payment_state, currency, total, captured,
    refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref, buyer, product_refs, search,
    shop_state, raw_state, placed_at, learnt_at, version_at, version_key, paid_at, paid_learnt_at, cancel_reason,
    failure_class, failure_code, terms_version, check_at, ask_failures, lock_version, claimed_until, paused_at,
    is_backfill, is_test)
SELECT shop.id, source.id, 'r' || n.i, 'n' || n.i, n.person,
    CASE WHEN n.paid THEN 'completed' WHEN n.dice %% 20 = 0 THEN 'in_work' ELSE 'new' END,
    CASE WHEN n.paid THEN 'paid' WHEN n.dice %% 5 = 0 THEN 'failed' ELSE 'owed' END,
    'EUR', 10 + n.dice %% 300, CASE WHEN n.paid THEN 10 + n.dice %% 300 ELSE 0 END, 0, 'en', 'checkout', 'card', 'Card',
    false, '', '', '{"name": "Anna Nowak", "email": "anna@example.com", "address": {"city": "Gdansk", "street": "Dluga 1"}}',
    ARRAY['p' || n.product],
    ARRAY['an', 'ann', 'anna', 'no', 'now', 'nowa', 'nowak', 'n' || n.i, 'anna' || n.person || '@example.com'],
    'pending', '', n.placed, n.placed, n.placed, '', CASE WHEN n.paid THEN n.placed + interval '3 minutes' END,
    CASE WHEN n.paid THEN n.placed + interval '4 minutes' END, '',
    CASE WHEN NOT n.paid AND n.dice %% 5 = 0 THEN 'soft' ELSE '' END, '', '1',
    CASE WHEN NOT n.paid THEN n.placed + interval '1 day' END, 0, 0,
    CASE WHEN n.dice %% 100 = 0 THEN %(now)s + interval '1 hour' END,
    CASE WHEN n.dice %% 100 = 1 THEN %(now)s - interval '1 hour' END, false, false
FROM (
    SELECT i, dice, CASE WHEN i <= %(people)s THEN i ELSE 1 + (i * 7919) %% %(people)s END AS person,
        CASE WHEN i <= %(people)s OR dice %% 10 > 0 THEN dice ELSE hash_person END %% 200 AS product,
        dice %% 100 >= 65 AS paid,
        %(now)s - interval '13 days' + make_interval(secs => i * 1123200.0 / %(orders)s - dice %% 600) AS placed
    FROM (
        SELECT i, abs(hashint8(i)::bigint) AS dice,
            abs(hashint8(CASE WHEN i <= %(people)s THEN i ELSE 1 + (i * 7919) %% %(people)s END)::bigint) AS hash_person
        FROM generate_series(1::bigint, %(orders)s) i
    ) d
) n
JOIN customers_contact person ON person.id = n.person
JOIN shops_shop shop ON shop.id = person.shop_id
JOIN shops_source source ON source.shop_id = shop.id;
"""

TWIN = """
WITH owed AS MATERIALIZED (
    SELECT o.id, o.shop_id, o.source_id, o.contact_id, o.status, o.currency, o.total, o.captured, o.refunded,
        o.placed_at, o.product_refs, o.failure_class, o.is_offline_method, o.payment_state, o.promised_at, o.paused_at,
        o.claimed_until, shop.supersede_scope, repeated.refs AS repeated
    FROM orders_order o
    JOIN shops_shop shop ON shop.id = o.shop_id
    JOIN shops_source source ON source.id = o.source_id
    LEFT JOIN (
        SELECT source_id, array_agg(ref) AS refs FROM catalog_product WHERE is_repeatable GROUP BY source_id
    ) repeated ON repeated.source_id = o.source_id
    WHERE o.check_at <= %(now)s AND NOT o.is_backfill AND NOT o.is_test AND o.total > 0
        AND o.status IN ('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')
        AND o.payment_state IN ('owed', 'on_hold', 'failed', 'partly_paid')
        AND o.placed_at >= greatest(source.live_since, shop.live_since)
), paid AS (
    SELECT DISTINCT ON (o.id) o.id, n.id AS by
    FROM owed o JOIN orders_order n ON n.contact_id = o.contact_id AND n.shop_id = o.shop_id
    WHERE n.id <> o.id AND n.payment_state IN ('paid', 'partly_refunded') AND n.paid_at >= o.placed_at
        AND n.placed_at > o.placed_at - interval '90 days' AND NOT n.is_test
        AND (o.supersede_scope = 'person'
            OR o.product_refs <@ (n.product_refs || coalesce(o.repeated, '{}'))
                AND NOT o.product_refs <@ coalesce(o.repeated, '{}'))
    ORDER BY o.id, n.placed_at DESC, n.id DESC
), twin AS (
    SELECT DISTINCT ON (o.id) o.id, n.id AS of
    FROM owed o JOIN orders_order n ON n.contact_id = o.contact_id AND n.shop_id = o.shop_id
    WHERE (n.placed_at, n.id) > (o.placed_at, o.id) AND n.product_refs = o.product_refs
        AND n.status IN ('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')
        AND n.payment_state IN ('owed', 'on_hold', 'failed', 'partly_paid')
        AND NOT n.is_test AND NOT n.is_backfill AND n.total > 0
    ORDER BY o.id, n.placed_at DESC, n.id DESC
), judged AS MATERIALIZED (
    SELECT o.*, paid.by, twin.of,
        CASE WHEN paid.id IS NOT NULL THEN 'superseded'
             WHEN o.paused_at IS NOT NULL OR o.promised_at > %(now)s OR o.claimed_until > %(now)s THEN 'wait'
             WHEN twin.id IS NOT NULL THEN 'duplicate' ELSE 'open' END AS verdict
    FROM owed o LEFT JOIN paid ON paid.id = o.id LEFT JOIN twin ON twin.id = o.id
), moved AS (
    UPDATE orders_order o SET
        status = CASE WHEN j.verdict = 'open' AND j.status = 'new' THEN 'unpaid' WHEN j.verdict = 'superseded' THEN
            'cancelled' WHEN j.verdict = 'duplicate' THEN 'false' ELSE j.status END,
        lock_version = o.lock_version + 1,
        check_at = CASE WHEN j.verdict = 'wait' THEN greatest(j.promised_at, j.claimed_until,
            CASE WHEN j.paused_at IS NOT NULL THEN %(now)s + interval '1 hour' END) END,
        unpaid_at = CASE WHEN j.verdict = 'open' THEN %(now)s END, superseded_by_id = CASE WHEN j.verdict = 'superseded'
            THEN j.by END,
        superseded_at = CASE WHEN j.verdict = 'superseded' THEN %(now)s END,
        cancelled_at = CASE WHEN j.verdict = 'superseded' THEN %(now)s END,
        cancel_reason = CASE WHEN j.verdict = 'superseded' THEN 'superseded' ELSE '' END,
        duplicate_of_id = CASE WHEN j.verdict = 'duplicate' THEN j.of END
    FROM judged j WHERE o.id = j.id
), history AS (
    INSERT INTO orders_statuschange (shop_id, order_id, from_status, to_status, reason, actor_kind, at)
    SELECT shop_id, id, status, CASE verdict WHEN 'open' THEN 'unpaid' WHEN 'superseded' THEN 'cancelled' ELSE 'false' END,
        verdict, 'system', %(now)s
    FROM judged WHERE verdict IN ('superseded', 'duplicate') OR verdict = 'open' AND status = 'new'
), facts AS (
    INSERT INTO orders_orderfact (shop_id, order_id, kind, details, became_true_at, learnt_at)
    SELECT shop_id, id, CASE verdict WHEN 'open' THEN 'marked_unpaid' ELSE verdict END,
        jsonb_build_object('why', coalesce(by, of)), %(now)s, %(now)s
    FROM judged WHERE verdict <> 'wait'
), opened AS (
    INSERT INTO recovery_recoverycase (shop_id, kind, order_id, contact_id, cause, amount, currency, opened_at, lapses_at,
        outcome, messages_sent, refunded_amount, is_holdout)
    SELECT shop_id, 'order', id, contact_id,
        CASE WHEN failure_class <> '' THEN failure_class WHEN is_offline_method OR payment_state = 'on_hold' THEN 'offline'
             ELSE 'no_payment' END,
        total - captured + refunded, currency, %(now)s, %(now)s + interval '30 days', '', 0, 0, false
    FROM judged WHERE verdict = 'open' RETURNING id, shop_id, order_id, contact_id
), news AS (
    INSERT INTO core_outbox (shop_id, kind, payload)
    SELECT shop_id, 'recovery.RecoveryCaseOpened', jsonb_build_object('shop_id', shop_id, 'case_id', id, 'kind', 'order',
        'subject_id', order_id, 'contact_id', contact_id, 'at', %(now)s::text) FROM opened
    UNION ALL
    SELECT shop_id, 'orders.OrderCancelled', jsonb_build_object('shop_id', shop_id, 'order_id', id, 'at', %(now)s::text)
    FROM judged WHERE verdict IN ('superseded', 'duplicate')
)
SELECT count(*) FROM judged
"""

# What both must have written, as counts and as a digest of ids and words.
WRITTEN = """
SELECT (SELECT count(*) FROM recovery_recoverycase), (SELECT count(*) FROM orders_statuschange),
    (SELECT count(*) FROM orders_orderfact), (SELECT count(*) FROM core_outbox),
    (SELECT sum(hashtextextended(order_id || cause || amount, 0)::numeric) FROM recovery_recoverycase),
    (SELECT sum(hashtextextended(concat_ws('|', id, status, check_at, unpaid_at, superseded_by_id, duplicate_of_id,
        cancelled_at, cancel_reason), 0)::numeric) FROM orders_order)
"""


def main() -> None:
    """Measure in paired rounds and print the line."""
    with harness.database("detect") as url:
        _fill()
        _look_at_plan()
        ratios, written, seconds = [], set(), []
        for number in range(ROUNDS):
            # Each goes first in turn: whoever comes second finds a machine that is warmer, or busier.
            pair = {}
            for work in (_ours, _twin) if number % 2 == 0 else (_twin, _ours):
                pair[work], result = _measure(url, work)
                written.add(result)
            ratios.append(pair[_ours] / pair[_twin])
            seconds.append((pair[_ours], pair[_twin]))
        if len(written) != 1:
            raise AssertionError(f"not the same rows were written: {written}")
        counts = written.pop()
        if counts[0] < ORDERS * 0.4:
            raise AssertionError(f"too few cases: {counts}")
        ours, twin = (statistics.median(column) for column in zip(*seconds, strict=True))
        harness.report(
            "detect.1m.vs_sql",
            ratio=statistics.median(ratios),
            goal=1.5,
            at_least=False,
            rounds=[round(ratio, 3) for ratio in ratios],
            orders=ORDERS,
            cases=counts[0],
            history=counts[1],
            facts=counts[2],
            news=counts[3],
            seconds=round(ours, 1),
            statement_seconds=round(twin, 1),
        )


def _fill() -> None:
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        for statement in SEED.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"now": NOW, "people": ORDERS // 2, "orders": ORDERS})
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _look_at_plan() -> None:
    """See that a batch is picked by what is due and looks at siblings by their person, however many orders there are."""
    from django.db import connection, transaction  # local: django

    from recoup.recovery import detection_sql  # local: django

    values = {
        "now": NOW,
        "at": "",
        "lapses_at": NOW,
        "batch": 1000,
        "askable": [],
        "mark_at": NOW,
        "mark_id": 0,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(detection_sql.KEY_LOOKUPS)
        cursor.execute(f"EXPLAIN {detection_sql.OPEN_DUE_CASES}", values)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    wanted = ("orders_order_due", "orders_order_of_contact", "orders_order_pkey")
    if not all(index in plan for index in wanted) or "Seq Scan" in plan or "Hash" in plan:
        raise AssertionError(f"the sweep takes another way:\n{plan}")


def _measure(url: str, work: Any) -> tuple[float, tuple[Any, ...]]:
    """Run on a fresh copy of the database; return the seconds and what was written."""
    from django.db import connection  # local: django
    from psycopg import connect  # local: django

    name, original = "bench_detect_round", connection.settings_dict["NAME"]
    connection.close()
    with connect(url.replace(f"/{original}?", "/postgres?"), autocommit=True) as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{original}" STRATEGY FILE_COPY')
        connection.settings_dict["NAME"] = name
        try:
            connection.ensure_connection()
            started = time.perf_counter()
            work()
            seconds = time.perf_counter() - started
            with connection.cursor() as cursor:
                cursor.execute(WRITTEN)
                written = cursor.fetchone()
        finally:
            connection.close()
            connection.settings_dict["NAME"] = original
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    return seconds, written


def _ours() -> None:
    from recoup.recovery.detection import open_due_cases  # local: django

    while open_due_cases(now=NOW).looked:
        pass


def _twin() -> None:
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(TWIN, {"now": NOW})


if __name__ == "__main__":
    main()
