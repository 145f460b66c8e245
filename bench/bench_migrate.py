"""Moving 250,000 living enrolments to a new version, against the bare UPDATE of their version.

Ours is the worker's own move, chunk by chunk, with its lines of the ledger and its progress; the twin sets the
version of all of them by one statement and writes nothing else. Goal: at most 3 times its time.
"""

import time
from datetime import UTC, datetime
from typing import Any

from bench import harness

ROWS = 250_000
ROUNDS = 5
NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)


def prepare() -> tuple[Any, int, int]:
    """Make a process with two versions; return it and the versions' ids."""
    from django_scopes import scopes_disabled  # local: django

    from recoup.core.activity import SYSTEM  # local: django
    from recoup.processes import actions  # local: django
    from recoup.processes.graph.reading import read_document  # local: django
    from recoup.shops.models import Shop  # local: django

    with scopes_disabled():
        shop = Shop.objects.create(slug="bench", name="Bench", live_since=NOW)
        process = actions.install_shipped(shop, now=NOW)[-1]
        process.refresh_from_db()
        first = process.current_version
        assert first is not None
        doc = first.doc | {"goals": [*first.doc["goals"], {"on": "case.closed"}]}
        doc["goals"] = [goal for number, goal in enumerate(doc["goals"]) if goal not in doc["goals"][:number]]
        doc["nodes"] = doc["nodes"] | {"n3": doc["nodes"]["n3"] | {"label": "Wait"}}
        second = actions.publish(process, read_document(doc), actor=SYSTEM, now=NOW)
        process.refresh_from_db()
    return process, first.pk, second.pk


def fill(process: Any, version_id: int) -> None:
    """Put everybody anew at a wait of the first version."""
    from django.db import connection  # local: django

    from recoup.processes.versions import graph_of  # local: django

    graph = graph_of(version_id)
    node = graph.node_map["n3"]
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE processes_enrolment, processes_step_log, processes_versionmove")
        cursor.execute(
            """
            INSERT INTO processes_enrolment (shop_id, process_id, version_id, contact_id, subject_kind, subject_id,
                entry_key, active_key, state, node, step_no, entered_at, node_at, due_at, run_at, wait_mask, prio,
                attempt, flags)
            SELECT %(shop)s, %(process)s, %(version)s, i, 1, i, hashint8extended(i, 1), hashint8extended(i, 2), 1,
                %(node)s, 1, %(now)s, %(now)s, %(now)s + i * interval '1 second', %(now)s + i * interval '1 second',
                %(mask)s, 1, 0, 0
            FROM generate_series(1, %(rows)s) i
            """,
            {
                "shop": process.shop_id, "process": process.pk, "version": version_id, "node": node, "now": NOW,
                "mask": graph.masks[node], "rows": ROWS,
            },
        )  # fmt: skip
        cursor.execute("VACUUM ANALYZE processes_enrolment")


def ours(process: Any, first: int) -> float:
    """Move everybody by the worker's steps and return the seconds; asserts what was written."""
    from django.db import connection  # local: django
    from django_scopes import scopes_disabled  # local: django

    from recoup.core.activity import SYSTEM  # local: django
    from recoup.processes.moving import moves  # local: django
    from recoup.processes.moving.plan import Plan, default_choices  # local: django

    fill(process, first)
    with scopes_disabled():
        plan = Plan(default_choices([process.current_version.doc], process.current_version.doc))
        started = time.perf_counter()
        moves.request_move(process, plan, actor=SYSTEM, now=NOW)
        while moves.run_waiting():
            pass
        moves.run_waiting()
        seconds = time.perf_counter() - started
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM processes_enrolment WHERE version_id <> %s AND step_no = 2),"
            " (SELECT count(*) FROM processes_step_log WHERE outcome = 120 AND step_no = 2),"
            " (SELECT state || moved FROM processes_versionmove)",
            [first],
        )
        found = cursor.fetchone()
    if found != (ROWS, ROWS, f"done{ROWS}"):
        raise AssertionError(found)
    return seconds


def twin(process: Any, first: int, second: int) -> float:
    """Set the version of everybody by one bare statement and return the seconds."""
    from django.db import connection  # local: django

    fill(process, first)
    with connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(
            "UPDATE processes_enrolment SET version_id = %s WHERE process_id = %s AND version_id = %s"
            " AND active_key IS NOT NULL",
            [second, process.pk, first],
        )
        seconds = time.perf_counter() - started
        if cursor.rowcount != ROWS:
            raise AssertionError(cursor.rowcount)
    return seconds


def main() -> None:
    """Measure and print the figure."""
    with harness.database("migrate"):
        process, first, second = prepare()
        ratio, rounds = harness.paired(
            lambda: ours(process, first), lambda: twin(process, first, second), rounds=ROUNDS
        )
        harness.report(
            "engine.migrate.vs_sql", ratio=ratio, goal=3, at_least=False, rounds=rounds, enrolments=ROWS
        )


if __name__ == "__main__":
    main()
