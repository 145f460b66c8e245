"""What a process brought, over 1,000,000 people who came into it: the page's reading against a bare statement.

`effects.read.vs_sql`: time of `effect_of` (both groups, money, day by day, people written to by hand) against one
hand-written statement that only counts both groups and who of them paid. The same people are counted in both.
"""

import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from bench import harness

PEOPLE = int(os.environ.get("EFFECTS_PEOPLE", "1000000"))
ROUNDS = int(os.environ.get("EFFECTS_ROUNDS", "5"))
CHUNK = 100_000
MOST = 4.0  # money, days, what took an order's place and messages by hand, beside a bare count
NOW = datetime(2026, 11, 2, 11, tzinfo=UTC)

BARE = """
    SELECT e.flags & 1, count(*), count(*) FILTER (WHERE o.paid_at < e.entered_at + interval '14 days')
    FROM (SELECT DISTINCT ON (contact_id) * FROM processes_enrolment
          WHERE shop_id = %s AND process_id = %s AND flags & 4098 = 0 ORDER BY contact_id, id) e
    JOIN orders_order o ON o.id = e.subject_id GROUP BY 1 ORDER BY 1
"""


def main() -> None:
    """Fill, read both in turn, and print the line."""
    with harness.database("effects"):
        from django_scopes import scopes_disabled  # local: django

        with scopes_disabled():
            _compare(_fill())


def _fill() -> Any:
    from django.db import connection  # local: django

    from tests.analytics.left_alone import Buyer, come_in  # local: django
    from tests.factories.processes import make_process  # local: django
    from tests.factories.shops import make_shop  # local: django

    process = make_process(make_shop(currency="PLN"), holdout_bp=1000)
    for begin in range(0, PEOPLE, CHUNK):
        come_in(process, [_buyer(Buyer, number) for number in range(begin, min(begin + CHUNK, PEOPLE))])
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) processes_enrolment, orders_order, customers_contact")
    return process


def _compare(process: Any) -> None:
    from django.db import connection  # local: django

    from recoup.analytics.effects import Scope, effect_of  # local: django
    from recoup.processes.holdout import Stretch  # local: django

    scope = Scope(process.shop, process, Stretch(1000, 0), timedelta(days=14))
    seen: dict[str, list[tuple[int, int]]] = {}
    seconds: list[float] = []

    def ours() -> float:
        begun = time.perf_counter()
        effect = effect_of(scope, now=NOW)
        seconds.append(time.perf_counter() - begun)
        seen["ours"] = [tuple(effect.treated), tuple(effect.control)]
        return seconds[-1]

    def bare() -> float:
        begun = time.perf_counter()
        with connection.cursor() as cursor:
            cursor.execute(BARE, [process.shop_id, process.pk])
            seen["bare"] = [(people, paid) for _, people, paid in cursor.fetchall()]
        return time.perf_counter() - begun

    ratio, rounds = harness.paired(ours, bare, rounds=ROUNDS)
    if seen["ours"] != seen["bare"]:
        raise SystemExit(f"different people: {seen}")
    harness.report(
        "effects.read.vs_sql", ratio=ratio, goal=MOST, at_least=False, rounds=rounds, people=PEOPLE,
        seconds=round(statistics.median(seconds), 2),
    )  # fmt: skip


def _buyer(kind: Any, number: int) -> Any:
    at = NOW - timedelta(days=15 + number % 300)
    is_alone = number % 10 == 0
    has_paid = number * 7919 % 100 < (15 if is_alone else 21)
    return kind(is_alone=is_alone, pays_after=timedelta(days=2) if has_paid else None, entered_at=at)


if __name__ == "__main__":
    main()
