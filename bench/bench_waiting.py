"""What waiting costs: the bytes of a waiting enrolment with all its indexes, and finding who is due among millions.

Goals: at most 600 bytes each of 1,000,000; to find 500 due among 5,000,000 takes at most 1.5 times as long as among 100,000.
The two tables of the second figure stand beside each other and are swapped by name, so that its rounds are paired.
"""

import statistics
import time
from datetime import UTC, datetime

from bench import harness

WAITING, FEW, MANY = 1_000_000, 100_000, 5_000_000
DUE, TRIES, ROUNDS = 500, 15, 5
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
FILL = """
    INSERT INTO processes_enrolment (shop_id, process_id, version_id, contact_id, case_id, subject_kind, subject_id,
        entry_key, active_key, state, node, step_no, entered_at, node_at, due_at, run_at, wait_mask, prio, attempt, flags,
        last_message_step)
    SELECT %(shop)s, %(process)s, %(version)s, i / 2, i, 1, i, hashint8extended(i, 1), hashint8extended(i, 2), 1, 3, 2,
        %(now)s - interval '2 days', %(now)s - interval '1 day', t.at, t.at, 1023, 1, 0, 0, 2
    FROM generate_series(1, %(rows)s) i CROSS JOIN LATERAL (
        SELECT %(now)s + CASE WHEN i <= %(due)s THEN -interval '1 second' ELSE interval '1 minute' END
            * (i::bigint * 7919 %% 40000 + 1) AS at) t
"""


def prepare() -> dict[str, object]:
    """Make a shop with a process; return what fills the table."""
    from django_scopes import scopes_disabled  # local: django

    from recoup.core.activity import SYSTEM  # local: django
    from recoup.processes import actions  # local: django
    from recoup.shops.models import Shop  # local: django

    with scopes_disabled():
        shop = Shop.objects.create(slug="bench", name="Bench", live_since=NOW)
        process = actions.install_shipped(shop, now=NOW)[-1]
        actions.set_status(process, "live", actor=SYSTEM, now=NOW)
        process.refresh_from_db()
    return {"shop": shop.pk, "process": process.pk, "version": process.current_version_id, "now": NOW}


def fill(values: dict[str, object], rows: int, *, due: int = 0) -> None:
    """Put so many people to wait, as many of them due as asked for; indexes are built behind the rows."""
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE processes_enrolment")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'processes_enrolment'"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE conrelid = 'processes_enrolment'::regclass)"
        )
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
        cursor.execute(FILL, {**values, "rows": rows, "due": due})
        for _, definition in indexes:
            cursor.execute(definition)
        cursor.execute("VACUUM ANALYZE processes_enrolment")
        cursor.execute("SELECT count(*) FROM processes_enrolment WHERE state = 1 AND run_at IS NOT NULL")
        [(count,)] = cursor.fetchall()
    if count != rows:
        raise AssertionError(count)


def bytes_each(values: dict[str, object]) -> float:
    """Return what a waiting enrolment takes on disk, with all indexes that the table has."""
    from django.db import connection  # local: django

    fill(values, WAITING)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('processes_enrolment')")
        [(size,)] = cursor.fetchall()
    return float(size) / WAITING


def set_beside(name: str) -> None:
    """Put the present table away under a name, and an empty one like it in its place."""
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE processes_enrolment RENAME TO {name}")
        cursor.execute(f"CREATE TABLE processes_enrolment (LIKE {name} INCLUDING ALL)")


def swap(name: str) -> None:
    """Exchange the present table and the one of this name."""
    from django.db import connection  # local: django

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE processes_enrolment RENAME TO swapping")
        cursor.execute(f"ALTER TABLE {name} RENAME TO processes_enrolment")
        cursor.execute(f"ALTER TABLE swapping RENAME TO {name}")


def pick_seconds() -> float:
    """Return the median seconds in which the engine finds and locks who is due; nothing is advanced."""
    from django.db import transaction  # local: django

    from recoup.processes.store import PostgresStore  # local: django

    seconds = []
    for _ in range(TRIES):
        with transaction.atomic():
            started = time.perf_counter()
            found = PostgresStore().pick(DUE, NOW)
            seconds.append(time.perf_counter() - started)
            transaction.set_rollback(True)
        if len(found) != DUE:
            raise AssertionError(len(found))
    return statistics.median(seconds)


def main() -> None:
    """Measure and print both figures."""
    with harness.database("waiting"):
        values = prepare()
        harness.report(
            "engine.waiting.bytes",
            value=round(bytes_each(values), 1),
            goal=600,
            at_least=False,
            enrolments=WAITING,
        )
        fill(values, FEW, due=DUE)
        set_beside("few")
        fill(values, MANY, due=DUE)
        pick_seconds()  # both are read once before they are measured
        swap("few")
        pick_seconds()
        swap("few")

        def among_few() -> float:
            swap("few")
            try:
                return pick_seconds()
            finally:
                swap("few")

        ratio, rounds = harness.paired(pick_seconds, among_few, rounds=ROUNDS)
        harness.report("engine.pick.waiting_5m_vs_100k", ratio=ratio, goal=1.5, at_least=False, rounds=rounds)


if __name__ == "__main__":
    main()
