"""The pages of orders and of recovery in a shop of 1,000,000 orders, against the bare statements that they stand on.

The real addresses through Django's test client, in this process: sign-in, rights, filters, counts, templates. Their bare
statements: every statement that the page sends, sent again by itself and its rows read. Goal: p95 of the page at most 3
times p95 of its statements. Beside them stands what a good hand would ask for the list alone, its rows and its count up to
10,000 in two statements; its plans are looked at too: each walks the index that was made for it.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from bench import harness

ORDERS = int(os.environ.get("LISTS_ORDERS", "1000000"))
CALLS = int(os.environ.get("LISTS_CALLS", "40"))
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)

SEED = """
INSERT INTO shops_shop (slug, name, currency, locale, country, time_zone, phone, email, address, colour, logo_url,
    terms_url, terms_version, unpaid_after_minutes, cart_after_minutes, supersede_scope, max_age_days, claim_hours,
    live_since, collects_carts)
SELECT 'shop-' || i, 'Shop', 'EUR', 'en', '', 'Europe/Warsaw', '', '', '', '#1f6f50', '', '', '1', 1440, 60, 'product',
    14, 8, %(now)s - interval '900 days', true
FROM generate_series(1, 2) i;
INSERT INTO shops_source (shop_id, kind, name, key, base_url, secret, previous_secret, credentials, options, state,
    trouble, cursor, live_since)
SELECT id, 'generic', 'Own', 'key-' || id, '', '', '', '', '{}', 'active', '', '{}', %(now)s - interval '900 days'
FROM shops_shop;
INSERT INTO customers_contact (shop_id, name, email, phone, locale, time_zone, country, company, search, sort_name,
    notes, first_seen_at)
SELECT 1 + (i %% 10 = 0)::int, 'Anna ' || md5(i::text), 'anna' || i || '@example.com', '', 'en', '', '', '',
    ARRAY['an', 'ann', 'anna', left(md5(i::text), 4), md5(i::text), 'anna' || i || '@example.com'], '', '', %(now)s
FROM generate_series(1, %(people)s) i;
-- Kept as they were placed, over two years; nine of ten belong to the first shop.
INSERT INTO orders_order (shop_id, source_id, ref, number, contact_id, status, payment_state, currency, total, captured,
    refunded, locale, origin, method, method_title, is_offline_method, pay_url, cart_ref, buyer, product_refs, search,
    shop_state, raw_state, placed_at, learnt_at, version_at, version_key, paid_at, paid_learnt_at, cancel_reason,
    failure_class, failure_code, terms_version, ask_failures, lock_version, unpaid_at, is_backfill, is_test)
SELECT person.shop_id, source.id, 'r' || n.i, (100000 + n.i)::text, person.id,
    CASE WHEN n.dice < 70 THEN 'completed' WHEN n.dice < 80 THEN 'cancelled' WHEN n.dice < 82 THEN 'false'
         WHEN n.dice < 95 THEN 'unpaid' WHEN n.dice < 97 THEN 'new' WHEN n.dice < 98 THEN 'in_work'
         WHEN n.dice < 99 THEN 'awaiting_payment' ELSE 'not_confirmed' END,
    CASE WHEN n.dice < 70 THEN 'paid' WHEN n.i %% 5 = 0 THEN 'failed' WHEN n.i %% 1000 = 1 THEN 'disputed' ELSE 'owed' END,
    'EUR', 10 + n.i %% 300, CASE WHEN n.dice < 70 THEN 10 + n.i %% 300 ELSE 0 END, 0, 'en', 'checkout', 'card', 'Card',
    false, '', '', '{"name": "Anna Nowak", "email": "anna@example.com"}', ARRAY['p' || n.i %% 200],
    ARRAY['an', 'ann', 'anna', left(md5(person.id::text), 4), md5(person.id::text), (100000 + n.i)::text,
          left((100000 + n.i)::text, 5), person.email],
    'pending', '', n.placed, n.placed, n.placed, '', CASE WHEN n.dice < 70 THEN n.placed + interval '3 minutes' END,
    CASE WHEN n.dice < 70 THEN n.placed + interval '4 minutes' END, '', '', '', '1', 0, 0,
    CASE WHEN n.dice %% 3 = 0 OR n.dice BETWEEN 82 AND 94 THEN n.placed + interval '1 day' END, false, false
FROM (
    SELECT i, abs(hashint8(i)::bigint) %% 100 AS dice, 1 + (i * 7919) %% %(people)s AS person,
        %(now)s - interval '730 days' + make_interval(secs => i * 63072000.0 / %(orders)s) AS placed
    FROM generate_series(1::bigint, %(orders)s) i
) n
JOIN customers_contact person ON person.id = n.person
JOIN shops_source source ON source.shop_id = person.shop_id;
INSERT INTO recovery_recoverycase (shop_id, kind, order_id, contact_id, cause, amount, currency, opened_at, lapses_at,
    closed_at, outcome, messages_sent, first_message_at, recovered_amount, recovered_at, refunded_amount, is_holdout)
SELECT shop_id, 'order', id, contact_id, CASE WHEN id %% 3 = 0 THEN 'soft' ELSE 'no_payment' END, total, currency, unpaid_at,
    unpaid_at + interval '30 days',
    CASE WHEN status IN ('completed', 'cancelled', 'false') THEN unpaid_at + interval '2 days' END,
    CASE status WHEN 'completed' THEN 'recovered' WHEN 'cancelled' THEN 'cancelled' WHEN 'false' THEN 'false' ELSE '' END,
    1, unpaid_at, CASE WHEN status = 'completed' THEN total END,
    CASE WHEN status = 'completed' THEN unpaid_at + interval '2 days' END, 0, false
FROM orders_order WHERE unpaid_at IS NOT NULL ORDER BY placed_at;
"""

ORDER_COLUMNS = """o.id, o.number, o.status, o.payment_state, o.placed_at, o.total, o.currency, o.method, o.method_title,
    o.claimed_by, o.claimed_until, o.buyer, c.name, c.email"""
CASE_COLUMNS = """r.id, r.cause, r.outcome, r.opened_at, r.amount, r.currency, r.messages_sent, o.number, c.name, c.email"""
CURRENT = "('new', 'in_work', 'not_confirmed', 'awaiting_payment', 'unpaid')"


def orders_page(where: str, *, branches: Sequence[str] = ()) -> tuple[str, str]:
    """Return the statements of a page of orders: its rows, and its count up to 10,000."""
    walk = f"SELECT id, placed_at FROM orders_order WHERE shop_id = 1 AND {where}"
    tail = "ORDER BY placed_at DESC, id DESC LIMIT 51"
    found = " UNION ALL ".join(f"({walk} AND {branch} {tail})" for branch in branches) or f"{walk} {tail}"
    count = f"{where} AND ({' OR '.join(branches)})" if branches else where
    rows = (
        f"SELECT {ORDER_COLUMNS} FROM ({found}) p JOIN orders_order o ON o.id = p.id"
        " LEFT JOIN customers_contact c ON c.id = o.contact_id ORDER BY p.placed_at DESC, p.id DESC LIMIT 51"
    )
    return (
        rows,
        f"SELECT count(*) FROM (SELECT FROM orders_order WHERE shop_id = 1 AND {count} LIMIT 10001) x",
    )


def cases_page(where: str) -> tuple[str, str]:
    """Return the statements of a page of cases."""
    walk = f"SELECT id, opened_at FROM recovery_recoverycase r WHERE shop_id = 1 AND {where}"
    rows = (
        f"SELECT {CASE_COLUMNS} FROM ({walk} ORDER BY opened_at DESC, id DESC LIMIT 51) p"
        " JOIN recovery_recoverycase r ON r.id = p.id LEFT JOIN orders_order o ON o.id = r.order_id"
        " LEFT JOIN customers_contact c ON c.id = r.contact_id ORDER BY p.opened_at DESC, p.id DESC"
    )
    return rows, f"SELECT count(*) FROM ({walk.replace('id, opened_at', '', 1)} LIMIT 10001) x"


def search_page(found: str) -> tuple[str, str]:
    """Return the statements of a search for few orders: fetched by the index of the search, then sorted."""
    matches = f"WITH m AS MATERIALIZED (SELECT id, placed_at FROM orders_order WHERE shop_id = 1 AND {found} LIMIT 10001)"
    rows = (
        f"{matches} SELECT {ORDER_COLUMNS} FROM (SELECT * FROM m ORDER BY placed_at DESC, id DESC LIMIT 51) p"
        " JOIN orders_order o ON o.id = p.id LEFT JOIN customers_contact c ON c.id = o.contact_id"
        " ORDER BY p.placed_at DESC, p.id DESC"
    )
    return rows, f"{matches} SELECT count(*) FROM m"


def each(*statuses: str) -> list[str]:
    """Return one condition for each status: the walks that are merged."""
    return [f"status = '{status}'" for status in statuses]


_CURRENT = each("new", "in_work", "not_confirmed", "awaiting_payment", "unpaid")
_NUMBER = f"search @> ARRAY['{100000 + ORDERS // 2}']"
_PERSON = "search @> ARRAY['anna77@example.com']"

# An address, the statements that it stands on, and the index that its walk must use.
ORDER_LISTS = {
    "": (orders_page("true", branches=_CURRENT), "orders_order_by_status"),
    "?v=all": (orders_page("true"), "orders_order_list"),
    "?v=completed": (orders_page("true", branches=each("completed")), "orders_order_by_status"),
    "?v=unpaid": (orders_page("true", branches=each("unpaid")), "orders_order_by_status"),
    "?v=all&pay=disputed": (orders_page("payment_state = 'disputed'"), "orders_order_by_payment"),
    "?v=all&from=2026-03-01&to=2026-04-01": (
        orders_page("placed_at >= '2026-02-28 23:00+00' AND placed_at < '2026-03-31 22:00+00'"),
        "orders_order_list",
    ),
    f"?v=all&q={100000 + ORDERS // 2}": (search_page(_NUMBER), "orders_order_search"),
    "?v=all&q=anna77%40example.com": (search_page(_PERSON), "orders_order_search"),
    "?v=all&q=anna": (orders_page("search @> ARRAY['anna']"), "orders_order_list"),
    "?v=all&c=older~2025-06-01T00:00:00%2B00:00~500000": (
        (
            orders_page("(placed_at, id) < ('2025-06-01 00:00+00', 500000)")[0],
            orders_page("true")[1],
        ),
        "orders_order_list",
    ),
}
CASE_LISTS = {
    "": (cases_page("closed_at IS NULL"), "recovery_case_open"),
    "?v=all": (cases_page("true"), "recovery_case_list"),
    "?v=recovered": (cases_page("outcome = 'recovered'"), "recovery_case_by_outcome"),
    "?v=all&cause=soft": (cases_page("cause = 'soft'"), "recovery_case_list"),
    "?v=all&c=older~2025-06-01T00:00:00%2B00:00~100000": (
        (
            cases_page("(opened_at, id) < ('2025-06-01 00:00+00', 100000)")[0],
            cases_page("true")[1],
        ),
        "recovery_case_list",
    ),
}


def main() -> None:
    """Measure both lists and print their lines."""
    with harness.database("lists"):
        _fill()
        client = _sign_in()
        for name, place, lists in (
            ("lists.orders.p95_vs_sql", "orders", ORDER_LISTS),
            ("lists.recovery.p95_vs_sql", "recovery", CASE_LISTS),
        ):
            _measure(name, client, f"/s/shop-1/{place}/", lists)


def _fill() -> None:
    from django.db import connection  # local: django

    from recoup.analytics.tallies import fold_tallies  # local: django

    with connection.cursor() as cursor:
        for statement in SEED.split(";\n"):
            if statement.strip():
                cursor.execute(statement, {"now": NOW, "people": ORDERS // 2, "orders": ORDERS})
        while fold_tallies(now=NOW):  # as the worker does once a minute
            pass
        cursor.execute("VACUUM ANALYZE")


def _sign_in() -> Any:
    from django.test import Client  # local: django
    from django_scopes import scopes_disabled  # local: django

    from recoup.accounts.models import User  # local: django
    from recoup.messaging.models import MailAccount  # local: django
    from recoup.shops.models import Membership, Shop  # local: django

    with scopes_disabled():
        user = User.objects.create_user("owner@example.com", "a long password")
        Membership(shop=Shop.objects.get(slug="shop-1"), user=user, role="owner").save()
        MailAccount(
            shop=Shop.objects.get(slug="shop-1"), host="mail.example.com", from_email="a@example.com"
        ).save()
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


def _measure(name: str, client: Any, path: str, lists: dict[str, Any]) -> None:
    times: dict[str, dict[str, list[float]]] = {
        kind: {at: [] for at in lists} for kind in ("page", "bare", "hand")
    }
    own = {}
    for address, (by_hand, index) in lists.items():
        _page(client, path + address)
        own[address] = _statements_of(client, path + address)
        _look_at_plans([by_hand[0]], index)
        _look_at_plans([one for one in own[address] if _is_the_list(one)], index)
    for _ in range(CALLS):
        for address, (by_hand, _index) in lists.items():
            times["page"][address].append(_seconds(lambda at=address: _page(client, path + at)))
            times["bare"][address].append(_seconds(lambda at=address: _bare(own[at])))
            times["hand"][address].append(_seconds(lambda run=by_hand: _bare(run)))
    for address in lists:
        shown = {f"{kind}_p95_ms": round(_p95(times[kind][address]) * 1000, 1) for kind in times}
        print(json.dumps({"list": path + address, "statements": len(own[address]), **shown}))
    everything = {kind: [one for some in times[kind].values() for one in some] for kind in times}
    page, bare, hand = (_p95(everything[kind]) for kind in ("page", "bare", "hand"))
    harness.report(
        name,
        ratio=page / bare,
        goal=3,
        at_least=False,
        page_p95_ms=round(page * 1000, 1),
        bare_p95_ms=round(bare * 1000, 1),
        by_hand_p95_ms=round(hand * 1000, 1),
        medians_ms=[round(statistics.median(everything[kind]) * 1000, 1) for kind in times],
        orders=ORDERS,
    )


def _statements_of(client: Any, url: str) -> list[str]:
    """Return what a page sends to the database."""
    from django.db import connection  # local: django
    from django.test.utils import CaptureQueriesContext  # local: django

    with CaptureQueriesContext(connection) as sent:
        _page(client, url)
    return [one["sql"] for one in sent.captured_queries]


def _page(client: Any, url: str) -> None:
    answer = client.get(url)
    if answer.status_code != 200:
        raise AssertionError(f"{url}: {answer.status_code}")


def _is_the_list(statement: str) -> bool:
    """Tell whether a statement looks for the rows of the list."""
    is_rows = (
        statement.startswith(("SELECT r.id", "SELECT p.id", "WITH matches")) and "CASE WHEN" not in statement
    )
    return is_rows and not any(part in statement for part in ("core_attention", "messaging_message r"))


def _bare(statements: tuple[str, str]) -> None:
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            cursor.fetchall()


def _look_at_plans(statements: Sequence[str], index: str) -> None:
    """See that the rows are found by their index; a search for a common word looks first whether it is one."""
    from django.db import connection  # local: django

    plans = []
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(f"EXPLAIN {statement}")
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
    if not any(index in plan and "Seq Scan" not in plan for plan in plans):
        raise AssertionError("\n".join([f"{index} is not used:", *statements, *plans]))


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _p95(times: Sequence[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


if __name__ == "__main__":
    main()
