"""A back-test of 50,000 past orders against the live engine walking the same orders through the same process.

The live side enters the people of opened cases, hears of payments, advances, and has its messages ended by one statement a
round: no mail is made and none is sent. An hour of trade is one round, so its batches are far fuller than those of a worker
that looks four times a second. Both must take the same decisions: the ledgers are compared by block and outcome. Goals: at
least 3 times as many orders a second, and 50,000 in less than 60 seconds on one core.
"""

import statistics
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from datetime import time as wall
from typing import Any

from bench import harness

ORDERS, LIVE_ORDERS = 50_000, 4_000
ROUNDS = 3
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=40)
HOUR = timedelta(hours=1)

SEED = """
INSERT INTO customers_contact (shop_id, name, email, phone, locale, time_zone, country, company, search, sort_name, notes,
    first_seen_at)
SELECT %(shop)s, 'Anna', 'a' || i || '@example.com', '', 'en', '', '', '', '{}', '', '', %(since)s
FROM generate_series(1, %(orders)s * 2 / 3) i;
INSERT INTO orders_order (shop_id, source_id, ref, number, contact_id, status, payment_state, currency, total, captured,
    refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref, buyer, product_refs, search,
    shop_state, raw_state, placed_at, learnt_at, version_at, version_key, cancel_reason, failure_class, failure_code,
    terms_version, ask_failures, lock_version, is_backfill, is_test, paid_at, paid_learnt_at, unpaid_at)
SELECT %(shop)s, %(source)s, 'r' || i, 'r' || i, c.id, CASE WHEN p.at IS NULL THEN 'unpaid' ELSE 'completed' END,
    CASE WHEN p.at IS NULL THEN 'owed' ELSE 'paid' END, 'EUR', 100, CASE WHEN p.at IS NULL THEN 0 ELSE 100 END, 0, 'en',
    'checkout', 'card', 'Card', false, '', '', '{}', ARRAY['p' || i %% 97], '{}', 'pending', '', n.placed, n.placed,
    n.placed, '', '', '', '', '', 0, 0, false, false, p.at, p.at + interval '2 minutes',
    CASE WHEN i %% 20 >= 7 THEN n.placed + interval '24 hours' END
FROM generate_series(1, %(orders)s) i
CROSS JOIN LATERAL (
    SELECT %(since)s + make_interval(secs => i * 2160000.0 / %(orders)s) AS placed, abs(hashint8(i)::bigint) AS dice) n
-- Of twenty, seven pay at once, six by themselves later, seven never.
CROSS JOIN LATERAL (
    SELECT CASE WHEN i %% 20 < 7 THEN n.placed + make_interval(mins => 3 + (n.dice %% 600)::int)
                WHEN i %% 20 < 13 THEN n.placed + interval '25 hours' + make_interval(mins => (n.dice %% 12000)::int)
           END AS at) p
JOIN customers_contact c ON c.email = 'a' || 1 + (i * 7919) %% (%(orders)s * 2 / 3) || '@example.com';
INSERT INTO recovery_recoverycase (shop_id, kind, order_id, contact_id, cause, amount, currency, opened_at, lapses_at,
    closed_at, outcome, messages_sent, refunded_amount, is_holdout)
SELECT shop_id, 'order', id, contact_id, 'no_payment', total, currency, unpaid_at, unpaid_at + interval '30 days',
    paid_learnt_at + interval '1 second', CASE WHEN paid_at IS NULL THEN '' ELSE 'paid_unaided' END, 0, 0, false
FROM orders_order WHERE unpaid_at IS NOT NULL;
INSERT INTO orders_orderfact (shop_id, order_id, kind, details, became_true_at, learnt_at)
SELECT * FROM (
    SELECT shop_id, id, 'placed', '{}'::jsonb, placed_at, placed_at FROM orders_order
    UNION ALL SELECT shop_id, id, 'marked_unpaid', '{"cause": "no_payment"}', unpaid_at, unpaid_at FROM orders_order
        WHERE unpaid_at IS NOT NULL
    UNION ALL SELECT shop_id, id, 'paid', '{"captured": "100.00"}', paid_at, paid_learnt_at FROM orders_order
        WHERE paid_at IS NOT NULL
) f ORDER BY 6;
CREATE TABLE bench_past AS SELECT id, paid_at, paid_learnt_at FROM orders_order;
CREATE INDEX ON bench_past (paid_learnt_at)
"""
PAYMENTS = """
WITH paid AS (
    UPDATE orders_order o SET paid_at = b.paid_at, paid_learnt_at = b.paid_learnt_at, captured = 100, payment_state = 'paid',
        status = 'completed'
    FROM bench_past b
    WHERE b.id = o.id AND o.id <= %(last)s AND b.paid_learnt_at > %(before)s AND b.paid_learnt_at <= %(now)s
    RETURNING o.id
), closed AS (
    UPDATE recovery_recoverycase c SET closed_at = %(now)s FROM paid WHERE c.order_id = paid.id
)
SELECT id FROM paid
"""
ENDS = """
UPDATE messaging_message SET state = 'sent', settled_at = due_at, handed_at = due_at
WHERE state = 'due' AND due_at <= %(now)s RETURNING enrolment_id
"""


def prepare() -> int:
    """Make a shop with its past and a live process; return the process's id."""
    from django.db import connection  # local: django
    from django_scopes import scopes_disabled  # local: django

    from recoup.core.activity import SYSTEM  # local: django
    from recoup.messaging.models import Lane  # local: django
    from recoup.processes import actions  # local: django
    from recoup.shops.models import Shop, Source  # local: django

    with scopes_disabled():
        live_since = SINCE - timedelta(days=90)
        shop = Shop.objects.create(slug="bench", name="Bench", live_since=live_since)
        source = Source.objects.create(shop=shop, kind="generic", name="b", live_since=live_since)
        Lane.objects.create(shop=shop)
        _set_up_sending(shop)
        process = actions.install_shipped(shop, now=NOW, holdout_bp=0)[-1]
        actions.set_status(process, "live", actor=SYSTEM, now=NOW)
    with connection.cursor() as cursor:
        for statement in SEED.split(";\n"):
            cursor.execute(
                statement,
                {"shop": shop.pk, "source": source.pk, "orders": ORDERS, "since": SINCE, "now": NOW},
            )
        cursor.execute("VACUUM ANALYZE")
    return int(process.pk)


def _set_up_sending(shop: Any) -> None:
    from recoup.messaging import templates  # local: django
    from recoup.messaging.models import MailAccount, QuietHours, SmsAccount  # local: django

    templates.install_shipped(shop, now=NOW)
    templates.install_shipped(shop, now=NOW, keys=["sms_order_reminder_1"])
    MailAccount(shop=shop, host="127.0.0.1", from_email="a@b.example").save(force_insert=True)
    SmsAccount(shop=shop, secret="x", sender="Bench", countries=["PL"], daily_cap=10_000).save(
        force_insert=True
    )
    for channel in ("email", "sms"):
        QuietHours(shop=shop, channel=channel, starts=wall(21), ends=wall(8), keeps_holidays=True).save(
            force_insert=True
        )


def tested(process_id: int) -> tuple[float, Counter[tuple[str, int]], Any]:
    """Back-test the whole past; return the rate, the ledger's lines of the orders that the live side walks, the result."""
    from django_scopes import scopes_disabled  # local: django

    from recoup.processes.backtest.running import Plan, run_backtest  # local: django
    from recoup.processes.backtest.sending import PlainSending  # local: django
    from recoup.processes.models import Process  # local: django
    from recoup.processes.versions import graph_of  # local: django

    with scopes_disabled():
        process = Process.objects.get(pk=process_id)
    version_id = process.current_version_id or 0
    graph = graph_of(version_id)
    plan = Plan(process.shop_id, process.pk, version_id, graph, 0, SINCE, NOW, NOW)
    lines: Counter[tuple[str, int]] = Counter()
    names = {number: name for name, number in graph.node_map.items()}

    def look(shop: Any) -> None:
        lines.update(
            (names[step.node], int(step.outcome))
            for number, step in shop.ledger
            if shop.enrolments[number].subject_id <= LIVE_ORDERS
        )

    started = time.perf_counter()
    result = run_backtest(plan, look=look, sending=lambda _page: PlainSending())
    return ORDERS / (time.perf_counter() - started), lines, result


def sent_by_two_channels(process_id: int) -> tuple[float, Any]:
    """Try the process with short messages through the shop's own sender; return the rate and the result.

    Each second text becomes a short message, and each mail has one behind it. Half of the people have a phone, one in five
    has no address; quiet hours, limits and the guard of money are on.
    """
    from django.db import connection  # local: django
    from django_scopes import scopes_disabled  # local: django

    from recoup.processes.backtest.running import plan_of_draft, run_backtest  # local: django
    from recoup.processes.graph.document import ProcessDocument  # local: django
    from recoup.processes.models import Process  # local: django

    with scopes_disabled():
        process = Process.objects.select_related("current_version").get(pk=process_id)
    assert process.current_version is not None
    doc = process.current_version.doc
    sends = [node for node in doc["nodes"].values() if node["t"] == "send"]
    short = {"channel": "sms", "template": "sms_order_reminder_1"}
    for number, node in enumerate(sends):
        mail = {"channel": "email", "template": node["template"]}
        first, second = (short, mail) if number % 2 else (mail, short)
        node |= {**first, "otherwise": [second]}
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE customers_contact SET country = 'PL',"
            " phone = CASE WHEN id % 2 = 0 THEN '+48512' || lpad((id % 1000000)::text, 6, '0') ELSE '' END,"
            " email = CASE WHEN id % 5 = 0 THEN '' ELSE email END"
        )
    plan = plan_of_draft(
        ProcessDocument.model_validate(doc),
        shop_id=process.shop_id,
        process_id=process.pk,
        salt=process.salt,
        holdout_bp=0,
        since=SINCE,
        until=NOW,
        now=NOW,
    )
    started = time.perf_counter()
    with scopes_disabled():
        result = run_backtest(plan)
    return ORDERS / (time.perf_counter() - started), result


def lived(process_id: int) -> tuple[float, Counter[tuple[str, int]]]:
    """Walk the first orders through the live engine, an hour a round; return the rate and the ledger's lines."""
    from django.db import connection  # local: django

    from recoup.processes.loop import Engine  # local: django

    with connection.cursor() as cursor:
        # Commits do not wait for the disk here, so that the figure is not one of the disk.
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("DELETE FROM messaging_message")  # a TRUNCATE would take the cases with it
        cursor.execute("TRUNCATE processes_enrolment, processes_step_log, core_outbox")
        cursor.execute(
            "UPDATE orders_order SET paid_at = NULL, paid_learnt_at = NULL, captured = 0, payment_state = 'owed',"
            " status = 'unpaid' WHERE id <= %s",
            [LIVE_ORDERS],
        )
        cursor.execute(
            "UPDATE recovery_recoverycase SET closed_at = NULL WHERE order_id <= %s", [LIVE_ORDERS]
        )
        cursor.execute(
            "SELECT max(unpaid_at) + interval '11 days' FROM orders_order WHERE id <= %s", [LIVE_ORDERS]
        )
        (until,) = cursor.fetchone()
        cursor.execute("VACUUM ANALYZE orders_order, recovery_recoverycase, processes_enrolment")
    engine, clock = Engine(), SINCE
    engine.store.now = lambda: clock  # type: ignore[method-assign]
    started = time.perf_counter()
    while clock < min(until, NOW):
        before, clock = clock, min(clock + HOUR, NOW)
        _round(engine, before, clock)
    seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute("SELECT node, outcome, count(*) FROM processes_step_log GROUP BY 1, 2")
        rows = cursor.fetchall()
    from recoup.processes.models import Process  # local: django
    from recoup.processes.versions import graph_of  # local: django

    version_id = Process.objects.filter(pk=process_id).values_list("current_version_id", flat=True).get()
    graph = graph_of(version_id)
    return LIVE_ORDERS / seconds, Counter({(graph.node_id(node), outcome): n for node, outcome, n in rows})


def _round(engine: Any, before: datetime, clock: datetime) -> None:
    from django.db import connection, transaction  # local: django

    from recoup.processes.engine.batch import WakeUp  # local: django
    from recoup.processes.engine.codes import Wake  # local: django
    from recoup.processes.entering import enrol_cases  # local: django
    from recoup.processes.store import wake  # local: django
    from recoup.recovery.events import RecoveryCaseOpened  # local: django

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT shop_id, id, kind, order_id, contact_id, opened_at FROM recovery_recoverycase"
            " WHERE order_id <= %s AND opened_at > %s AND opened_at <= %s",
            [LIVE_ORDERS, before, clock],
        )
        enrol_cases([RecoveryCaseOpened(*row) for row in cursor.fetchall()])
    while engine.run_once():
        pass
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ENDS, {"now": clock})
        cursor.execute(
            "UPDATE processes_enrolment SET state = 2, prio = 0, run_at = %s WHERE id = ANY(%s) AND state = 1",
            [clock, [row[0] for row in cursor.fetchall()]],
        )
        cursor.execute(PAYMENTS, {"last": LIVE_ORDERS, "before": before, "now": clock})
        wake([WakeUp(1, row[0], Wake.PAID.value) for row in cursor.fetchall()], clock)
    while engine.run_once():
        pass


def main() -> None:
    """Measure and print the figure."""
    with harness.database("backtest"):
        from django_scopes import scopes_disabled  # local: django

        with scopes_disabled():
            process_id = prepare()
            tested(process_id)  # the first round fills caches
            ours, ratios = [], []
            for _ in range(ROUNDS):
                mine, lines, result = tested(process_id)
                theirs, live_lines = lived(process_id)
                _restore()
                ours.append(mine)
                ratios.append(mine / theirs)
            own, sent = sent_by_two_channels(process_id)
        # An hour is one round there, so a payment may come before or after a message that is due in the same hour.
        differing = sum(((lines - live_lines) + (live_lines - lines)).values())
        if differing > sum(lines.values()) * 0.03 or not result.messages:
            raise AssertionError(f"not the same decisions: {lines} {live_lines}")
        rate = statistics.median(ours)
        harness.report(
            "backtest.orders_per_s.vs_live",
            ratio=statistics.median(ratios),
            goal=3,
            rounds=[round(ratio, 2) for ratio in ratios],
            orders=ORDERS,
            entered=result.entered,
            messages=result.messages,
            orders_per_s=round(rate),
        )
        harness.report(
            "backtest.seconds.50k", value=round(ORDERS / rate, 1), goal=60, at_least=False, orders=ORDERS
        )
        harness.report(
            "backtest.seconds.50k.by_the_sender",
            value=round(ORDERS / own, 1),
            goal=60,
            at_least=False,
            orders=ORDERS,
            messages={one.channel: one.messages for one in sent.channels},
            left_out=sum(sent.left_out.values()),
        )


def _restore() -> None:
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orders_order o SET paid_at = b.paid_at, paid_learnt_at = b.paid_learnt_at FROM bench_past b"
            " WHERE b.id = o.id AND o.id <= %s",
            [LIVE_ORDERS],
        )


if __name__ == "__main__":
    main()
